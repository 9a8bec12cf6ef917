"""What was added, modified and removed between two values.

Equal branches of a typed value are skipped at one comparison: what costs is the difference.
"""
# upstream: structured-merge-diff typed/compare.go

from typing import Any, NamedTuple

from pykube_cp.machinery.apply.elements import elements_of
from pykube_cp.machinery.apply.fields import (
    SELF,
    Fields,
    attach,
    field_element,
    mark,
    recursive_difference,
)
from pykube_cp.machinery.apply.shapes import ABSENT, Kind, ListShape, MapShape, Shape


class Comparison(NamedTuple):
    """Sets of fields."""

    added: Fields
    modified: Fields
    removed: Fields

    def is_same(self) -> bool:
        return not (self.added or self.modified or self.removed)

    def without(self, ignored: Fields) -> "Comparison":
        """Without fields that do not count, and all below them."""
        if not ignored:
            return self
        return Comparison(*(recursive_difference(found, ignored) for found in self))


def compare(shape: Shape, old: Any, new: Any) -> Comparison:
    """Both values of that shape, maps at the top. ``FieldsError`` if list elements have no key."""
    made = Comparison({}, {}, {})
    if shape.map is not None:
        _map_members(shape.map, _as_map(old), _as_map(new), made)
    return made


def equal(one: Any, other: Any) -> bool:
    """Equal as JSON: numbers by value, but true is not 1."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(equal(value, other[key]) for key, value in one.items())
        )
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other) and (type(one) is bool) is (type(other) is bool)


def _as_map(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _visit(shape: Shape, old: Any, new: Any, element: str, into: Comparison) -> None:
    """Put the differences into the sets of the parent, under ``element``."""
    if old is new or (not shape.is_deduced and old == new and type(old) is type(new)):
        return
    if old is ABSENT:
        into.added[element] = _whole(shape, new)
        return
    if new is ABSENT:
        into.removed[element] = _whole(shape, old)
        return
    old_kind, new_kind = shape.kind_of(old), shape.kind_of(new)
    if old_kind != new_kind:
        _handle(shape, old_kind, old, new, element, into)
    _handle(shape, new_kind, old, new, element, into)


def _whole(shape: Shape, value: Any) -> Fields:
    """What comes or goes with a value, below its element: the element itself, and all fields."""
    made: Fields = {}
    if isinstance(value, dict):
        if shape.map is None or shape.map.atomic:
            return made
        fields, other = shape.map.fields, shape.map.element
        for name, item in value.items():
            member = fields.get(name, other)
            if member is not None:
                inner = isinstance(item, dict | list)
                made[field_element(name)] = _whole(member, item) if inner else {}
    elif isinstance(value, list):
        if shape.list is None or shape.list.atomic:
            return made
        for element, item in zip(elements_of(shape.list, value), value, strict=True):
            # What stands there twice is known only as a whole.
            made[element] = {} if element in made else _whole(shape.list.element, item)
    if made:
        made[SELF] = {}
    return made


def _handle(shape: Shape, kind: Kind, old: Any, new: Any, element: str, into: Comparison) -> None:
    below = Comparison({}, {}, {})
    if kind == "map" and shape.map is not None and not shape.map.atomic:
        was, now = _as_map(old), _as_map(new)
        if was or now:
            _map_members(shape.map, was, now, below)
            _attach(below, element, into)
            return
    elif kind == "list" and shape.list is not None and not shape.list.atomic:
        were, are = _as_list(old), _as_list(new)
        if were or are:
            _list_members(shape.list, were, are, below)
            _attach(below, element, into)
            return
    if not equal(old, new):
        mark(into.modified, element)


def _attach(below: Comparison, element: str, into: Comparison) -> None:
    attach(into.added, element, below.added)
    attach(into.modified, element, below.modified)
    attach(into.removed, element, below.removed)


def _map_members(
    shape: MapShape, old: dict[str, Any], new: dict[str, Any], into: Comparison
) -> None:
    for name, was in old.items():
        now = new.get(name, ABSENT)
        if now is not was:
            member = shape.member(name)
            if member is not None:
                _visit(member, was, now, field_element(name), into)
    for name, now in new.items():
        if name not in old:
            member = shape.member(name)
            if member is not None:
                _visit(member, ABSENT, now, field_element(name), into)


def _list_members(shape: ListShape, old: list[Any], new: list[Any], into: Comparison) -> None:
    were, are = _by_element(shape, old), _by_element(shape, new)
    for element in dict.fromkeys((*were, *are)):
        _list_member(shape, were.get(element, []), are.get(element, []), element, into)


def _by_element(shape: ListShape, items: list[Any]) -> dict[str, list[Any]]:
    made: dict[str, list[Any]] = {}
    for element, item in zip(elements_of(shape, items), items, strict=True):
        made.setdefault(element, []).append(item)
    return made


def _list_member(
    shape: ListShape, old: list[Any], new: list[Any], element: str, into: Comparison
) -> None:
    """Elements that stand there twice are compared as a whole."""
    if len(old) <= 1 and len(new) <= 1:
        was, now = old[0] if old else ABSENT, new[0] if new else ABSENT
        _visit(shape.element, was, now, element, into)
    elif len(old) >= 2 and len(new) >= 2:
        if not equal(old, new):
            mark(into.modified, element)
    elif len(old) >= 2:
        if new:
            _visit(shape.element, ABSENT, new[0], element, into)
        mark(into.removed, element)
    else:
        if old:
            _visit(shape.element, old[0], ABSENT, element, into)
        mark(into.added, element)
