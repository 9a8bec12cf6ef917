"""The status of a Job: conditions, counters, and how it is written."""

from collections.abc import Collection

from pykube_cp.controllers.shared.conditions import find_condition, is_true
from pykube_cp.controllers.shared.templates import drop_zeros
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.objects import Object

COMPLETE = "Complete"
FAILED = "Failed"
SUSPENDED = "Suspended"
FAILURE_TARGET = "FailureTarget"
SUCCESS_CRITERIA_MET = "SuccessCriteriaMet"

_KEEP_ZEROS = ("failedIndexes", "ready", "terminating", "uncountedTerminatedPods")


def conditions(job: Object) -> list[Object]:
    found: list[Object] = objects.nested(job, "status", "conditions", default=[])
    return found


def finished_condition(job: Object) -> Object | None:
    """The condition that ends a Job: Complete or Failed."""
    return next(
        (
            condition
            for condition in conditions(job)
            if condition.get("type") in {COMPLETE, FAILED} and condition.get("status") == "True"
        ),
        None,
    )


def is_finished(job: Object) -> bool:
    return finished_condition(job) is not None


def is_succeeded(job: Object) -> bool:
    return is_true(conditions(job), COMPLETE)


def new_job_condition(kind: str, reason: str, message: str, status: str = "True") -> Object:
    now = clock.timestamp()
    return {
        "type": kind,
        "status": status,
        "lastProbeTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def ensure_condition(status: Object, wanted: Object) -> bool:
    """Set a condition of our own status; one that is False is not added anew."""
    # upstream: pkg/controller/job/job_controller.go ensureJobConditionStatus
    found: list[Object] = status.setdefault("conditions", [])
    current = find_condition(found, wanted["type"])
    if current is None:
        if wanted["status"] == "False":
            return False
        found.append(wanted)
        return True
    if all(current.get(key) == wanted[key] for key in ("status", "reason", "message")):
        return False
    current.clear()
    current.update(wanted)
    return True


def count_uncounted(status: Object, still_tracked: Collection[str]) -> bool:
    """Count pods that lost their finalizer; True if there were any."""
    # upstream: pkg/controller/job/job_controller.go cleanUncountedPodsWithoutFinalizers
    changed = False
    uncounted = status["uncountedTerminatedPods"]
    for field in ("succeeded", "failed"):
        before = uncounted.get(field) or []
        kept = [uid for uid in before if uid in still_tracked]
        if len(kept) != len(before):
            status[field] = status.get(field, 0) + len(before) - len(kept)
            uncounted[field] = kept
            changed = True
    return changed


def written(status: Object) -> Object:
    """The form in which a status is stored."""
    kept = {key: value for key, value in status.items() if value is not None}
    if "uncountedTerminatedPods" in kept:
        kept["uncountedTerminatedPods"] = drop_zeros(kept["uncountedTerminatedPods"])
    return drop_zeros(kept, keep=_KEEP_ZEROS)
