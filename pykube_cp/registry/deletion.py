"""What a delete does to an object: marks it, removes it, or both, one after the other."""
# upstream: apiserver pkg/registry/rest/delete.go BeforeDelete, generic/registry/store.go Store.Delete

from dataclasses import dataclass
from typing import Any

from pykube_cp.machinery import clock, errors, schema, structural
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Resource
from pykube_cp.registry.strategy import Deletion, Strategy

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
UNSUPPORTED = "Unsupported"
UNSAFE = "ignoreStoreReadErrorWithClusterBreakingPotential"
_POLICIES = ("Foreground", "Background", "Orphan")


@dataclass(frozen=True, slots=True)
class Steps:
    """What is to be done, in this order. Neither: the object waits already and nothing changes."""

    marks: bool = False
    removes: bool = False
    only_finalizers: bool = False
    """Whether it can go because the last of its finalizers are the garbage collector's, not needed."""


def begin(strategy: Strategy, obj: Object, wish: Deletion) -> Steps:
    """Change ``obj`` into what it is while it waits, and say what follows."""
    if strategy.begin_deletion(obj, wish):
        return Steps(marks=True)
    if strategy.holds_on(obj):
        return Steps()
    graceful, pending = _begin_gracefully(strategy, obj, wish)
    if pending:
        return Steps()
    had_finalizers = bool(obj["metadata"].get("finalizers"))
    settle_finalizers(strategy, obj, wish)
    waits = bool(obj["metadata"].get("finalizers"))
    if not graceful and waits:
        mark(obj)
        return Steps(marks=True)
    if graceful:
        waits = waits or bool(wish.grace_period_seconds)
    only_finalizers = had_finalizers and not (waits or graceful)
    return Steps(marks=graceful, removes=not waits, only_finalizers=only_finalizers)


def check_options(raw: Object) -> None:
    """422 for delete options that make no sense."""
    # upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidateDeleteOptions
    found, path = [], Path("propagationPolicy")
    policy, orphan = raw.get("propagationPolicy"), raw.get("orphanDependents")
    if policy is not None and orphan is not None:
        detail = "orphanDependents and deletionPropagation cannot be both set"
        found.append(FieldError.invalid(path, policy, detail))
    if policy is not None and policy not in _POLICIES:
        found.append(FieldError.not_supported(path, policy, [*_POLICIES, "nil"]))
    if set(raw.get("dryRun") or ()) - {"All"}:
        found.append(FieldError.not_supported(Path("dryRun"), raw["dryRun"], ["All"]))
    if raw.get(UNSAFE):
        found += [
            FieldError.invalid(Path(UNSAFE), True, f"cannot be set together with .{name}")
            for name in (
                "propagationPolicy",
                "orphanDependents",
                "gracePeriodSeconds",
                "preconditions",
            )
            if raw.get(name) is not None
        ]
    if found:
        raise invalid_options(found)


def invalid_options(found: list[FieldError]) -> errors.StatusError:
    return errors.invalid(("meta.k8s.io", "DeleteOptions"), "", found)


def check_preconditions(resource: Resource, obj: Object, wish: Deletion) -> None:
    """409 when the object is another, or at another version, than the client thinks."""
    meta, wanted = obj["metadata"], wish.options.get("preconditions") or {}
    for field, name, since in (
        ("uid", "UID", "deleted and then recreated"),
        ("resourceVersion", "ResourceVersion", "modified"),
    ):
        value, found = wanted.get(field), meta.get(field, "")
        if value is None or value == found:
            continue
        if start := resource.strategy.precondition_text:
            text = f"{start}: {name} in precondition: {value}, {name} in object meta: {found}"
            raise errors.conflict(resource.group_resource, meta["name"], text)
        text = f"the {name} in the precondition ({value}) does not match the {name} in record "
        text += f"({found}). The object might have been {since}"
        raise errors.conflict((resource.group, resource.kind), meta["name"], text)


def nothing_of(resource: Resource) -> Object:
    """An object of which nothing is known; a dry run of some deletions answers with it."""
    kind = schema.find(resource.gvk)
    empty: Object = {} if kind is None else structural.normalize({}, kind, strict=False)[0]
    head = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {}}
    return {**head, **{key: value for key, value in empty.items() if key not in head}}


def mark(obj: Object) -> None:
    """For objects that wait for finalizers: deleted as of now, without grace."""
    # upstream: apiserver pkg/registry/generic/registry/store.go markAsDeleting
    meta = obj["metadata"]
    if not meta.get("deletionTimestamp"):
        _bump_generation(meta)
        meta["deletionTimestamp"] = clock.timestamp()
    elif clock.parse_time(meta["deletionTimestamp"]) > clock.now():
        meta["deletionTimestamp"] = clock.timestamp()
    meta["deletionGracePeriodSeconds"] = 0


def settle_finalizers(strategy: Strategy, obj: Object, wish: Deletion) -> None:
    """Set the garbage collector's finalizers as the propagation policy asks."""
    # upstream: apiserver pkg/registry/generic/registry/store.go deletionFinalizersForGarbageCollection
    meta = obj["metadata"]
    before = list(meta.get("finalizers") or [])
    policy = _propagation(strategy, before, wish)
    kept = [finalizer for finalizer in before if finalizer not in {ORPHAN, FOREGROUND}]
    if policy == "Orphan":
        kept.append(ORPHAN)
    elif policy == "Foreground":
        kept.append(FOREGROUND)
    if set(kept) == set(before):
        return
    meta["finalizers"] = kept
    if not kept:
        del meta["finalizers"]


def _begin_gracefully(strategy: Strategy, obj: Object, wish: Deletion) -> tuple[bool, bool]:
    """Mark ``obj`` when the kind waits for a graceful end.

    Returns:
        (graceful, pending): whether it was marked now, whether it had been and nothing changes.
    """
    meta = obj["metadata"]
    if (wish.grace_period_seconds or 0) < 0:
        wish.grace_period_seconds = 1
    if meta.get("deletionTimestamp"):
        return _shorten(meta, wish)
    if not strategy.check_graceful_delete(obj, wish):
        return False, False
    period = wish.grace_period_seconds or 0
    meta["deletionTimestamp"] = clock.format_time(clock.now() + period)
    meta["deletionGracePeriodSeconds"] = period
    _bump_generation(meta)
    return True, False


def _shorten(meta: dict[str, Any], wish: Deletion) -> tuple[bool, bool]:
    """A second delete may only make the grace period shorter."""
    current = meta.get("deletionGracePeriodSeconds") or 0
    if not current:
        return False, False
    asked = wish.grace_period_seconds
    if asked is None or asked >= current:
        return False, True
    moved = clock.parse_time(meta["deletionTimestamp"]) - current + asked
    if moved < clock.now():
        # The whole period is over: whoever ends the object gracefully still has a moment.
        moved, asked = clock.now(), min(asked, 1)
    meta["deletionTimestamp"] = clock.format_time(moved)
    meta["deletionGracePeriodSeconds"] = asked
    return True, False


def _propagation(strategy: Strategy, finalizers: list[str], wish: Deletion) -> str:
    if strategy.garbage_collection_default == UNSUPPORTED:
        return "Background"
    orphan_dependents = wish.options.get("orphanDependents")
    if orphan_dependents is not None:
        return "Orphan" if orphan_dependents else "Background"
    if policy := wish.options.get("propagationPolicy"):
        return str(policy)
    for finalizer in finalizers:
        if finalizer == ORPHAN:
            return "Orphan"
        if finalizer == FOREGROUND:
            return "Foreground"
    return strategy.garbage_collection_default


def _bump_generation(meta: dict[str, Any]) -> None:
    if meta.get("generation", 0) > 0:
        meta["generation"] += 1
