"""Resource quotas."""

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, quota_scopes, resource_names


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateResourceQuotaSpec
    hard = spec.get("hard") or {}
    found = resource_names.check_quota_amounts(hard, path.child("hard"))
    found += quota_scopes.check(spec.get("scopes") or [], hard, path.child("scopes"))
    selector = spec.get("scopeSelector")
    if selector is not None:
        where = path.child("scopeSelector", "matchExpressions")
        found += quota_scopes.check_selector(selector, spec, where)
    return found


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    found = []
    for field in ("hard", "used"):
        amounts = status.get(field) or {}
        found += resource_names.check_quota_amounts(amounts, path.child(field))
    return found


RULES = (
    TypeRule(type="io.k8s.api.core.v1.ResourceQuotaSpec", validate=_validate_spec),
    TypeRule(type="io.k8s.api.core.v1.ResourceQuotaStatus", validate=_validate_status),
)
