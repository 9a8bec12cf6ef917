"""Rows of batch."""

from pykube_cp.registry.resource import Resource, status
from pykube_cp.registry.strategy import StatusStrategy
from pykube_cp.resources.columns import batch as columns
from pykube_cp.resources.shared import selectable
from pykube_cp.resources.strategies import jobs

CRON_JOB = Resource(
    group="batch",
    version="v1",
    kind="CronJob",
    plural="cronjobs",
    singular="cronjob",
    short_names=("cj",),
    categories=("all",),
    subresources=(status(StatusStrategy()),),
    columns=columns.CRON_JOB,
    strategy=jobs.CronJobStrategy(),
    storage_version_hash="sd5LIXh4Fjs=",
)

JOB = Resource(
    group="batch",
    version="v1",
    kind="Job",
    plural="jobs",
    singular="job",
    categories=("all",),
    subresources=(status(jobs.JobStatusStrategy()),),
    columns=columns.JOB,
    selectable_fields=selectable.JOB,
    not_selectable='field label "{}" not supported for Job',
    strategy=jobs.JobStrategy(),
    storage_version_hash="mudhfqk/qZY=",
)

RESOURCES = (
    CRON_JOB,
    JOB,
)
