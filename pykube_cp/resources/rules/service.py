"""Services."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_AFFINITY_SECONDS = 10800


def _default(service: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Service
    spec = service.setdefault("spec", {})
    _default_affinity(spec)
    kind = spec["type"] = spec.get("type") or "ClusterIP"
    for port in spec.get("ports") or ():
        _default_port(port)
    exposed = kind in {"LoadBalancer", "NodePort"}
    if not spec.get("externalTrafficPolicy") and (
        exposed or (kind == "ClusterIP" and spec.get("externalIPs"))
    ):
        spec["externalTrafficPolicy"] = "Cluster"
    if spec.get("internalTrafficPolicy") is None and (exposed or kind == "ClusterIP"):
        spec["internalTrafficPolicy"] = "Cluster"
    if kind == "LoadBalancer":
        _default_load_balancer(service, spec)


def _default_affinity(spec: Object) -> None:
    affinity = spec["sessionAffinity"] = spec.get("sessionAffinity") or "None"
    if affinity == "None":
        spec.pop("sessionAffinityConfig", None)
    elif affinity == "ClientIP":
        config = spec.get("sessionAffinityConfig") or {}
        if (config.get("clientIP") or {}).get("timeoutSeconds") is None:
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": _AFFINITY_SECONDS}}


def _default_port(port: Object) -> None:
    if not port.get("protocol"):
        port["protocol"] = "TCP"
    if not port.get("targetPort"):
        port["targetPort"] = port.get("port", 0)


def _default_load_balancer(service: Object, spec: Object) -> None:
    if spec.get("allocateLoadBalancerNodePorts") is None:
        spec["allocateLoadBalancerNodePorts"] = True
    status = (service.get("status") or {}).get("loadBalancer") or {}
    for ingress in status.get("ingress") or ():
        if ingress.get("ip") and ingress.get("ipMode") is None:
            ingress["ipMode"] = "VIP"


RULES = (TypeRule(type="io.k8s.api.core.v1.Service", default=_default),)
