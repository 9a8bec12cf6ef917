"""Replica sets."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/apps/v1/defaults.go SetDefaults_ReplicaSet
    if spec.get("replicas") is None:
        spec["replicas"] = 1


RULES = (TypeRule(type="io.k8s.api.apps.v1.ReplicaSetSpec", default=_default_spec),)
