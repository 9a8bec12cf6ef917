"""The set of fields that a value specifies."""
# upstream: structured-merge-diff typed/tofieldset.go

from collections import Counter
from typing import Any

from pykube_cp.machinery.apply.elements import elements_of
from pykube_cp.machinery.apply.fields import Fields, attach, field_element, mark
from pykube_cp.machinery.apply.shapes import ListShape, MapShape, Shape


def field_set(shape: Shape, value: Any) -> Fields:
    """All fields of a value, which must be a map or list that is walked."""
    made: Fields = {}
    kind = shape.kind_of(value)
    if kind == "map" and shape.map is not None and isinstance(value, dict):
        _map_members(shape.map, value, made)
    elif kind == "list" and shape.list is not None and isinstance(value, list):
        _list_members(shape.list, value, made)
    return made


def _visit(shape: Shape, value: Any, element: str, into: Fields) -> None:
    """Put what ``value`` specifies into the set of its parent, under ``element``."""
    kind = shape.kind_of(value)
    if kind == "scalar":
        mark(into, element)
    elif kind == "map":
        assert shape.map is not None
        if shape.map.atomic:
            mark(into, element)
        elif isinstance(value, dict):
            below: Fields = {}
            _map_members(shape.map, value, below)
            attach(into, element, below)
    else:
        assert shape.list is not None
        if shape.list.atomic:
            mark(into, element)
        elif isinstance(value, list):
            below = {}
            _list_members(shape.list, value, below)
            attach(into, element, below)


def _map_members(shape: MapShape, value: dict[str, Any], into: Fields) -> None:
    fields, other = shape.fields, shape.element
    for name, item in value.items():
        element = field_element(name)
        declared = fields.get(name)
        member = declared if declared is not None else other
        if member is not None:
            _visit(member, item, element, into)
        if item is None or declared is None or (type(item) is dict and not item):
            mark(into, element)


def _list_members(shape: ListShape, value: list[Any], into: Fields) -> None:
    elements = elements_of(shape, value)
    counts = Counter(elements) if len(set(elements)) < len(elements) else None
    for element, item in zip(elements, value, strict=True):
        # What stands there twice is known only as a whole.
        if counts is None or counts[element] == 1:
            _visit(shape.element, item, element, into)
        mark(into, element)
