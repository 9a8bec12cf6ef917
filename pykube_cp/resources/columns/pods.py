"""Columns of pods and pod templates."""
# upstream: pkg/printers/internalversion/printers.go printPod

from collections.abc import Iterable, Sequence

from pykube_cp.machinery import clock
from pykube_cp.machinery.containers import is_sidecar
from pykube_cp.machinery.objects import Object, is_deleting
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

_NODE_LOST = "NodeLost"
_GATED = "SchedulingGated"
_TERMINAL = frozenset({"Succeeded", "Failed"})


def _completed(phase: str, message: str) -> tuple[Object, ...]:
    return ({"type": "Completed", "status": "True", "reason": phase, "message": message},)


_ENDED = {
    "Succeeded": _completed("Succeeded", "The pod has completed successfully."),
    "Failed": _completed("Failed", "The pod failed."),
}


def row_conditions(pod: Object) -> Sequence[Object]:
    """Pods that have ended are marked, so that clients may hide them."""
    return _ENDED.get(_phase(pod), ())


def _phase(pod: Object) -> str:
    found: str = (pod.get("status") or {}).get("phase") or ""
    return found


# Init containers: what is over, what is going on, what comes next.


def _sidecars(pod: Object) -> list[str]:
    """Names of the init containers that keep running."""
    return [
        container.get("name", "")
        for container in cells.items(pod, "spec", "initContainers")
        if is_sidecar(container)
    ]


def _exit_code(status: Object) -> int | None:
    terminated = _state(status, "terminated")
    return None if terminated is None else terminated.get("exitCode", 0)


def _state(status: Object, name: str) -> Object | None:
    found: Object | None = (status.get("state") or {}).get(name)
    return found


def _is_past(status: Object, sidecars: list[str]) -> bool:
    """Whether the init container no longer holds up the next."""
    return _exit_code(status) == 0 or _is_running_sidecar(status, sidecars)


def _is_running_sidecar(status: Object, sidecars: list[str]) -> bool:
    return status.get("name") in sidecars and bool(status.get("started"))


def _init_progress(pod: Object, sidecars: list[str]) -> tuple[Sequence[Object], int | None]:
    """Statuses of init containers up to the one that holds up the pod, and which that is."""
    statuses = cells.items(pod, "status", "initContainerStatuses")
    for index, status in enumerate(statuses):
        if not _is_past(status, sidecars):
            return statuses[: index + 1], index
    return statuses, None


def _is_initialized(pod: Object, blocker: int | None) -> bool:
    return blocker is None or cells.has_condition(pod, "Initialized")


# Ready.


def _ready(pod: Object) -> str:
    sidecars = _sidecars(pod)
    visited, blocker = _init_progress(pod, sidecars)
    ready = sum(
        _exit_code(status) != 0
        and _is_running_sidecar(status, sidecars)
        and bool(status.get("ready"))
        for status in visited
    )
    if _is_initialized(pod, blocker):
        ready += sum(map(_is_ready, cells.items(pod, "status", "containerStatuses")))
    return f"{ready}/{len(cells.items(pod, 'spec', 'containers')) + len(sidecars)}"


def _is_ready(status: Object) -> bool:
    if (_state(status, "waiting") or {}).get("reason"):
        return False
    if _state(status, "terminated") is not None:
        return False
    return bool(status.get("ready")) and _state(status, "running") is not None


# Status.


def _status(pod: Object) -> str:
    reported = (pod.get("status") or {}).get("reason")
    if is_deleting(pod) and reported == _NODE_LOST:
        return "Unknown"
    if is_deleting(pod) and _phase(pod) not in _TERMINAL:
        return "Terminating"
    reason: str = reported or _phase(pod)
    if _is_gated(pod):
        reason = _GATED
    _, blocker = _init_progress(pod, _sidecars(pod))
    if blocker is not None:
        reason = _init_reason(pod, blocker)
    if _is_initialized(pod, blocker):
        reason = _containers_reason(pod, reason)
    return reason


def _is_gated(pod: Object) -> bool:
    return any(
        found.get("type") == "PodScheduled" and found.get("reason") == _GATED
        for found in cells.conditions(pod)
    )


def _init_reason(pod: Object, index: int) -> str:
    status = cells.items(pod, "status", "initContainerStatuses")[index]
    terminated, waiting = _state(status, "terminated"), _state(status, "waiting") or {}
    if terminated is not None:
        return f"Init:{_end(terminated)}"
    if waiting.get("reason") and waiting["reason"] != "PodInitializing":
        return f"Init:{waiting['reason']}"
    return f"Init:{index}/{len(cells.items(pod, 'spec', 'initContainers'))}"


def _end(terminated: Object) -> str:
    """Why a container ended, in a word."""
    if terminated.get("reason"):
        return str(terminated["reason"])
    if terminated.get("signal"):
        return f"Signal:{terminated['signal']}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _containers_reason(pod: Object, reason: str) -> str:
    """The reason of the first container that has one, unless others tell more."""
    is_running, failure = False, ""
    for status in reversed(cells.items(pod, "status", "containerStatuses")):
        waiting, terminated = _state(status, "waiting") or {}, _state(status, "terminated")
        if waiting.get("reason"):
            reason = waiting["reason"]
        elif terminated is not None:
            reason = _end(terminated)
            failure = reason if terminated.get("exitCode") else failure
        elif _is_ready(status):
            is_running = True
    if reason != "Completed":
        return reason
    return _partly_completed(pod, failure, is_running=is_running)


def _partly_completed(pod: Object, failure: str, *, is_running: bool) -> str:
    if is_running and _is_called_ready(pod):
        return "Running"
    return failure or ("NotReady" if is_running else "Completed")


def _is_called_ready(pod: Object) -> bool:
    # upstream: hasPodReadyCondition, which is content with any of several
    found = cells.conditions(pod)
    return any(one.get("type") == "Ready" and cells.is_true(one) for one in found)


# Restarts.


def _restarts(pod: Object) -> str:
    counted = _counted(pod)
    restarts = sum(status.get("restartCount", 0) for status in counted)
    last = max(_restart_times(counted), default=None)
    if not restarts or last is None:
        return str(restarts)
    return f"{restarts} ({table.human_duration(clock.now() - last)} ago)"


def _counted(pod: Object) -> list[Object]:
    """Statuses of the containers whose restarts matter in the pod's stage."""
    sidecars = _sidecars(pod)
    visited, blocker = _init_progress(pod, sidecars)
    if not _is_initialized(pod, blocker):
        return list(visited)
    kept = [status for status in visited if status.get("name") in sidecars]
    return [*kept, *cells.items(pod, "status", "containerStatuses")]


def _restart_times(statuses: Iterable[Object]) -> Iterable[float]:
    for status in statuses:
        terminated = (status.get("lastState") or {}).get("terminated") or {}
        if terminated.get("finishedAt"):
            yield clock.parse_time(terminated["finishedAt"])


# The rest.


def _ip(pod: Object) -> str:
    found = cells.items(pod, "status", "podIPs")
    return (found[0].get("ip") if found else "") or cells.NONE


def _gates(pod: Object) -> str:
    gates = cells.items(pod, "spec", "readinessGates")
    if not gates:
        return cells.NONE
    passed = sum(cells.has_condition(pod, gate.get("conditionType", "")) for gate in gates)
    return f"{passed}/{len(gates)}"


POD = (
    table.NAME,
    Column(
        "Ready",
        _ready,
        description="The aggregate readiness state of this pod for accepting traffic.",
    ),
    Column("Status", _status, description="The aggregate status of the containers in this pod."),
    Column(
        "Restarts",
        _restarts,
        description="The number of times the containers in this pod have been restarted and when "
        "the last container in this pod has restarted.",
    ),
    table.AGE,
    Column("IP", _ip, priority=1, described_by="core.v1.PodStatus.podIP"),
    Column(
        "Node",
        cells.filled("spec", "nodeName"),
        priority=1,
        described_by="core.v1.PodSpec.nodeName",
    ),
    Column(
        "Nominated Node",
        cells.filled("status", "nominatedNodeName"),
        priority=1,
        described_by="core.v1.PodStatus.nominatedNodeName",
    ),
    Column("Readiness Gates", _gates, priority=1, described_by="core.v1.PodSpec.readinessGates"),
)

POD_TEMPLATE = (
    table.NAME,
    *cells.container_columns("template", "spec", priority=0),
    Column(
        "Pod Labels",
        cells.labels_at("template", "metadata", "labels"),
        description="The labels for the pod template.",
    ),
)
