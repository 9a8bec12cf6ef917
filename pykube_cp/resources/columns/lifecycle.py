"""Columns of lifecycle.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go printEviction

from pykube_cp.machinery import clock, go_text
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

_GROUP = "lifecycle.v1alpha1."
_REQUEST_SPEC, _REPORT = f"{_GROUP}EvictionRequestSpec.", f"{_GROUP}ResponderStatus."
_ENDED = frozenset({"Canceled", "Interrupted", "Completed"})


def _target(obj: Object) -> str:
    pod = nested(obj, "spec", "target", "pod")
    return cells.UNSET if pod is None else pod.get("name") or ""


def _target_type(obj: Object) -> str:
    return cells.UNSET if nested(obj, "spec", "target", "pod") is None else "Pod"


def _status(obj: Object) -> str:
    # upstream: resolveEvictionStatusConditions
    for kind in ("TargetEvicted", "Failed"):
        found = cells.condition(obj, kind)
        if found is not None and found.get("status") == "True":
            return f"{kind} ({found.get('reason') or ''})"
    observed = (obj.get("status") or {}).get("observedGeneration") or 0
    return "Progressing" if observed > 0 else "Pending"


def _target_of(kind: str) -> tuple[Column, ...]:
    target = f"{_GROUP}{kind}Spec.target"
    return (
        table.NAME,
        Column("Target", _target, described_by=target),
        Column("Target Type", _target_type, described_by=target),
        Column("Status", _status, described_by=f"{_GROUP}{kind}Status.conditions"),
    )


EVICTION_REQUEST = (
    *_target_of("EvictionRequest"),
    Column("Requester", cells.at("spec", "requester"), described_by=f"{_REQUEST_SPEC}requester"),
    Column("Intent", cells.at("spec", "intent"), described_by=f"{_REQUEST_SPEC}intent"),
    table.AGE,
)


# Evictions: who is at work, how far it is.


def _active(eviction: Object) -> Object | None:
    """The last responder at work, else the last that has ended."""
    responders = cells.items(eviction, "status", "targetResponders")
    active = [found for found in responders if found.get("state") == "Active"]
    ended = [found for found in responders if found.get("state") in _ENDED]
    return next(reversed(active or ended), None)


def _report(eviction: Object) -> tuple[str, Object | None]:
    """State of the responder that matters, and what it reports itself."""
    active = _active(eviction)
    if active is None:
        return "", None
    for found in cells.items(eviction, "status", "responders"):
        if found.get("name") == active.get("name"):
            return active.get("state") or "", found
    return "", None


def _active_responder(eviction: Object) -> str:
    responders = cells.items(eviction, "status", "targetResponders")
    met = sum(found.get("state") in _ENDED | {"Active"} for found in responders)
    active = _active(eviction)
    name = cells.UNSET if active is None else active.get("name") or ""
    return f"{name} ({met}/{len(responders)})"


def _responder_status(eviction: Object) -> str:
    state, report = _report(eviction)
    if report is None:
        return cells.UNSET
    if state == "Active" and report.get("startTime"):
        return f"Started ({table.age(report['startTime'])} ago)"
    if state == "Completed" and report.get("completionTime"):
        return f"{state} ({table.age(report['completionTime'])} ago)"
    return state


def _expected_finish(eviction: Object) -> str:
    state, report = _report(eviction)
    if report is None:
        return table.UNKNOWN
    if state in _ENDED:
        return "-"
    expected = report.get("expectedCompletionTime")
    if not report.get("startTime") or not expected:
        return table.UNKNOWN
    left = clock.parse_time(expected) - clock.now()
    if left > 0:
        return f"in {table.human_duration(left)}"
    return f"{table.human_duration(-left)} ago"


def _heartbeat(eviction: Object) -> str:
    _, report = _report(eviction)
    if report is None or not report.get("heartbeatTime"):
        return cells.UNSET
    return f"{table.age(report['heartbeatTime'])} ago"


def _message(eviction: Object) -> str:
    _, report = _report(eviction)
    return go_text.trim_space((report or {}).get("message") or "") or cells.UNSET


def _requesters(eviction: Object) -> str:
    found = cells.items(eviction, "status", "requesters")
    if not found:
        return cells.NONE
    names = sorted(item.get("name") or "" for item in found if item.get("intent") != "Withdrawn")
    return cells.some(names, 1) if names else "<withdrawn>"


EVICTION = (
    *_target_of("Eviction"),
    Column("Active Responder", _active_responder, described_by=f"{_GROUP}TargetResponder.state"),
    Column("Responder Status", _responder_status, described_by=_REPORT),
    Column(
        "Responder Expected Finish",
        _expected_finish,
        described_by=f"{_REPORT}expectedCompletionTime",
    ),
    Column("Requesters", _requesters, described_by=f"{_GROUP}EvictionStatus.requesters"),
    table.AGE,
    Column("Responder Heartbeat", _heartbeat, priority=1, described_by=f"{_REPORT}heartbeatTime"),
    Column("Responder Status Message", _message, priority=1, described_by=f"{_REPORT}message"),
)
