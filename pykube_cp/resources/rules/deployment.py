"""Deployments."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_SPEC = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600}


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/apps/v1/defaults.go SetDefaults_Deployment
    for field, value in _SPEC.items():
        if spec.get(field) is None:
            spec[field] = value


def _default_strategy(strategy: Object, _ctx: RuleContext) -> None:
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] != "RollingUpdate":
        return
    rolling = strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
    for field in ("maxUnavailable", "maxSurge"):
        if rolling.get(field) is None:
            rolling[field] = "25%"


RULES = (
    TypeRule(type="io.k8s.api.apps.v1.DeploymentSpec", default=_default_spec),
    TypeRule(type="io.k8s.api.apps.v1.DeploymentStrategy", default=_default_strategy),
)
