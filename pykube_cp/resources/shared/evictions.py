"""How far an eviction is: who responds to it, in which order, and what each of them reports.

Several clients write that status. What one of them may not do to the others is refused here: those
who respond become active one after the other, in the order of their priority, and end for good.
"""
# upstream: pkg/apis/lifecycle/validation/validation.go

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pykube_cp.machinery import clock
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.validation import IMMUTABLE
from pykube_cp.resources.shared import checks, conditions
from pykube_cp.resources.shared.go_names import internal

_STATUS = Path("status")
_TARGETS, _RESPONDERS = _STATUS.child("targetResponders"), _STATUS.child("responders")
_TARGET_TYPE = "io.k8s.api.lifecycle.v1alpha1.TargetResponder"
_RESPONDER_TYPE = "io.k8s.api.lifecycle.v1alpha1.ResponderStatus"
_MAX_RESPONDERS = 11
_HEARTBEAT, _SKEW, _LONGEST = 20 * 60, 30, 10 * 365 * 24 * 3600
_ENDED = ("Canceled", "Completed", "Interrupted")
_CORE = {"imperative-eviction.k8s.io/evictor": 100}
_FIRST_FREE_PRIORITY = 1000
_OVER = "the eviction request has finished processing"


def check(status: Object, old: Object) -> checks.Errors:
    # upstream: ValidateEvictionStatus
    listed = status.get("conditions") or []
    path = _STATUS.child("conditions")
    found = conditions.check(listed, path)
    over = any(conditions.is_true(status, kind) for kind in ("TargetEvicted", "Failed"))
    for before in old.get("conditions") or ():
        kind = before.get("type")
        if kind in {"TargetEvicted", "Failed"} and _reverted(before, listed):
            text = f"{kind} condition status cannot be reverted"
            found.append(FieldError.invalid(path, conditions.shown(listed), text))
            over = True
    targets, reports = status.get("targetResponders") or [], status.get("responders") or []
    found += _targets(targets, old.get("targetResponders") or [], reports, over=over)
    return found + _reports(reports, old.get("responders") or [], targets)


def _reverted(before: Object, listed: Sequence[Object]) -> bool:
    if before.get("status") != "True":
        return False
    now = next((each for each in listed if each.get("type") == before.get("type")), None)
    return now is None or now.get("status") == "False" or now.get("reason") != before.get("reason")


def _names(named: Iterable[Object]) -> list[str]:
    return [each.get("name") or "" for each in named]


def _by_name(named: Iterable[Object]) -> dict[str, Object]:
    return {each.get("name") or "": each for each in named}


def _is_twice(named: Sequence[Object]) -> bool:
    return len(_by_name(named)) < len(named)


# Who responds.


def _targets(
    targets: Sequence[Object], old: Sequence[Object], reports: Sequence[Object], *, over: bool
) -> checks.Errors:
    # upstream: ValidateEvictionTargetResponders
    names = _names(targets)
    if old and len(targets) != len(old):
        text = "must preserve the same length and the same keys"
    elif not set(_names(old)) <= set(names):
        text = "must preserve the same keys"
    elif len(targets) > _MAX_RESPONDERS or _is_twice(targets):
        return []
    else:
        reported = _by_name(reports)
        return [
            error
            for target, states, why in _expected(targets, old, over=over)
            for error in _Target(
                target,
                reported.get(target.get("name") or ""),
                _TARGETS.index(names.index(target.get("name") or "")),
            ).check(states, why, over=over)
        ]
    shown = [internal(target, _TARGET_TYPE) for target in targets] or None
    return [FieldError.invalid(_TARGETS, shown, text)]


def order(target: Object) -> tuple[bool, int, list[str], str]:
    """Higher priorities come first, then names by domain from its end."""
    # upstream: SortTargetResponders
    priority = target.get("priority")
    domain, _, key = (target.get("name") or "").partition("/")
    return priority is None, -(priority or 0), domain.split(".")[::-1], key


def _expected(
    targets: Sequence[Object], old: Sequence[Object], *, over: bool
) -> Iterable[tuple[Object, Sequence[str], str]]:
    """Each target in its order, the states it may be in, and why only those."""
    now, before = sorted(targets, key=order), sorted(old, key=order)
    states = [target.get("state") or "" for target in before]
    active = states.index("Active") if "Active" in states else -1
    changed = active >= 0 and now[active].get("state") != "Active"
    settled = over or (bool(states) and states[-1] in _ENDED)
    for place, target in enumerate(now):
        is_next = (place == 0 and not before) or (changed and place == active + 1)
        if place < active or (before and active < 0 and settled):
            yield target, states[place : place + 1], "final state is immutable"
        elif place == active and changed:
            yield target, _ENDED, "this responder must reach a final state"
        elif place == active and over:
            yield target, _ENDED, _OVER
        elif place == active:
            yield target, ("Active",), "the eviction request stays active"
        elif is_next and over:
            yield target, ("Inactive",), _OVER
        elif is_next:
            yield target, ("Active",), "this responder is next in line"
        else:
            why = "the previously active has not finished processing"
            yield target, ("Inactive",), why


@dataclass(frozen=True, slots=True)
class _Target:
    """One who responds, and what it reports."""

    target: Object
    report: Object | None
    path: Path

    def check(self, states: Sequence[str], why: str, *, over: bool) -> checks.Errors:
        # upstream: ValidateTargetResponder
        target, name = self.target, self.target.get("name") or ""
        if self.report is None:
            text = f"{quote(name)} has to be tracked in {_RESPONDERS} first"
            return [FieldError.invalid(self.path, internal(target, _TARGET_TYPE), text)]
        found = _priority(name, target.get("priority"), self.path.child("priority"))
        state = target.get("state") or ""
        if state not in states:
            text = f"must be one of: {', '.join(states)}, because {why}"
            return [*found, FieldError.invalid(self.path.child("state"), state, text)]
        return found + self._progress(self.report, state, over=over)

    def _progress(self, report: Object, state: str, *, over: bool) -> checks.Errors:
        found: checks.Errors = []
        started, completed = report.get("startTime"), report.get("completionTime")
        where = self.path.child("state")
        if state != "Active" and started and not completed and not over:
            heard = clock.parse_time(report.get("heartbeatTime") or started)
            if clock.now() < heard + _HEARTBEAT - _SKEW:
                text = (
                    "must stay Active because the responder is in progress and it should report "
                    f"{_RESPONDERS.child('heartbeatTime')} or {_RESPONDERS.child('completionTime')}"
                )
                found.append(FieldError.forbidden(where, text))
        if state == "Completed" and not completed:
            text = (
                "cannot become Completed because the responder didn't report "
                f"{_RESPONDERS.child('completionTime')}"
            )
            found.append(FieldError.invalid(where, state, text))
        return found


def _priority(name: str, priority: int | None, path: Path) -> checks.Errors:
    if priority is None or priority < 0:
        return []
    if name in _CORE:
        if priority == _CORE[name]:
            return []
        text = f"core k8s responder is expected to have priority: {_CORE[name]}"
    elif priority >= _FIRST_FREE_PRIORITY:
        return []
    else:
        text = "priorities 0-999 are reserved for responders with *.k8s.io suffix"
    return [FieldError.invalid(path, priority, text)]


# What they report.


def _reports(
    reports: Sequence[Object], old: Sequence[Object], targets: Sequence[Object]
) -> checks.Errors:
    # upstream: ValidateEvictionStatusResponders
    states = {name: target.get("state") for name, target in _by_name(targets).items()}
    if len(targets) != len(reports):
        text = "must be the same length as status.targetResponders and contain the same keys"
    elif not states.keys() <= set(_names(reports)):
        text = "must contain the same keys as status.targetResponders"
    elif len(reports) > _MAX_RESPONDERS or _is_twice(reports):
        return []
    else:
        before = _by_name(old)
        return [
            error
            for position, (name, report) in enumerate(_by_name(reports).items())
            for error in _report(
                report,
                before.get(name),
                _RESPONDERS.index(position),
                is_active=states.get(name) == "Active",
            )
        ]
    shown = [internal(report, _RESPONDER_TYPE) for report in reports] or None
    return [FieldError.invalid(_RESPONDERS, shown, text)]


def _report(report: Object, old: Object | None, path: Path, *, is_active: bool) -> checks.Errors:
    # upstream: ValidateEvictionStatusResponder
    if old is not None and report != old and not is_active:
        error = FieldError.invalid(path, internal(report, _RESPONDER_TYPE), IMMUTABLE)
        return [error.with_origin("immutable")]
    times = _Times(report, old or {}, path)
    return [
        *times.start(is_active=is_active),
        *times.heartbeat(),
        *times.expected(),
        *times.completion(),
    ]


class _Times:
    """When one who responds began, was heard of, and ends."""

    def __init__(self, report: Object, old: Object, path: Path) -> None:
        self._report, self._old, self._path = report, old, path
        self._start: str | None = report.get("startTime")

    def start(self, *, is_active: bool) -> checks.Errors:
        before, field = self._old.get("startTime"), "startTime"
        if before is not None and before != self._start:
            return []
        if self._start is None:
            text = "is required for an active responder"
            return [FieldError.required(self._path.child(field), text)] if is_active else []
        if before == self._start or _is_now(self._start):
            return []
        return self._invalid(field, "must be set to the present time")

    def heartbeat(self) -> checks.Errors:
        field = "heartbeatTime"
        before, now = self._old.get(field), self._report.get(field)
        if now is None:
            path = self._path.child(field)
            return [FieldError.required(path, "is required once set")] if before else []
        if now == before:
            return []
        if self._start is not None and before is not None and _is_before(now, before):
            return self._invalid(field, "cannot be decreased")
        found = self._after_start(field)
        return found or self._invalid(field, "must be set to the present time", fits=_is_now(now))

    def expected(self) -> checks.Errors:
        field = "expectedCompletionTime"
        now = self._report.get(field)
        if now is None or now == self._old.get(field):
            return []
        moment = clock.parse_time(now)
        return (
            self._after_start(field)
            or self._invalid(
                field, "cannot be set to the past time", fits=moment >= clock.now() - _SKEW
            )
            or self._invalid(
                field, "must complete within 10 years", fits=moment <= clock.now() + _LONGEST
            )
        )

    def completion(self) -> checks.Errors:
        field = "completionTime"
        before, now = self._old.get(field), self._report.get(field)
        if now is None or (before is not None and before != now):
            return []
        fits = before == now or _is_now(now)
        return self._after_start(field) or self._invalid(
            field, "must be set to the present time", fits=fits
        )

    def _after_start(self, field: str) -> checks.Errors:
        start = self._path.child("startTime")
        if self._start is None:
            return self._invalid(field, f"cannot be set before {start} is set")
        fits = not _is_before(self._report[field], self._start)
        return self._invalid(field, f"must occur after {start}", fits=fits)

    def _invalid(self, field: str, text: str, *, fits: bool = False) -> checks.Errors:
        path = self._path.child(field)
        return [] if fits else [FieldError.invalid(path, self._report[field], text)]


def _is_before(time: str, other: str) -> bool:
    return clock.parse_time(time) < clock.parse_time(other)


def _is_now(time: str) -> bool:
    return abs(clock.parse_time(time) - clock.now()) < _SKEW
