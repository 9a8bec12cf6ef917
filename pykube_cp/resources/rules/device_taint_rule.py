"""Taints of devices, on devices themselves and by rules."""

from pykube_cp.machinery import clock
from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, devices

_GROUP = "io.k8s.api.resource."
_SELECTED = {"driver": devices.driver, "pool": devices.pool, "device": devices.short_name}


def _default_taint(taint: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/resource/v1/defaults.go SetDefaults_DeviceTaint
    if taint.get("timeAdded") is None:
        taint["timeAdded"] = clock.timestamp()


def _validate_rule(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/resource/validation/validation.go validateDeviceTaintRuleSpec
    selector, found = spec.get("deviceSelector") or {}, []
    for field, check in _SELECTED.items():
        if selector.get(field) is not None:
            found += check(selector[field], path.child("deviceSelector", field))
    old = (ctx.old.get("spec") or {}).get("taint") or {} if ctx.old is not None else None
    return found + devices.taint(spec.get("taint") or {}, old, path.child("taint"))


RULES = (
    TypeRule(type=f"{_GROUP}v1.DeviceTaint", default=_default_taint),
    TypeRule(type=f"{_GROUP}v1beta2.DeviceTaint", default=_default_taint),
    TypeRule(type=f"{_GROUP}v1beta1.DeviceTaint", default=_default_taint),
    TypeRule(type=f"{_GROUP}v1alpha3.DeviceTaint", default=_default_taint),
    TypeRule(type=f"{_GROUP}v1.DeviceTaintRuleSpec", validate=_validate_rule),
)
