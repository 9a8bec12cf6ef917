"""Conditions that the API server itself writes."""

from pykube_cp.machinery import clock
from pykube_cp.machinery.objects import Object


def update_pod(pod: Object, condition: Object) -> None:
    """Put a condition of a pod in its place; its time is that of the last change of its status."""
    # upstream: pkg/api/pod/util.go UpdatePodCondition
    conditions = pod.setdefault("status", {}).setdefault("conditions", [])
    made = {"lastProbeTime": None, **condition, "lastTransitionTime": clock.timestamp()}
    for position, old in enumerate(conditions):
        if old.get("type") != condition["type"]:
            continue
        if old.get("status") == condition["status"]:
            made["lastTransitionTime"] = old.get("lastTransitionTime")
        conditions[position] = made
        return
    conditions.append(made)


def update(conditions: list[Object], condition: Object) -> None:
    """The same for conditions of the common type."""
    # upstream: apimachinery pkg/api/meta/conditions.go SetStatusCondition
    made = {"lastTransitionTime": clock.timestamp(), **condition}
    for position, old in enumerate(conditions):
        if old.get("type") != condition["type"]:
            continue
        if old.get("status") == condition["status"]:
            made["lastTransitionTime"] = old.get("lastTransitionTime")
        conditions[position] = old | made
        return
    conditions.append(made)
