"""The templates of a workload, which may stand in a tree."""
# upstream: pkg/apis/scheduling/validation/validation.go ValidateWorkloadSpec

from collections.abc import Iterator
from typing import Any

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks
from pykube_cp.resources.shared.go_names import internal

GROUPS, COMPOSITES = "podGroupTemplates", "compositePodGroupTemplates"
_COMPOSITE = "io.k8s.api.scheduling.v1beta1.CompositePodGroupTemplate"
_MAX_DEPTH = 4


def check(spec: Object, path: Path) -> checks.Errors:
    names = {_name(group) for group in groups(spec)}
    found = _unique_composites(spec, path, names)
    for position, composite in enumerate(composites(spec)):
        if _depth(composite) >= _MAX_DEPTH:
            where = path.child(COMPOSITES).index(position)
            below = composite.get(COMPOSITES)
            shown = below and [internal(each, _COMPOSITE) for each in below]
            text = f"maximum template hierarchy depth is {_MAX_DEPTH}"
            found.append(FieldError.invalid(where, shown, text))
    return found + _priority(spec, path) + _children(spec, path)


def groups(owner: Object) -> list[Object]:
    found: list[Object] = owner.get(GROUPS) or []
    return found


def composites(owner: Object) -> list[Object]:
    found: list[Object] = owner.get(COMPOSITES) or []
    return found


def _name(template: Object) -> str:
    return template.get("name") or ""


def _unique(templates: list[Object], path: Path, names: set[str]) -> checks.Errors:
    """None of a list has a name from outside of it; the list itself is judged by its type."""
    found = [
        FieldError.duplicate(path.index(position).child("name"), _name(template))
        for position, template in enumerate(templates)
        if _name(template) in names
    ]
    names.update(map(_name, templates))
    return found


def _unique_composites(owner: Object, path: Path, names: set[str]) -> checks.Errors:
    where = path.child(COMPOSITES)
    found = _unique(composites(owner), where, names)
    for position, composite in enumerate(composites(owner)):
        at = where.index(position)
        found += _unique(groups(composite), at.child(GROUPS), names)
        found += _unique_composites(composite, at, names)
    return found


def _depth(composite: Object) -> int:
    return 1 + max(map(_depth, composites(composite)), default=0)


Priority = tuple[str, Any]


def _priority_of(template: Object) -> Priority:
    return template.get("priorityClassName") or "", template.get("priority")


def _priorities(composite: Object) -> Iterator[Priority]:
    yield _priority_of(composite)
    for each in composites(composite):
        yield from _priorities(each)
    yield from map(_priority_of, groups(composite))


def _priority(spec: Object, path: Path) -> checks.Errors:
    """All templates have the same."""
    # upstream: validateWorkloadPriority
    of_groups = [_priority_of(group) for group in groups(spec)]
    if len(set(of_groups)) > 1:
        return [FieldError.invalid(path, None, "detected multiple priority configurations")]
    rest = [found for each in composites(spec) for found in _priorities(each)]
    if len({*of_groups, *rest}) > 1:
        text = (
            "all priority and priorityClassName values must be identical, detected multiple values"
        )
        return [FieldError.invalid(path, None, text)]
    return []


def _children(owner: Object, path: Path) -> checks.Errors:
    found = []
    for position, composite in enumerate(composites(owner)):
        where = path.child(COMPOSITES).index(position)
        if not groups(composite) and not composites(composite):
            text = "must have at least one child PodGroupTemplate or CompositePodGroupTemplate"
            found.append(FieldError.invalid(where, _name(composite), text))
        found += _children(composite, where)
    return found
