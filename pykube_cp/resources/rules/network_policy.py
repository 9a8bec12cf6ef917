"""Network policies."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/networking/v1/defaults.go SetDefaults_NetworkPolicy
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


def _default_port(port: Object, _ctx: RuleContext) -> None:
    if port.get("protocol") is None:
        port["protocol"] = "TCP"


RULES = (
    TypeRule(type="io.k8s.api.networking.v1.NetworkPolicySpec", default=_default_spec),
    TypeRule(type="io.k8s.api.networking.v1.NetworkPolicyPort", default=_default_port),
)
