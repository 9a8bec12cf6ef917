"""Leases."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/coordination/validation/validation.go ValidateLeaseSpec
    found = []
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        where = path.child("leaseDurationSeconds")
        found.append(FieldError.invalid(where, seconds, "must be greater than 0"))
    found += checks.nonnegative(spec, path, "leaseTransitions")
    strategy, where = spec.get("strategy"), path.child("strategy", "strategy")
    if strategy is not None:
        if "/" in strategy:
            found += checks.qualified(strategy, where)
        else:
            found += checks.supported(strategy, where, ("OldestEmulationVersion",))
    if spec.get("preferredHolder") and not strategy:
        text = "may only be specified if `strategy` is defined"
        found.append(FieldError.forbidden(path.child("preferredHolder"), text))
    return found


RULES = (TypeRule(type="io.k8s.api.coordination.v1.LeaseSpec", validate=_validate_spec),)
