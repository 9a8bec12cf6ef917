"""Cron jobs."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_SPEC = {"suspend": False, "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/batch/v1/defaults.go SetDefaults_CronJob
    if not spec.get("concurrencyPolicy"):
        spec["concurrencyPolicy"] = "Allow"
    for field, value in _SPEC.items():
        if spec.get(field) is None:
            spec[field] = value


RULES = (TypeRule(type="io.k8s.api.batch.v1.CronJobSpec", default=_default_spec),)
