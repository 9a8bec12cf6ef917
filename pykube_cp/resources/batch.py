"""Rows of batch."""

from pykube_cp.machinery.gvk import GVK
from pykube_cp.registry.resource import STATUS_VERBS, Resource, Subresource
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
    subresources=(
        Subresource(
            name="status",
            kind=GVK("batch", "v1", "CronJob"),
            verbs=STATUS_VERBS,
            strategy=StatusStrategy(),
        ),
    ),
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
    subresources=(
        Subresource(
            name="status",
            kind=GVK("batch", "v1", "Job"),
            verbs=STATUS_VERBS,
            strategy=jobs.JobStatusStrategy(),
        ),
    ),
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
