"""Workloads, and groups of pods."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, workload_templates

_V1BETA1 = "io.k8s.api.scheduling.v1beta1."


def _validate_workload(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    return workload_templates.check(spec, path)


def _validate_group(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/scheduling/validation/validation.go ValidatePodGroup
    is_child = spec.get("parentCompositePodGroupName") is not None
    if ctx.old is not None or not is_child or spec.get("workloadRef") is not None:
        return []
    text = "must be set when parentCompositePodGroupName is set"
    error = FieldError.required(path.child("workloadRef"), text)
    return [error.by_declaration("dependentRequired")]


RULES = (
    TypeRule(type=f"{_V1BETA1}WorkloadSpec", validate=_validate_workload),
    TypeRule(type=f"{_V1BETA1}PodGroupSpec", validate=_validate_group),
)
