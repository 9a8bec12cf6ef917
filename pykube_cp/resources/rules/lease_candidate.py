"""Those who stand for a lease."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.rules.lease import OLDEST, check_strategy
from pykube_cp.resources.shared import checks, semver

_NO_VERSION = "must be a valid semantic version"


def _validate(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/coordination/validation/validation.go ValidateLeaseCandidateSpec
    found = checks.required(spec, path, "leaseName")
    emulated, own = spec.get("emulationVersion") or "", spec.get("binaryVersion") or ""
    emulated_key, own_key = semver.key(emulated), semver.key(own)
    where = path.child("binaryVersion")
    if emulated and emulated_key is None:
        found.append(FieldError.invalid(path.child("emulationVersion"), emulated, _NO_VERSION))
    if not own:
        found.append(FieldError.required(where))
    elif own_key is None:
        found.append(FieldError.invalid(where, own, _NO_VERSION))
    emulated_key, own_key = emulated_key or semver.ZERO, own_key or semver.ZERO
    if own and emulated and own_key < emulated_key:
        text = "must be greater than or equal to `emulationVersion`"
        found.append(FieldError.invalid(where, own, text))
    strategy = spec.get("strategy") or ""
    if not strategy:
        return [*found, FieldError.required(path.child("strategy"))]
    if strategy == OLDEST and emulated_key == semver.ZERO:
        text = "must be specified when `strategy` is 'OldestEmulationVersion'"
        found.append(FieldError.required(path.child("emulationVersion"), text))
    return found + check_strategy(strategy, path.child("strategy"))


RULES = (TypeRule(type="io.k8s.api.coordination.v1beta1.LeaseCandidateSpec", validate=_validate),)
