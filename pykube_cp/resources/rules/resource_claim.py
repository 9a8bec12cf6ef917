"""Claims for devices, and taints of devices."""

from pykube_cp.machinery import clock
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

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


def _default_taint(taint: Object, _ctx: RuleContext) -> None:
    if taint.get("timeAdded") is None:
        taint["timeAdded"] = clock.timestamp()


RULES = (
    TypeRule(type=f"{_GROUP}v1.ExactDeviceRequest", default=_default_request),
    TypeRule(type=f"{_GROUP}v1beta2.ExactDeviceRequest", default=_default_request),
    TypeRule(type=f"{_GROUP}v1beta1.DeviceRequest", default=_default_flat_request),
    TypeRule(type=f"{_GROUP}v1.DeviceSubRequest", default=_default_request),
    TypeRule(type=f"{_GROUP}v1beta2.DeviceSubRequest", default=_default_request),
    TypeRule(type=f"{_GROUP}v1beta1.DeviceSubRequest", default=_default_request),
    TypeRule(type=f"{_GROUP}v1.DeviceTaint", default=_default_taint),
    TypeRule(type=f"{_GROUP}v1beta2.DeviceTaint", default=_default_taint),
    TypeRule(type=f"{_GROUP}v1beta1.DeviceTaint", default=_default_taint),
    TypeRule(type=f"{_GROUP}v1alpha3.DeviceTaint", default=_default_taint),
)
