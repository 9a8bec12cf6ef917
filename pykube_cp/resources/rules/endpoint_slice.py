"""Endpoint slices."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default_port(port: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/discovery/v1/defaults.go SetDefaults_EndpointPort
    if port.get("name") is None:
        port["name"] = ""
    if port.get("protocol") is None:
        port["protocol"] = "TCP"


RULES = (TypeRule(type="io.k8s.api.discovery.v1.EndpointPort", default=_default_port),)
