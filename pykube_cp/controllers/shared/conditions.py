"""Finding, setting and removing conditions in the list of a status."""

from collections.abc import Iterable

from pykube_cp.machinery import clock
from pykube_cp.machinery.objects import Object


def find_condition(conditions: Iterable[Object], kind: str) -> Object | None:
    return next((found for found in conditions if found.get("type") == kind), None)


def is_true(conditions: Iterable[Object], kind: str) -> bool:
    found = find_condition(conditions, kind)
    return found is not None and found.get("status") == "True"


def without_condition(conditions: Iterable[Object], kind: str) -> list[Object]:
    return [found for found in conditions if found.get("type") != kind]


def new_condition(kind: str, status: str, reason: str, message: str) -> Object:
    """A condition that changes now; empty reason and message are left out."""
    condition: Object = {"type": kind, "status": status, "lastTransitionTime": clock.timestamp()}
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def set_status_condition(conditions: list[Object], condition: Object) -> bool:
    """Set a ``metav1.Condition`` in place; it keeps its transition time while its status does."""
    # upstream: apimachinery pkg/api/meta/conditions.go SetStatusCondition
    existing = find_condition(conditions, condition["type"])
    if existing is None:
        conditions.append(condition)
        return True
    if existing.get("status") == condition.get("status"):
        condition["lastTransitionTime"] = existing.get("lastTransitionTime")
    changed = existing != condition
    existing.clear()
    existing.update(condition)
    return changed


def update_pod_condition(status: Object, condition: Object) -> bool:
    """Set a condition of a pod's status in place; True if anything about it changed."""
    # upstream: pkg/api/v1/pod/util.go UpdatePodCondition
    return set_status_condition(status.setdefault("conditions", []), condition)
