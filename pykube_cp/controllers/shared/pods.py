"""What state a pod is in, and which pods to delete first."""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cmp_to_key

from pykube_cp.controllers.shared.conditions import find_condition
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.containers import sidecar_names
from pykube_cp.machinery.objects import Object

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASE_ORDINAL = {"Pending": 0, "Unknown": 1, "Running": 2}
_MAX_INT32 = 2**31 - 1


def phase(pod: Object) -> str:
    found: str = objects.nested(pod, "status", "phase", default="")
    return found


def node_name(pod: Object) -> str:
    found: str = objects.nested(pod, "spec", "nodeName", default="")
    return found


def condition(pod: Object, kind: str) -> Object | None:
    return find_condition(objects.nested(pod, "status", "conditions", default=[]), kind)


def is_ready(pod: Object) -> bool:
    found = condition(pod, "Ready")
    return found is not None and found.get("status") == "True"


def is_available(pod: Object, min_ready_seconds: int, now: float) -> bool:
    """Ready for at least ``min_ready_seconds``."""
    # upstream: pkg/api/v1/pod/util.go IsPodAvailable
    if not is_ready(pod):
        return False
    if min_ready_seconds == 0:
        return True
    since = ready_time(pod)
    return since is not None and since + min_ready_seconds <= now


def ready_time(pod: Object) -> float | None:
    """When the pod became ready; None for one that is not, or does not say."""
    found = condition(pod, "Ready")
    if found is None or found.get("status") != "True":
        return None
    return parse_optional(found.get("lastTransitionTime"))


def is_terminal(pod: Object) -> bool:
    return phase(pod) in {"Succeeded", "Failed"}


def is_active(pod: Object) -> bool:
    return not is_terminal(pod) and not objects.is_deleting(pod)


def is_terminating(pod: Object) -> bool:
    return not is_terminal(pod) and objects.is_deleting(pod)


def parse_optional(text: str | None) -> float | None:
    return clock.parse_time(text) if text else None


def created(obj: Object) -> float:
    """Creation time in seconds, 0 when the object has none."""
    return parse_optional(objects.metadata(obj).get("creationTimestamp")) or 0.0


def by_age(obj: Object) -> tuple[float, str]:
    """Sort key: oldest first, then by name."""
    return created(obj), objects.name(obj)


def next_availability_check(
    pods: Iterable[Object], min_ready_seconds: int, evaluated: float
) -> float | None:
    """Seconds until the next of ``pods`` that was not available at ``evaluated`` becomes so."""
    # upstream: pkg/controller/controller_utils.go FindMinNextPodAvailabilityCheck
    if min_ready_seconds <= 0:
        return None
    due = [since + min_ready_seconds for pod in pods if (since := ready_time(pod)) is not None]
    pending = [at for at in due if at > evaluated]
    return max(0.0, min(pending) - clock.now()) if pending else None


def requeue_for_availability(
    pods: Iterable[Object], min_ready_seconds: int, status: Object, evaluated: float
) -> float | None:
    """When to look again at an owner whose ready pods are not all available yet."""
    if min_ready_seconds <= 0:
        return None
    if status.get("readyReplicas", 0) == status.get("availableReplicas", 0):
        return None
    after = next_availability_check(pods, min_ready_seconds, evaluated)
    return float(min_ready_seconds) if after is None else after


def deletion_cost(pod: Object) -> int:
    # upstream: pkg/apis/core/v1/helper/helpers.go GetDeletionCostFromPodAnnotations
    text = objects.annotations(pod).get(DELETION_COST, "")
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or (digits[0] == "0" and text != "0"):
        return 0
    cost = int(text)
    return cost if -_MAX_INT32 - 1 <= cost <= _MAX_INT32 else 0


def restarts(pod: Object) -> tuple[int, int]:
    """The highest restart count among containers, and among sidecars."""
    status = pod.get("status") or {}
    sidecars = sidecar_names(pod)
    regular = [c.get("restartCount", 0) for c in status.get("containerStatuses") or []]
    sidecar = [
        c.get("restartCount", 0)
        for c in status.get("initContainerStatuses") or []
        if c.get("name") in sidecars
    ]
    return max(regular, default=0), max(sidecar, default=0)


def deletion_order(pods: Sequence[Object]) -> list[Object]:
    """Pods in the order in which they may go, without regard to where they run."""
    # upstream: pkg/controller/controller_utils.go ActivePods.Less
    return sorted(pods, key=cmp_to_key(_comparator(None, None)))


def ranked_deletion_order(pods: Sequence[Object], related: Iterable[Object]) -> list[Object]:
    """Pods in the order in which they may go, first from nodes with many ``related`` pods."""
    # upstream: pkg/controller/controller_utils.go ActivePodsWithRanks.Less
    on_node: dict[str, int] = {}
    for pod in related:
        if is_active(pod):
            on_node[node_name(pod)] = on_node.get(node_name(pod), 0) + 1
    ranks = {objects.uid(pod): on_node.get(node_name(pod), 0) for pod in pods}
    return sorted(pods, key=cmp_to_key(_comparator(ranks, clock.now())))


def _comparator(ranks: dict[str, int] | None, now: float | None) -> Callable[[Object, Object], int]:
    def compare(one: Object, other: Object) -> int:
        for step in (_by_assignment, _by_phase, _by_readiness):
            if order := step(one, other):
                return order
        if ranks is not None:
            order = _sign(deletion_cost(one) - deletion_cost(other)) or _sign(
                ranks[objects.uid(other)] - ranks[objects.uid(one)]
            )
            if order:
                return order
        return (
            _by_time(ready_time(one), ready_time(other), one, other, now)
            or _by_restarts(one, other)
            or _by_time(created(one) or None, created(other) or None, one, other, now)
        )

    return compare


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)


def _by_assignment(one: Object, other: Object) -> int:
    return _sign(bool(node_name(one)) - bool(node_name(other)))


def _by_phase(one: Object, other: Object) -> int:
    return _sign(_PHASE_ORDINAL.get(phase(one), 0) - _PHASE_ORDINAL.get(phase(other), 0))


def _by_readiness(one: Object, other: Object) -> int:
    return _sign(is_ready(one) - is_ready(other))


def _by_restarts(one: Object, other: Object) -> int:
    mine, theirs = restarts(one), restarts(other)
    return _sign(theirs[0] - mine[0]) or _sign(theirs[1] - mine[1])


def _by_time(
    mine: float | None, theirs: float | None, one: Object, other: Object, now: float | None
) -> int:
    """The younger first; with ``now``, ages count only by their order of magnitude."""
    if mine == theirs:
        return 0
    if mine is None or theirs is None:
        return -1 if mine is None else 1
    if now is None:
        return _sign(theirs - mine)
    order = _sign(_magnitude(now - mine) - _magnitude(now - theirs))
    if order:
        return order
    return -1 if objects.uid(one) < objects.uid(other) else 1


def _magnitude(age: float) -> int:
    """The binary order of magnitude of an age in nanoseconds."""
    return int(math.log2(age * 1e9)) if age > 0 else -1
