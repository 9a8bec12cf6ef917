"""Conditions of a namespace that is being emptied."""

# upstream: pkg/controller/namespace/deletion/status_condition_utils.go

from collections.abc import Mapping, Sequence

from pykube_cp.controllers.shared.conditions import find_condition, new_condition
from pykube_cp.machinery import clock
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

DISCOVERY_FAILURE = "NamespaceDeletionDiscoveryFailure"
PARSING_FAILURE = "NamespaceDeletionGroupVersionParsingFailure"
CONTENT_FAILURE = "NamespaceDeletionContentFailure"
CONTENT_REMAINING = "NamespaceContentRemaining"
FINALIZERS_REMAINING = "NamespaceFinalizersRemaining"

# Type -> reason and message while there is nothing to complain about, in the order they are listed.
_FINE = {
    DISCOVERY_FAILURE: ("ResourcesDiscovered", "All resources successfully discovered"),
    PARSING_FAILURE: ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    CONTENT_FAILURE: (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    CONTENT_REMAINING: ("ContentRemoved", "All content successfully removed"),
    FINALIZERS_REMAINING: (
        "ContentHasNoFinalizers",
        "All content-preserving finalizers finished",
    ),
}


def discovery_failed(message: str) -> Object:
    return new_condition(DISCOVERY_FAILURE, "True", "DiscoveryFailed", message)


def deletion_failed(failures: Sequence[BaseException]) -> Object:
    texts = ", ".join(sorted(map(str, failures)))
    message = f"Failed to delete all resource types, {len(failures)} remaining: {texts}"
    return new_condition(CONTENT_FAILURE, "True", "ContentDeletionFailed", message)


def content_remains(counts: Mapping[GVR, int]) -> Object:
    texts = sorted(
        f"{gvr.resource}.{gvr.group} has {count} resource instances"
        for gvr, count in counts.items()
    )
    message = f"Some resources are remaining: {', '.join(texts)}"
    return new_condition(CONTENT_REMAINING, "True", "SomeResourcesRemain", message)


def finalizers_remain(counts: Mapping[str, int]) -> Object:
    texts = sorted(f"{name} in {count} resource instances" for name, count in counts.items())
    message = f"Some content in the namespace has finalizers remaining: {', '.join(texts)}"
    return new_condition(FINALIZERS_REMAINING, "True", "SomeFinalizersRemain", message)


def update_conditions(status: Object, found: Sequence[Object]) -> bool:
    """Bring all five conditions of our own status up to date; True if any changed."""
    conditions: list[Object] = status.setdefault("conditions", [])
    changed = False
    for kind, (reason, message) in _FINE.items():
        wanted = find_condition(found, kind) or new_condition(kind, "False", reason, message)
        current = find_condition(conditions, kind)
        if current is None:
            conditions.append(wanted)
            changed = True
        elif any(current.get(key) != wanted.get(key) for key in ("status", "reason", "message")):
            if current.get("status") != wanted["status"]:
                current["lastTransitionTime"] = clock.timestamp()
            current.update({key: wanted.get(key) for key in ("status", "reason", "message")})
            changed = True
    return changed
