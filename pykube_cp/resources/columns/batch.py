"""Columns of batch."""
# upstream: pkg/printers/internalversion/printers.go

from typing import Any

from pykube_cp.machinery import clock, selectors
from pykube_cp.machinery.objects import Object, is_deleting, nested
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells


def _completions(job: Object) -> str:
    # upstream: printJob
    spec = job.get("spec") or {}
    succeeded = (job.get("status") or {}).get("succeeded", 0)
    if spec.get("completions") is not None:
        return f"{succeeded}/{spec['completions']}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _duration(job: Object) -> str:
    status = job.get("status") or {}
    if not status.get("startTime"):
        return ""
    end = status.get("completionTime")
    seconds = clock.parse_time(end) if end else clock.now()
    return table.human_duration(seconds - clock.parse_time(status["startTime"]))


def _job_status(job: Object) -> str:
    if cells.has_condition(job, "Complete"):
        return "Complete"
    if cells.has_condition(job, "Failed"):
        return "Failed"
    if is_deleting(job):
        return "Terminating"
    for kind in ("Suspended", "FailureTarget", "SuccessCriteriaMet"):
        if cells.has_condition(job, kind):
            return kind
    return "Running"


def _suspend(obj: Object) -> str:
    suspend = (obj.get("spec") or {}).get("suspend")
    return cells.UNSET if suspend is None else str(suspend)


def _selector(*path: str) -> Column:
    def value(obj: Object) -> Any:
        return selectors.format_label_selector(nested(obj, *path))

    return Column("Selector", value, priority=1, described_by="batch.v1.JobSpec.selector")


JOB = (
    table.NAME,
    Column("Status", _job_status, description="Status of the job."),
    Column("Completions", _completions, described_by="batch.v1.JobStatus.succeeded"),
    Column("Duration", _duration, description="Time required to complete the job."),
    table.AGE,
    *cells.container_columns("spec", "template", "spec"),
    _selector("spec", "selector"),
)

CRON_JOB = (
    table.NAME,
    Column("Schedule", cells.at("spec", "schedule"), described_by="batch.v1.CronJobSpec.schedule"),
    Column(
        "Timezone",
        cells.at("spec", "timeZone", default=cells.NONE),
        described_by="batch.v1.CronJobSpec.timeZone",
    ),
    Column("Suspend", _suspend, type="boolean", described_by="batch.v1.CronJobSpec.suspend"),
    Column(
        "Active",
        cells.count("status", "active"),
        type="integer",
        described_by="batch.v1.CronJobStatus.active",
    ),
    Column(
        "Last Schedule",
        cells.age_at("status", "lastScheduleTime", default=cells.NONE),
        described_by="batch.v1.CronJobStatus.lastScheduleTime",
    ),
    table.AGE,
    *cells.container_columns("spec", "jobTemplate", "spec", "template", "spec"),
    _selector("spec", "jobTemplate", "spec", "selector"),
)
