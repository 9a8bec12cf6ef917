"""Claims for devices, and templates of claims."""

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, device_claims, meta

_GROUP = "io.k8s.api.resource."


def _default_request(request: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/resource/v1/defaults.go SetDefaults_ExactDeviceRequest
    if not request.get("allocationMode"):
        request["allocationMode"] = "ExactCount"
    if request["allocationMode"] == "ExactCount" and not request.get("count"):
        request["count"] = 1


def _default_flat_request(request: Object, ctx: RuleContext) -> None:
    """In v1beta1 a request with alternatives has none of this."""
    if request.get("deviceClassName"):
        _default_request(request, ctx)


def _validate_claim(claim: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    """A claim never changes, so that nothing more can be said of one that did."""
    if ctx.old is not None and ctx.kind.kind == "ResourceClaim":
        return []
    return device_claims.check(claim, path)


def _validate_template(template: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/resource/validation/validation.go validateResourceClaimTemplateSpec
    return meta.check_of_template(template.get("metadata") or {}, path.child("metadata"))


RULES = (
    TypeRule(type=f"{_GROUP}v1.ExactDeviceRequest", default=_default_request),
    TypeRule(type=f"{_GROUP}v1beta2.ExactDeviceRequest", default=_default_request),
    TypeRule(type=f"{_GROUP}v1beta1.DeviceRequest", default=_default_flat_request),
    TypeRule(type=f"{_GROUP}v1.DeviceSubRequest", default=_default_request),
    TypeRule(type=f"{_GROUP}v1beta2.DeviceSubRequest", default=_default_request),
    TypeRule(type=f"{_GROUP}v1beta1.DeviceSubRequest", default=_default_request),
    TypeRule(type=f"{_GROUP}v1.DeviceClaim", validate=_validate_claim),
    TypeRule(type=f"{_GROUP}v1.ResourceClaimTemplateSpec", validate=_validate_template),
)
