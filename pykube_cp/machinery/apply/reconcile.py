"""Sets of fields after their type changed: what became one value is owned as one."""
# upstream: structured-merge-diff typed/reconcile_schema.go

from pykube_cp.machinery.apply.fields import (
    SELF,
    Fields,
    PathElements,
    insert,
    recursive_difference,
    union,
)
from pykube_cp.machinery.apply.shapes import DEDUCED, Shape


def reconcile(shape: Shape, fields: Fields) -> Fields:
    """The same set, if nothing in it lies below a list or map that is one value."""
    changed: list[PathElements] = []
    _visit(shape, fields, (), changed, is_whole=False)
    if not changed:
        return fields
    wholes: Fields = {}
    for path in changed:
        insert(wholes, path)
    return union(recursive_difference(fields, wholes), wholes)


def _visit(
    shape: Shape,
    fields: Fields,
    path: PathElements,
    changed: list[PathElements],
    *,
    is_whole: bool,
) -> None:
    if shape.map is not None:
        if shape.map.element is DEDUCED and not shape.map.fields:
            return
        if shape.map.atomic:
            if not is_whole and fields and path:
                changed.append(path)
            return
    elif shape.scalar is None and shape.list is not None:
        if shape.list.atomic:
            if not is_whole and path:
                changed.append(path)
            return
    else:
        return
    for element, below in fields.items():
        member = _member(shape, element)
        if member is not None and element != SELF:
            _visit(member, below, (*path, element), changed, is_whole=not below)


def _member(shape: Shape, element: str) -> Shape | None:
    if shape.map is not None:
        if element.startswith("f:"):
            return shape.map.member(element[2:])
        return shape.map.element
    return shape.list.element if shape.list is not None else None
