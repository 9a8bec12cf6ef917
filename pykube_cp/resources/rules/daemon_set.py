"""Daemon sets."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_ROLLING = {"maxUnavailable": 1, "maxSurge": 0}


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/apps/v1/defaults.go SetDefaults_DaemonSet
    if spec.get("revisionHistoryLimit") is None:
        spec["revisionHistoryLimit"] = 10


def _default_strategy(strategy: Object, _ctx: RuleContext) -> None:
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] != "RollingUpdate":
        return
    rolling = strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
    for field, value in _ROLLING.items():
        if rolling.get(field) is None:
            rolling[field] = value


RULES = (
    TypeRule(type="io.k8s.api.apps.v1.DaemonSetSpec", default=_default_spec),
    TypeRule(type="io.k8s.api.apps.v1.DaemonSetUpdateStrategy", default=_default_strategy),
)
