"""CSI drivers."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults

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
    defaults.fill(spec, _SPEC)
    if not spec.get("volumeLifecycleModes"):
        spec["volumeLifecycleModes"] = ["Persistent"]


_GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
_MODES = ("Persistent", "Ephemeral")
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
        if (seconds := request.get("expirationSeconds")) is not None:
            found += checks.token_lifetime(seconds, where.child("expirationSeconds"))
    return found


RULES = (
    TypeRule(
        type="io.k8s.api.storage.v1.CSIDriverSpec", default=_default_spec, validate=_validate_spec
    ),
)
