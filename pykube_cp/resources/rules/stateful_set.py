"""Stateful sets."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_SPEC = {"replicas": 1, "revisionHistoryLimit": 10}


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/apps/v1/defaults.go SetDefaults_StatefulSet
    if not spec.get("podManagementPolicy"):
        spec["podManagementPolicy"] = "OrderedReady"
    retention = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    spec["persistentVolumeClaimRetentionPolicy"] = retention
    for field in ("whenDeleted", "whenScaled"):
        if not retention.get(field):
            retention[field] = "Retain"
    for field, value in _SPEC.items():
        if spec.get(field) is None:
            spec[field] = value


def _default_strategy(strategy: Object, _ctx: RuleContext) -> None:
    """An explicit RollingUpdate without its details stays without them."""
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
        strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
    rolling = strategy.get("rollingUpdate")
    if strategy["type"] != "RollingUpdate" or rolling is None:
        return
    if rolling.get("partition") is None:
        rolling["partition"] = 0
    if rolling.get("maxUnavailable") is None:
        rolling["maxUnavailable"] = 1


RULES = (
    TypeRule(type="io.k8s.api.apps.v1.StatefulSetSpec", default=_default_spec),
    TypeRule(type="io.k8s.api.apps.v1.StatefulSetUpdateStrategy", default=_default_strategy),
)
