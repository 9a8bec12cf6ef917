"""A value without some fields."""
# upstream: structured-merge-diff typed/remove.go

from typing import Any

from pykube_cp.machinery.apply.elements import element_of
from pykube_cp.machinery.apply.fields import Fields, FieldsError, field_element, is_member, under
from pykube_cp.machinery.apply.shapes import UNTYPED, ListShape, MapShape, Shape


def remove_items(shape: Shape, value: Any, items: Fields) -> Any:
    """``value`` without the fields in ``items``; shares branches with it.

    Where all members or elements of something go, null remains.
    """
    if not items:
        return value
    kind = shape.kind_of(value)
    if kind == "scalar":
        return value
    if kind == "map":
        assert shape.map is not None
        return _from_map(shape.map, value, items)
    assert shape.list is not None
    return _from_list(shape.list, value, items)


def _from_map(shape: MapShape, value: Any, items: Fields) -> Any:
    if not isinstance(value, dict) or not value or shape.atomic:
        return None
    made = {}
    for name, item in value.items():
        below = items.get(element := field_element(name))
        if below is None:
            made[name] = item
        elif not is_member(below):
            member = shape.member(name)
            if member is None:
                member = UNTYPED
            made[name] = remove_items(member, item, under(items, element))
    return made or None


def _from_list(shape: ListShape, value: Any, items: Fields) -> Any:
    if not isinstance(value, list) or not value or shape.atomic:
        return None
    made = []
    for item in value:
        try:
            element = element_of(shape, item)
        except FieldsError:
            made.append(item)
            continue
        below = items.get(element)
        if below is None:
            made.append(item)
        elif not is_member(below):
            made.append(remove_items(shape.element, item, under(items, element)))
    return made or None
