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

_PATH = Path("status")
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
        return [FieldError.invalid(_PATH.child(field), self.now.get(field), text)]


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
    now, found = change.now, []
    if not _is(now, "Complete"):
        wrong = now.get("completionTime") and (
            change.turns("Complete") or change.differs("completionTime")
        )
        text = "cannot set completionTime when there is no Complete=True condition"
        return change.invalid("completionTime", text) if wrong else []
    turned = change.turns("Complete")
    if (turned or change.turns("Failed")) and _is(now, "Failed"):
        found += change.conditions("cannot set Complete=True and Failed=true conditions")
    if (turned or change.turns("FailureTarget")) and _is(now, "FailureTarget"):
        found += change.conditions("cannot set Complete=True and FailureTarget=true conditions")
    if (turned or change.differs("completionTime")) and not now.get("completionTime"):
        where = _PATH.child("completionTime")
        found.append(FieldError.required(where, "completionTime is required for Complete jobs"))
    if (turned or change.turns("SuccessCriteriaMet")) and not _is(now, "SuccessCriteriaMet"):
        found += change.conditions(
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"
        )
    if change.spec.get("successPolicy") is not None and not _is(now, "SuccessCriteriaMet"):
        found += change.conditions(
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"
        )
    return found


def _failed(change: _Change) -> list[FieldError]:
    now = change.now
    if not _is(now, "Failed"):
        return []
    changed = change.turns("Failed") or change.differs("failedIndexes")
    if changed and not _is(now, "FailureTarget"):
        text = "cannot set Failed=True condition without the FailureTarget=true condition"
        return change.conditions(text)
    return []


def _success_criteria(change: _Change) -> list[FieldError]:
    now, before, found = change.now, change.before, []
    if _is(now, "SuccessCriteriaMet"):
        if _is(now, "Failed"):
            text = "cannot set SuccessCriteriaMet=True and Failed=true conditions"
            found += change.conditions(text)
        if _is(now, "FailureTarget"):
            text = "cannot set SuccessCriteriaMet=True and FailureTarget=true conditions"
            found += change.conditions(text)
        if _is(before, "Complete") and not _is(before, "SuccessCriteriaMet"):
            found += change.conditions(
                "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"
            )
    elif _is(before, "SuccessCriteriaMet"):
        found += change.conditions("cannot disable the SuccessCriteriaMet=True condition")
    return found


def _finish(change: _Change) -> list[FieldError]:
    now, found = change.now, []
    if not _finished(now):
        return []
    if (change.finishes or change.differs("active")) and (now.get("active") or 0) > 0:
        found += change.invalid("active", "active>0 is invalid for finished job")
    idle = change.spec.get("suspend") and change.spec.get("completions") == 0
    if (change.finishes or change.differs("startTime")) and not idle and not now.get("startTime"):
        text = "startTime is required for finished job"
        found.append(FieldError.required(_PATH.child("startTime"), text))
    uncounted = now.get("uncountedTerminatedPods") or {}
    if change.finishes or change.differs("uncountedTerminatedPods"):
        if uncounted.get("failed") or uncounted.get("succeeded"):
            text = "must be empty for finished job"
            found += change.invalid("uncountedTerminatedPods", text)
    if (change.finishes or change.differs("terminating")) and (now.get("terminating") or 0) > 0:
        found += change.invalid("terminating", "terminating>0 is invalid for finished job")
    return found


def _indexes(change: _Change) -> list[FieldError]:
    now, spec, found = change.now, change.spec, []
    indexed = spec.get("completionMode") == "Indexed"
    if change.differs("completedIndexes") and now.get("completedIndexes") and not indexed:
        text = "cannot set non-empty completedIndexes when non-indexed completion mode"
        found += change.invalid("completedIndexes", text)
    if change.differs("failedIndexes") and now.get("failedIndexes") is not None:
        if spec.get("backoffLimitPerIndex") is None:
            text = "cannot set non-null failedIndexes when backoffLimitPerIndex is null"
            found += change.invalid("failedIndexes", text)
    for field in ("completedIndexes", "failedIndexes"):
        if indexed and change.differs(field) and spec.get("completions") is not None:
            try:
                job_indexes.count(now.get(field) or "", spec["completions"])
            except ValueError as error:
                found += change.invalid(field, f"error parsing {field}: {error}")
    return found


def _ready(change: _Change) -> list[FieldError]:
    now = change.now
    if change.differs("ready", "active") and (now.get("ready") or 0) > (now.get("active") or 0):
        return change.invalid("ready", "cannot set more ready pods than active")
    return []


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
    start, end = now.get("startTime"), now.get("completionTime")
    if change.differs("startTime", "completionTime") and start and end:
        if clock.parse_time(end) < clock.parse_time(start):
            found += change.invalid("completionTime", "must be equal to or after `startTime`")
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


_CHECKS: tuple[Callable[[_Change], list[FieldError]], ...] = (
    _counters,
    _uncounted,
    _complete,
    _failed,
    _finish,
    _indexes,
    _ready,
    _success_criteria,
    _terminal,
    _decreasing,
    _times,
)
