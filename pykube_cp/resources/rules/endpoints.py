"""Endpoints."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default_port(port: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Endpoints
    if not port.get("protocol"):
        port["protocol"] = "TCP"


RULES = (TypeRule(type="io.k8s.api.core.v1.EndpointPort", default=_default_port),)
