"""Whether a value fits its shape: what a configuration must satisfy before it is applied."""
# upstream: structured-merge-diff typed/validate.go

from typing import Any

from pykube_cp.machinery.apply.elements import element_of
from pykube_cp.machinery.apply.fields import FieldsError, element_text
from pykube_cp.machinery.apply.shapes import ListShape, MapShape, Shape
from pykube_cp.machinery.go_text import plain, quote, type_name


class ShapeError(ValueError):
    """A value does not fit its shape; the text lists everything that is wrong."""


Found = list[tuple[str, str]]
"""Where, from the value on, and what is wrong there."""

_NOTHING: Found = []


def validate(shape: Shape, value: Any) -> None:
    """``ShapeError`` unless the value fits; list elements must not repeat."""
    found = [f"{path}: {text}" if path else text for path, text in _visit(shape, value)]
    if found:
        raise ShapeError(found[0] if len(found) == 1 else "\n  ".join(["errors:", *found]))


# Paths are put together on the way out, where something is wrong.


def _below(step: str, found: Found) -> Found:
    return [(step + path, text) for path, text in found]


def _visit(shape: Shape, value: Any) -> Found:
    if value is None:
        return _NOTHING
    kind = shape.kind_of(value)
    if kind == "scalar":
        return _NOTHING if _is_scalar(shape, value) else [("", _scalar_error(shape, value))]
    if kind == "map":
        assert shape.map is not None
        if isinstance(value, dict):
            return _visit_map(shape.map, value)
        return [("", f"expected map, got &{{{plain(value)}}}")]
    assert shape.list is not None
    if isinstance(value, list):
        return _visit_list(shape.list, value)
    return [("", f"expected list, got &{{{plain(value)}}}")]


def _visit_map(shape: MapShape, value: dict[str, Any]) -> Found:
    found = _NOTHING
    for name, item in value.items():
        member = shape.member(name)
        if member is None:
            return [*found, (f".{name}", "field not declared in schema")]
        wrong = _visit(member, item)
        if wrong:
            found = [*found, *_below(f".{name}", wrong)]
    return found


def _visit_list(shape: ListShape, value: list[Any]) -> Found:
    found = _NOTHING
    seen: set[str] = set()
    for index, item in enumerate(value):
        element = ""
        if not shape.atomic:
            try:
                element = element_of(shape, item)
            except FieldsError as error:
                return [*found, ("", f"element {index}: {error}")]
            if element in seen:
                text = f"duplicate entries for key {element_text(element)}"
                found = [*found, ("", text)]
            seen.add(element)
        wrong = _visit(shape.element, item)
        if wrong:
            where = f"[{index}]" if shape.atomic else element_text(element)
            found = [*found, *_below(where, wrong)]
    return found


def _is_scalar(shape: Shape, value: Any) -> bool:
    match shape.scalar:
        case "numeric":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case _:
            return not isinstance(value, dict | list)


def _scalar_error(shape: Shape, value: Any) -> str:
    match shape.scalar:
        case "numeric":
            return f"expected numeric (int or float), got {type_name(value)}"
        case "string":
            return f"expected string, got &value.valueUnstructured{{Value:{_go_syntax(value)}}}"
        case "boolean":
            return f"expected boolean, got &{{{plain(value)}}}"
        case _:
            return f"expected any scalar, got &{{{plain(value)}}}"


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
