"""Whether a value fits its shape: what a configuration must satisfy before it is applied."""
# upstream: structured-merge-diff typed/validate.go

from typing import Any

from pykube_cp.machinery.apply.elements import element_of
from pykube_cp.machinery.apply.fields import FieldsError, element_text
from pykube_cp.machinery.apply.shapes import ListShape, MapShape, Shape
from pykube_cp.machinery.go_text import plain, quote, type_name


class ShapeError(ValueError):
    """A value does not fit its shape; the text lists everything that is wrong."""


def validate(shape: Shape, value: Any) -> None:
    """``ShapeError`` unless the value fits; list elements must not repeat."""
    found: list[str] = []
    _visit(shape, value, "", found)
    if found:
        raise ShapeError(found[0] if len(found) == 1 else "\n  ".join(["errors:", *found]))


def _report(found: list[str], path: str, text: str) -> None:
    found.append(f"{path}: {text}" if path else text)


def _visit(shape: Shape, value: Any, path: str, found: list[str]) -> None:
    if value is None:
        return
    kind = shape.kind_of(value)
    if kind == "scalar":
        text = _scalar_error(shape, value)
        if text:
            _report(found, path, text)
    elif kind == "map":
        assert shape.map is not None
        if isinstance(value, dict):
            _visit_map(shape.map, value, path, found)
        else:
            _report(found, path, f"expected map, got &{{{plain(value)}}}")
    else:
        assert shape.list is not None
        if isinstance(value, list):
            _visit_list(shape.list, value, path, found)
        else:
            _report(found, path, f"expected list, got &{{{plain(value)}}}")


def _visit_map(shape: MapShape, value: dict[str, Any], path: str, found: list[str]) -> None:
    for name, item in value.items():
        member = shape.member(name)
        if member is None:
            _report(found, f"{path}.{name}", "field not declared in schema")
            return
        _visit(member, item, f"{path}.{name}", found)


def _visit_list(shape: ListShape, value: list[Any], path: str, found: list[str]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(value):
        where = f"[{index}]"
        if not shape.atomic:
            try:
                element = element_of(shape, item)
            except FieldsError as error:
                _report(found, path, f"element {index}: {error}")
                return
            where = element_text(element)
            if element in seen:
                _report(found, path, f"duplicate entries for key {where}")
            seen.add(element)
        _visit(shape.element, item, path + where, found)


def _scalar_error(shape: Shape, value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match shape.scalar:
        case "numeric":
            fits = is_number
            text = f"expected numeric (int or float), got {type_name(value)}"
        case "string":
            fits = isinstance(value, str)
            text = f"expected string, got &value.valueUnstructured{{Value:{_go_syntax(value)}}}"
        case "boolean":
            fits = isinstance(value, bool)
            text = f"expected boolean, got &{{{plain(value)}}}"
        case _:
            fits = not isinstance(value, dict | list)
            text = f"expected any scalar, got &{{{plain(value)}}}"
    return "" if fits else text


def _go_syntax(value: Any) -> str:
    """``%#v`` of a JSON value."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, dict):
        inner = ", ".join(f"{quote(key)}:{_go_syntax(value[key])}" for key in sorted(value))
        return f"{type_name(value)}{{{inner}}}"
    if isinstance(value, list):
        return f"{type_name(value)}{{{', '.join(map(_go_syntax, value))}}}"
    return "interface {}(nil)" if value is None else plain(value)
