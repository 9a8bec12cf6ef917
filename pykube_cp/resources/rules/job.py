"""Jobs."""

from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.rules import RuleContext, TypeRule

_MAX_INT32 = 2**31 - 1


def _default_labels(job: Object, _ctx: RuleContext) -> None:
    labels = nested(job, "spec", "template", "metadata", "labels")
    meta = job.setdefault("metadata", {})
    if labels and not meta.get("labels"):
        meta["labels"] = dict(labels)


def _default_spec(spec: Object, ctx: RuleContext) -> None:
    """Of jobs themselves; a CronJob's template is left as it is."""
    # upstream: pkg/apis/batch/v1/defaults.go SetDefaults_Job
    if ctx.kind.kind != "Job":
        return
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    by_index = spec.get("backoffLimitPerIndex") is not None
    defaults = {
        "parallelism": 1,
        "backoffLimit": _MAX_INT32 if by_index else 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": _replacement(spec),
        "manualSelector": False,
    }
    for field, value in defaults.items():
        if spec.get(field) is None:
            spec[field] = value


def _replacement(spec: Object) -> str:
    return "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed"


def _default_pattern(pattern: Object, _ctx: RuleContext) -> None:
    # upstream: SetDefaults_PodFailurePolicyOnPodConditionsPattern
    if not pattern.get("status"):
        pattern["status"] = "True"


RULES = (
    TypeRule(type="io.k8s.api.batch.v1.Job", default=_default_labels),
    TypeRule(type="io.k8s.api.batch.v1.JobSpec", default=_default_spec),
    TypeRule(
        type="io.k8s.api.batch.v1.PodFailurePolicyOnPodConditionsPattern", default=_default_pattern
    ),
)
