"""What the job controller may say about a job.

Most rules are judged only when something they depend on has changed, so that a job stored by an
older server can still be finished.
"""
# upstream: pkg/apis/batch/validation/validation.go ValidateJobStatusUpdate

from collections.abc import Callable

from pykube_cp.machinery import clock
from pykube_cp.machinery.field_errors import OMITTED, FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import job_indexes
from pykube_cp.resources.shared.go_names import internal

_PATH = Path("status")
_UNCOUNTED = "io.k8s.api.batch.v1.UncountedTerminatedPods"
_NUMBERS = frozenset({"active", "succeeded", "failed"})
"""Counters that are there even when nobody gave them."""
_COUNTERS = ("active", "succeeded", "failed", "ready", "terminating")


def _is(status: Object, kind: str) -> bool:
    return any(
        condition.get("type") == kind and condition.get("status") == "True"
        for condition in status.get("conditions") or ()
    )


def _finished(status: Object) -> bool:
    return _is(status, "Complete") or _is(status, "Failed")


class _Change:
    """A change of status: which facts differ."""

    def __init__(self, job: Object, old: Object) -> None:
        self.spec = job["spec"]
        self.now: Object = job.get("status") or {}
        self.before: Object = old.get("status") or {}

    def differs(self, *fields: str) -> bool:
        return any((self.now.get(f) or None) != (self.before.get(f) or None) for f in fields)

    def turns(self, kind: str) -> bool:
        return _is(self.now, kind) is not _is(self.before, kind)

    @property
    def finishes(self) -> bool:
        return _finished(self.now) is not _finished(self.before)

    def conditions(self, text: str) -> list[FieldError]:
        return [FieldError.invalid(_PATH.child("conditions"), OMITTED, text)]

    def invalid(self, field: str, text: str) -> list[FieldError]:
        value = self.now.get(field)
        if value is None and field in _NUMBERS:
            value = 0
        return [FieldError.invalid(_PATH.child(field), value, text)]

    def required(self, field: str, text: str) -> list[FieldError]:
        return [FieldError.required(_PATH.child(field), text)]


def validate(job: Object, old: Object) -> list[FieldError]:
    change = _Change(job, old)
    found: list[FieldError] = []
    for check in _CHECKS:
        found += check(change)
    return found


def _counters(change: _Change) -> list[FieldError]:
    found = []
    for field in _COUNTERS:
        if (change.now.get(field) or 0) < 0:
            found += change.invalid(field, "must be greater than or equal to 0")
    return found


def _uncounted(change: _Change) -> list[FieldError]:
    found, seen = [], set[str]()
    uncounted = change.now.get("uncountedTerminatedPods") or {}
    for field in ("succeeded", "failed"):
        for position, uid in enumerate(uncounted.get(field) or ()):
            where = _PATH.child("uncountedTerminatedPods", field).index(position)
            if not uid:
                found.append(FieldError.invalid(where, uid, "must not be empty"))
            elif uid in seen:
                found.append(FieldError.duplicate(where, uid))
            seen.add(uid)
    return found


def _complete(change: _Change) -> list[FieldError]:
    found, turned = [], change.turns("Complete")
    complete = _is(change.now, "Complete")
    for other in ("Failed", "FailureTarget"):
        if (turned or change.turns(other)) and complete and _is(change.now, other):
            found += change.conditions(f"cannot set Complete=True and {other}=true conditions")
    if turned or change.differs("completionTime"):
        found += _completion_time(change, complete=complete)
    if change.differs("startTime", "completionTime") and _ends_before_it_starts(change.now):
        found += change.invalid("completionTime", "must be equal to or after `startTime`")
    return found


def _completion_time(change: _Change, *, complete: bool) -> list[FieldError]:
    given = bool(change.now.get("completionTime"))
    if given and not complete:
        text = "cannot set completionTime when there is no Complete=True condition"
        return change.invalid("completionTime", text)
    if complete and not given:
        return change.required("completionTime", "completionTime is required for Complete jobs")
    return []


def _ends_before_it_starts(status: Object) -> bool:
    start, end = status.get("startTime"), status.get("completionTime")
    return bool(start and end and clock.parse_time(end) < clock.parse_time(start))


def _on_the_way(change: _Change) -> list[FieldError]:
    """How a job comes to be failed or complete."""
    now, found = change.now, []
    if change.turns("Failed") or change.differs("failedIndexes"):
        if _is(now, "Failed") and not _is(now, "FailureTarget"):
            found += change.conditions(
                "cannot set Failed=True condition without the FailureTarget=true condition"
            )
    if change.turns("Complete") or change.turns("SuccessCriteriaMet"):
        if _is(now, "Complete") and not _is(now, "SuccessCriteriaMet"):
            found += change.conditions(
                "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
            )
    return found


def _finish(change: _Change) -> list[FieldError]:
    now, found = change.now, []
    if not _finished(now):
        return []
    if (change.finishes or change.differs("active")) and (now.get("active") or 0) > 0:
        found += change.invalid("active", "active>0 is invalid for finished job")
    idle = change.spec.get("suspend") and change.spec.get("completions") == 0
    if (change.finishes or change.differs("startTime")) and not idle and not now.get("startTime"):
        found += change.required("startTime", "startTime is required for finished job")
    uncounted = now.get("uncountedTerminatedPods") or {}
    if change.finishes or change.differs("uncountedTerminatedPods"):
        if uncounted.get("failed") or uncounted.get("succeeded"):
            where, shown = _PATH.child("uncountedTerminatedPods"), internal(uncounted, _UNCOUNTED)
            found.append(FieldError.invalid(where, shown, "must be empty for finished job"))
    return found


def _indexes(change: _Change) -> list[FieldError]:
    now, spec, found = change.now, change.spec, []
    if change.differs("completedIndexes"):
        found += _readable(change, "completedIndexes")
    if change.differs("failedIndexes") and spec.get("backoffLimitPerIndex") is not None:
        found += _readable(change, "failedIndexes")
    indexed = spec.get("completionMode") == "Indexed"
    if change.differs("completedIndexes") and now.get("completedIndexes") and not indexed:
        text = "cannot set non-empty completedIndexes when non-indexed completion mode"
        found += change.invalid("completedIndexes", text)
    if change.differs("failedIndexes") and now.get("failedIndexes") is not None:
        if spec.get("backoffLimitPerIndex") is None:
            text = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
            found += change.invalid("failedIndexes", text)
    if change.differs("failedIndexes", "completedIndexes"):
        found += _overlap(change)
    return found


def _readable(change: _Change, field: str) -> list[FieldError]:
    completions = change.spec.get("completions")
    if completions is None:
        return []
    try:
        job_indexes.count(change.now.get(field) or "", completions)
    except ValueError as error:
        return change.invalid(field, f"error parsing {field}: {error}")
    return []


def _overlap(change: _Change) -> list[FieldError]:
    completions, now = change.spec.get("completions"), change.now
    failed, completed = now.get("failedIndexes"), now.get("completedIndexes")
    if completions is None or not failed or not completed:
        return []
    shared = job_indexes.overlap(completed, failed, completions)
    if shared is None:
        return []
    text = f"failedIndexes and completedIndexes overlap at index: {shared}"
    return change.invalid("failedIndexes", text)


def _counts(change: _Change) -> list[FieldError]:
    now, found = change.now, []
    if change.finishes or change.differs("terminating"):
        if (now.get("terminating") or 0) > 0 and _finished(now):
            found += change.invalid("terminating", "terminating>0 is invalid for finished job")
    if change.differs("ready", "active") and (now.get("ready") or 0) > (now.get("active") or 0):
        found += change.invalid("ready", "cannot set more ready pods than active")
    return found


def _success_criteria(change: _Change) -> list[FieldError]:
    now, found = change.now, []
    if _is(now, "SuccessCriteriaMet"):
        for other in ("Failed", "FailureTarget"):
            if _is(now, other):
                text = f"cannot set SuccessCriteriaMet=True and {other}=true conditions"
                found += change.conditions(text)
    elif change.spec.get("successPolicy") is not None and _is(now, "Complete"):
        found += change.conditions(
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        )
    return found


def _terminal(change: _Change) -> list[FieldError]:
    found = []
    for kind in ("Failed", "Complete", "FailureTarget"):
        if _is(change.before, kind) and not _is(change.now, kind):
            found += change.conditions(f"cannot disable the terminal {kind}=True condition")
    return found


def _decreasing(change: _Change) -> list[FieldError]:
    now, before, spec, found = change.now, change.before, change.spec, []
    if (now.get("failed") or 0) < (before.get("failed") or 0):
        found += change.invalid("failed", "cannot decrease the failed counter")
    scalable = spec.get("completionMode") == "Indexed" and spec.get("completions") == spec.get(
        "parallelism"
    )
    if (now.get("succeeded") or 0) < (before.get("succeeded") or 0) and not scalable:
        found += change.invalid("succeeded", "cannot decrease the succeeded counter")
    return found


def _times(change: _Change) -> list[FieldError]:
    now, before, found = change.now, change.before, []
    end = now.get("completionTime")
    if end and before.get("completionTime") and end != before["completionTime"]:
        found += change.invalid("completionTime", "field is immutable")
    resumes = _is(before, "Suspended") and any(
        c.get("type") == "Suspended" and c.get("status") == "False"
        for c in now.get("conditions") or ()
    )
    moved = before.get("startTime") and change.differs("startTime")
    if moved and not resumes and not change.spec.get("suspend"):
        text = "field is immutable for unsuspended job once set"
        found += change.invalid("startTime", text)
    return found


def _success_stays(change: _Change) -> list[FieldError]:
    met, was = (_is(status, "SuccessCriteriaMet") for status in (change.now, change.before))
    if was and not met:
        return change.conditions("cannot disable the SuccessCriteriaMet=True condition")
    if met and not was and _is(change.before, "Complete"):
        return change.conditions(
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
        )
    return []


_CHECKS: tuple[Callable[[_Change], list[FieldError]], ...] = (
    _counters,
    _uncounted,
    _complete,
    _on_the_way,
    _finish,
    _indexes,
    _counts,
    _success_criteria,
    _terminal,
    _decreasing,
    _times,
    _success_stays,
)
