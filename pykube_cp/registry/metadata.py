"""Metadata that the system owns: set on create, kept on update, marked on delete."""

import uuid
from typing import Any

from pykube_cp.machinery import clock, errors, names
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import Deletion, Strategy

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
UNSUPPORTED = "Unsupported"


def begin_create(obj: Object, namespace: str) -> None:
    """Fill in what a new object gets; whatever the client said of it is dropped."""
    # upstream: apiserver pkg/registry/rest/create.go BeforeCreate, meta.go FillObjectMetaSystemFields
    meta: dict[str, Any] = obj.setdefault("metadata", {})
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"):
        meta.pop(field, None)
    if namespace:
        meta["namespace"] = namespace
    else:
        meta.pop("namespace", None)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = names.generate_name(meta["generateName"])
    meta["uid"] = str(uuid.uuid4())
    meta["creationTimestamp"] = clock.timestamp()
    deduplicate_owners(meta)


def begin_update(obj: Object, old: Object) -> None:
    """Carry over what no update may change; ``uid`` and the like are inherited when left out."""
    # upstream: apiserver pkg/registry/rest/update.go BeforeUpdate
    meta, before = obj["metadata"], old["metadata"]
    for field in (
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "creationTimestamp",
        "generation",
    ):
        _carry(meta, before, field)
    if not meta.get("uid"):
        _carry(meta, before, "uid")
    meta.pop("selfLink", None)
    if not meta.get("namespace"):
        _carry(meta, before, "namespace")
    deduplicate_owners(meta)


def check_preconditions(
    obj: Object, uid: str, resource_version: str, group_resource: tuple[str, str]
) -> None:
    """409 when the object is another, or at another version, than the client thinks."""
    # upstream: apiserver pkg/storage/interfaces.go Preconditions.Check
    meta = obj["metadata"]
    if uid and uid != meta.get("uid"):
        raise _precondition(group_resource, meta, "UID", uid, meta.get("uid", ""))
    if resource_version and resource_version != meta.get("resourceVersion"):
        found = meta.get("resourceVersion", "")
        raise _precondition(group_resource, meta, "ResourceVersion", resource_version, found)


def begin_delete(strategy: Strategy, obj: Object, deletion: Deletion) -> tuple[bool, bool]:
    """Mark ``obj`` when the kind waits for a graceful end.

    Returns:
        (graceful, pending): whether it was marked now, whether it had been and nothing changes.
    """
    # upstream: apiserver pkg/registry/rest/delete.go BeforeDelete
    meta = obj["metadata"]
    if meta.get("deletionTimestamp"):
        return _shorten(meta, deletion)
    if not strategy.check_graceful_delete(obj, deletion):
        return False, False
    period = deletion.grace_period_seconds or 0
    meta["deletionTimestamp"] = clock.format_time(clock.now() + period)
    meta["deletionGracePeriodSeconds"] = period
    _bump_generation(meta)
    strategy.after_graceful_delete_started(obj)
    return True, False


def mark_deleting(obj: Object) -> None:
    """For objects that wait for finalizers: deleted as of now, without grace."""
    # upstream: apiserver pkg/registry/generic/registry/store.go markAsDeleting
    meta = obj["metadata"]
    if not meta.get("deletionTimestamp"):
        _bump_generation(meta)
        meta["deletionTimestamp"] = clock.timestamp()
    elif clock.parse_time(meta["deletionTimestamp"]) > clock.now():
        meta["deletionTimestamp"] = clock.timestamp()
    meta["deletionGracePeriodSeconds"] = 0


def settle_finalizers(strategy: Strategy, obj: Object, deletion: Deletion) -> bool:
    """Set the garbage collector's finalizers as the propagation policy asks; whether that changed any."""
    # upstream: apiserver pkg/registry/generic/registry/store.go deletionFinalizersForGarbageCollection
    if strategy.garbage_collection_default == UNSUPPORTED:
        return False
    meta = obj["metadata"]
    before = list(meta.get("finalizers") or [])
    policy = _propagation(strategy, before, deletion)
    kept = [finalizer for finalizer in before if finalizer not in {ORPHAN, FOREGROUND}]
    if policy == "Orphan":
        kept.append(ORPHAN)
    elif policy == "Foreground":
        kept.append(FOREGROUND)
    if sorted(kept) == sorted(before):
        return False
    meta["finalizers"] = kept
    if not kept:
        del meta["finalizers"]
    return True


def deduplicate_owners(meta: dict[str, Any]) -> bool:
    """Drop owner references that are there twice; whether any was."""
    owners = meta.get("ownerReferences")
    if not owners or len(owners) < 2:
        return False
    unique = [owner for index, owner in enumerate(owners) if owner not in owners[:index]]
    changed = len(unique) < len(owners)
    meta["ownerReferences"] = unique
    return changed


def _propagation(strategy: Strategy, finalizers: list[str], deletion: Deletion) -> str:
    orphan_dependents = deletion.options.get("orphanDependents")
    if orphan_dependents is not None:
        return "Orphan" if orphan_dependents else "Background"
    if policy := deletion.options.get("propagationPolicy"):
        return str(policy)
    for finalizer in finalizers:
        if finalizer == ORPHAN:
            return "Orphan"
        if finalizer == FOREGROUND:
            return "Foreground"
    return strategy.garbage_collection_default


def _shorten(meta: dict[str, Any], deletion: Deletion) -> tuple[bool, bool]:
    """A second delete may only make the grace period shorter."""
    current = meta.get("deletionGracePeriodSeconds")
    if current is None:
        return False, False
    asked = deletion.grace_period_seconds
    if asked is None or asked >= current:
        deletion.grace_period_seconds = current if asked is None else asked
        return False, True
    moved = clock.parse_time(meta["deletionTimestamp"]) - current + asked
    meta["deletionTimestamp"] = clock.format_time(moved)
    meta["deletionGracePeriodSeconds"] = asked
    return True, False


def _bump_generation(meta: dict[str, Any]) -> None:
    if meta.get("generation", 0) > 0:
        meta["generation"] += 1


def _carry(meta: dict[str, Any], before: dict[str, Any], field: str) -> None:
    if field in before:
        meta[field] = before[field]
    else:
        meta.pop(field, None)


def _precondition(
    group_resource: tuple[str, str], meta: dict[str, Any], what: str, wanted: str, found: str
) -> errors.StatusError:
    text = f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
    return errors.conflict(group_resource, meta.get("name", ""), text)
