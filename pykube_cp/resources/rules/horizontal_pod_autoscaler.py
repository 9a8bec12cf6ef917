"""Horizontal pod autoscalers."""

from typing import Any

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, hpa_metrics

_CPU_UTILIZATION = 80
_PERIOD_SECONDS = 15


def _policy(kind: str, value: int) -> Object:
    return {"type": kind, "value": value, "periodSeconds": _PERIOD_SECONDS}


def _scale_up() -> dict[str, Any]:
    return {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [_policy("Pods", 4), _policy("Percent", 100)],
    }


def _scale_down() -> dict[str, Any]:
    return {"selectPolicy": "Max", "policies": [_policy("Percent", 100)]}


def _default_replicas(spec: Object, _ctx: RuleContext) -> None:
    if spec.get("minReplicas") is None:
        spec["minReplicas"] = 1


def _default_spec(spec: Object, ctx: RuleContext) -> None:
    # upstream: pkg/apis/autoscaling/v2/defaults.go SetDefaults_HorizontalPodAutoscaler
    _default_replicas(spec, ctx)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": _CPU_UTILIZATION}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    behavior = spec.get("behavior")
    if behavior is not None:
        for side, defaults in (("scaleUp", _scale_up()), ("scaleDown", _scale_down())):
            behavior[side] = defaults | _given(behavior.get(side))


def _given(rules: Object | None) -> Object:
    return {field: value for field, value in (rules or {}).items() if value is not None}


_MAX_WINDOW, _MAX_PERIOD = 3600, 1800
_SELECTIONS = ("Disabled", "Max", "Min")
_POSITIVE = "must be greater than zero"


def _validate_spec(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/autoscaling/validation/validation.go validateHorizontalPodAutoscalerSpec
    low, high = spec.get("minReplicas"), spec.get("maxReplicas") or 0
    where = path.child("maxReplicas")
    found = checks.nonnegative(spec, path, "minReplicas")
    if not high:
        found.append(FieldError.required(where))
    elif high < 0:
        found.append(FieldError.invalid(where, high, "must be greater than or equal to 1"))
    if low is not None and high < low:
        text = "must be greater than or equal to `minReplicas`"
        found.append(FieldError.invalid(where, high, text))
    target = spec.get("scaleTargetRef") or {}
    where = path.child("scaleTargetRef")
    found += hpa_metrics.check_reference(target, where)
    found += _target_group(target, ctx.old, where.child("apiVersion"))
    return found + hpa_metrics.check(spec.get("metrics") or [], low, path.child("metrics"))


def _target_group(target: Object, old: Object | None, path: Path) -> checks.Errors:
    """Only replication controllers have none; and what was stored without one."""
    # upstream: horizontalpodautoscaler/strategy.go validationOptionsForHorizontalPodAutoscaler
    version, kind = target.get("apiVersion") or "", target.get("kind") or ""
    if "/" in version or kind == "ReplicationController":
        return []
    before = nested(old or {}, "spec", "scaleTargetRef")
    if before is not None:
        if (before.get("apiVersion") or "", before.get("kind") or "") == (version, kind):
            return []
    return [FieldError.invalid(path, version, "apiVersion must specify API group")]


def _validate_rules(rules: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/autoscaling/validation/validation.go validateScalingRules
    window, where = (
        rules.get("stabilizationWindowSeconds"),
        path.child("stabilizationWindowSeconds"),
    )
    found = []
    if window is not None and window < 0:
        text = "must be greater than or equal to zero"
        found.append(FieldError.invalid(where, window, text))
    if window is not None and window > _MAX_WINDOW:
        text = f"must be less than or equal to {_MAX_WINDOW}"
        found.append(FieldError.invalid(where, window, text))
    found += checks.optional(rules, path, "selectPolicy", _SELECTIONS)
    if not rules.get("policies"):
        text = "must specify at least one Policy"
        found.append(FieldError.required(path.child("policies"), text))
    tolerance = checks.quantity(rules.get("tolerance") or 0)
    if tolerance is not None and tolerance.sign() < 0:
        where = path.child("tolerance")
        found.append(FieldError.invalid(where, str(tolerance), checks.NEGATIVE))
    return found


def _validate_policy(policy: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/autoscaling/validation/validation.go validateScalingPolicy
    found = checks.supported(policy.get("type") or "", path.child("type"), ("Percent", "Pods"))
    for field in ("value", "periodSeconds"):
        value = policy.get(field) or 0
        if value <= 0:
            found.append(FieldError.invalid(path.child(field), value, _POSITIVE))
    period = policy.get("periodSeconds") or 0
    if period > _MAX_PERIOD:
        text = f"must be less than or equal to {_MAX_PERIOD}"
        found.append(FieldError.invalid(path.child("periodSeconds"), period, text))
    return found


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/autoscaling/validation/validation.go ValidateHorizontalPodAutoscalerStatusUpdate
    found = []
    for position, condition in enumerate(status.get("conditions") or ()):
        where = path.child("conditions").index(position)
        found += checks.nonnegative(condition, where, "observedGeneration")
    return found + checks.nonnegative(status, path, "currentReplicas", "desiredReplicas")


RULES = (
    TypeRule(
        type="io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec", default=_default_replicas
    ),
    TypeRule(
        type="io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec",
        default=_default_spec,
        validate=_validate_spec,
    ),
    TypeRule(type="io.k8s.api.autoscaling.v2.HPAScalingRules", validate=_validate_rules),
    TypeRule(type="io.k8s.api.autoscaling.v2.HPAScalingPolicy", validate=_validate_policy),
    TypeRule(
        type="io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus", validate=_validate_status
    ),
)
