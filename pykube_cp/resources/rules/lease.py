"""Leases."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks

OLDEST = "OldestEmulationVersion"


def check_strategy(strategy: str, path: Path) -> checks.Errors:
    # upstream: pkg/apis/coordination/validation/validation.go ValidateCoordinatedLeaseStrategy
    where = path.child("strategy")
    if "/" in strategy:
        return checks.qualified(strategy, where)
    return checks.supported(strategy, where, (OLDEST,))


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/coordination/validation/validation.go ValidateLeaseSpec
    found = []
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        where = path.child("leaseDurationSeconds")
        found.append(FieldError.invalid(where, seconds, "must be greater than 0"))
    found += checks.nonnegative(spec, path, "leaseTransitions")
    strategy = spec.get("strategy")
    if strategy is not None:
        found += check_strategy(strategy, path.child("strategy"))
    if spec.get("preferredHolder") and not strategy:
        text = "may only be specified if `strategy` is defined"
        found.append(FieldError.forbidden(path.child("preferredHolder"), text))
    return found


RULES = (TypeRule(type="io.k8s.api.coordination.v1.LeaseSpec", validate=_validate_spec),)
