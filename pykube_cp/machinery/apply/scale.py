"""managedFields of a scale, which is a view of another object.

Who manages ``spec.replicas`` of the scale is who manages the path it stands for in the object.
"""
# upstream: apimachinery pkg/util/managedfields/scalehandler.go

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from pykube_cp.machinery.apply import fields as sets
from pykube_cp.machinery.apply.fields import Fields, PathElements
from pykube_cp.machinery.apply.managed import (
    Managed,
    Manager,
    VersionedSet,
    decode,
    encode,
    make_manager,
)
from pykube_cp.machinery.objects import Object

ReplicasPaths: TypeAlias = Mapping[str, PathElements | None]
"""By ``apiVersion`` of the object, where its replicas are: ``("f:spec", "f:replicas")``; None for a
version without scale."""

_VERSION = "autoscaling/v1"
_REPLICAS: PathElements = ("f:spec", "f:replicas")


def _only(path: PathElements) -> Fields:
    made: Fields = {}
    sets.insert(made, path)
    return made


def to_scale(entries: Sequence[Any], paths: ReplicasPaths) -> list[Object]:
    """The object's managedFields as those of its scale."""
    parent = decode(entries, stored=True)
    made = Managed()
    for manager, known in parent.sets.items():
        path = paths.get(known.api_version)
        if path is not None and sets.has(known.fields, path):
            made.sets[manager] = VersionedSet(_only(_REPLICAS), _VERSION, known.applied)
            _keep_time(parent, made, manager)
    return encode(made)


def to_parent(
    entries: Sequence[Any],
    scale_entries: Sequence[Any],
    paths: ReplicasPaths,
    api_version: str,
) -> list[Object]:
    """The object's managedFields after its scale was written.

    Args:
        entries: of the object, before.
        scale_entries: of the scale, after.
        paths: where replicas are.
        api_version: of the object in this request.
    """
    parent, scale = decode(entries, stored=True), decode(scale_entries)
    by_identity = {_identity(manager): manager for manager in scale.sets}
    made = Managed()
    for manager, known in parent.sets.items():
        if known.api_version not in paths:
            continue
        path = paths[known.api_version]
        kept = known
        if path is not None and sets.has(known.fields, path):
            same = by_identity.get(_identity(manager))
            if same is not None:
                del scale.sets[same]
            else:  # somebody else has set the replicas since
                kept = known._replace(fields=sets.difference(known.fields, _only(path)))
        if kept.fields:
            made.sets[manager] = kept
            _keep_time(parent, made, manager)
    _add_scale(parent, made, scale, paths.get(api_version), api_version)
    return encode(made)


def _identity(manager: Manager) -> tuple[str, str, str]:
    """Without the version: the scale's differs from the object's."""
    return manager.name, manager.operation, manager.subresource


def _add_scale(
    parent: Managed,
    made: Managed,
    scale: Managed,
    path: PathElements | None,
    api_version: str,
) -> None:
    if path is None:
        return
    for manager, known in scale.sets.items():
        if sets.has(known.fields, _REPLICAS):
            key = make_manager(*_identity(manager)[:2], api_version, manager.subresource)
            made.sets[key] = VersionedSet(_only(path), api_version, known.applied)
            _keep_time(parent, made, key)


def _keep_time(parent: Managed, made: Managed, manager: Manager) -> None:
    if manager in parent.times:
        made.times[manager] = parent.times[manager]
