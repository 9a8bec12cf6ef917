"""CSI drivers."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks

_SPEC = {
    "attachRequired": True,
    "podInfoOnMount": False,
    "storageCapacity": False,
    "fsGroupPolicy": "ReadWriteOnceWithFSType",
    "requiresRepublish": False,
    "seLinuxMount": False,
    "preventPodSchedulingIfMissing": False,
}


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/storage/v1/defaults.go SetDefaults_CSIDriver
    for field, value in _SPEC.items():
        if spec.get(field) is None:
            spec[field] = value
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_MODES = ("Persistent", "Ephemeral")
_MIN_TOKEN, _MAX_TOKEN = 600, 1 << 32
_MIN_PERIOD = 10


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go validateCSIDriverSpec
    found = checks.optional(spec, path, "fsGroupPolicy", _GROUP_POLICIES)
    found += _tokens(spec.get("tokenRequests") or [], path.child("tokenRequests"))
    for mode in spec.get("volumeLifecycleModes") or ():
        found += checks.supported(mode, path.child("volumeLifecycleModes"), _MODES)
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < _MIN_PERIOD:
        text = "must be greater than or equal to 10 seconds"
        where = path.child("nodeAllocatableUpdatePeriodSeconds")
        found.append(FieldError.invalid(where, period, text))
    secrets = spec.get("serviceAccountTokenInSecrets")
    if secrets is not None and not spec.get("tokenRequests"):
        text = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        where = path.child("serviceAccountTokenInSecrets")
        found.append(FieldError.invalid(where, secrets, text))
    return found


def _tokens(requests: list[Object], path: Path) -> checks.Errors:
    found = []
    seen: set[str] = set()
    for position, request in enumerate(requests):
        where, audience = path.index(position), request.get("audience") or ""
        if audience in seen:
            found.append(FieldError.duplicate(where.child("audience"), audience))
            continue
        seen.add(audience)
        seconds, place = request.get("expirationSeconds"), where.child("expirationSeconds")
        if seconds is None:
            continue
        if seconds < _MIN_TOKEN:
            text = "may not specify a duration less than 10 minutes"
            found.append(FieldError.invalid(place, seconds, text))
        if seconds > _MAX_TOKEN:
            text = "may not specify a duration larger than 2^32 seconds"
            found.append(FieldError.invalid(place, seconds, text))
    return found


RULES = (
    TypeRule(
        type="io.k8s.api.storage.v1.CSIDriverSpec", default=_default_spec, validate=_validate_spec
    ),
)
