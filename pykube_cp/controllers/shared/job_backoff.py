"""How long a Job waits before it replaces a failed pod."""

# upstream: pkg/controller/job/backoff_utils.go

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.conditions import find_condition
from pykube_cp.controllers.shared.job_indexes import absolute_failure_count
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.containers import sidecar_names
from pykube_cp.machinery.objects import Object

POD_FAILURE_BACKOFF = 10.0
MAX_POD_FAILURE_BACKOFF = 600.0


class BackoffRecord(NamedTuple):
    """Failures of a Job's pods since the last success, and when the last one was."""

    failures: int = 0
    last_failure: float = 0.0

    def updated(self, succeeded: Sequence[Object], failed: Sequence[Object]) -> "BackoffRecord":
        """The record with pods that finished since."""
        failure_times = sorted(map(finished_time, failed))
        if not succeeded:
            if not failure_times:
                return self
            return BackoffRecord(self.failures + len(failure_times), failure_times[-1])
        last_success = max(map(finished_time, succeeded))
        later = [at for at in failure_times if at > last_success]
        return BackoffRecord(len(later), later[-1]) if later else BackoffRecord()

    def remaining(self) -> float:
        """Seconds until the next pod may be created."""
        return _remaining(self.failures, self.last_failure)


def remaining_for_index(replaced: Object | None) -> float:
    """Seconds until the pod of an index that failed may be replaced."""
    if replaced is None:
        return 0.0
    return _remaining(absolute_failure_count(replaced) + 1, finished_time(replaced))


def _remaining(failures: int, last_failure: float) -> float:
    if failures == 0:
        return 0.0
    # The exponent is bounded: 2 to the power of thousands is of no use.
    doubled: float = 2.0 ** min(failures - 1, 32)
    backoff = min(MAX_POD_FAILURE_BACKOFF, POD_FAILURE_BACKOFF * doubled)
    return max(0.0, last_failure + backoff - clock.now())


def finished_time(pod: Object) -> float:
    """When the pod finished, from what it says best: containers, readiness, deletion, creation."""
    found = _from_containers(pod)
    if found is None:
        found = _from_readiness(pod)
    if found is None:
        found = _from_deletion(pod)
    return pod_state.created(pod) if found is None else found


def _from_containers(pod: Object) -> float | None:
    """The latest end of containers and sidecars; None if one of them has not ended."""
    status = pod.get("status") or {}
    sidecars = sidecar_names(pod)
    regular = _latest(status.get("containerStatuses") or [], lambda _name: True)
    ends = _latest(status.get("initContainerStatuses") or [], sidecars.__contains__)
    if regular is None or ends is None:
        return None
    return max([*regular, *ends], default=None)


def _latest(statuses: Iterable[Object], counts: Callable[[str], bool]) -> list[float] | None:
    ends: list[float] = []
    for status in statuses:
        if not counts(status.get("name", "")):
            continue
        text = objects.nested(status, "state", "terminated", "finishedAt", default="")
        if not text:
            return None
        ends.append(clock.parse_time(text))
    return ends


def _from_readiness(pod: Object) -> float | None:
    condition = find_condition(objects.nested(pod, "status", "conditions", default=[]), "Ready")
    if condition is None or condition.get("status") != "False":
        return None
    return pod_state.parse_optional(condition.get("lastTransitionTime"))


def _from_deletion(pod: Object) -> float | None:
    meta = objects.metadata(pod)
    if not meta.get("deletionTimestamp"):
        return None
    grace: int = meta.get("deletionGracePeriodSeconds") or 0
    return clock.parse_time(meta["deletionTimestamp"]) - grace
