"""Pod disruption budgets."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, conditions

_EVICTION = ("AlwaysAllow", "IfHealthyBudget")
_COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/policy/validation/validation.go ValidatePodDisruptionBudgetSpec
    fields = ("minAvailable", "maxUnavailable")
    found = []
    if all(spec.get(field) is not None for field in fields):
        text = "minAvailable and maxUnavailable cannot be both set"
        found.append(FieldError.invalid(path, spec, text))
    for field in fields:
        if (value := spec.get(field)) is not None:
            found += checks.amount_or_percentage(value, path.child(field))
            found += checks.at_most_all(value, path.child(field))
    return found + checks.optional(spec, path, "unhealthyPodEvictionPolicy", _EVICTION)


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/policy/validation/validation.go ValidatePodDisruptionBudgetStatusUpdate
    found = conditions.check(status.get("conditions") or (), path.child("conditions"))
    return found + checks.nonnegative(status, path, *_COUNTS)


RULES = (
    TypeRule(type="io.k8s.api.policy.v1.PodDisruptionBudgetSpec", validate=_validate_spec),
    TypeRule(type="io.k8s.api.policy.v1.PodDisruptionBudgetStatus", validate=_validate_status),
)
