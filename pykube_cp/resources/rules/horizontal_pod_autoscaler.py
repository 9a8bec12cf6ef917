"""Horizontal pod autoscalers."""

from typing import Any

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

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


RULES = (
    TypeRule(
        type="io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec", default=_default_replicas
    ),
    TypeRule(type="io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec", default=_default_spec),
)
