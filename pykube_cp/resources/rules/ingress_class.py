"""Ingress classes."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default_parameters(reference: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/networking/v1/defaults.go SetDefaults_IngressClass
    if reference.get("scope") is None:
        reference["scope"] = "Cluster"


RULES = (
    TypeRule(
        type="io.k8s.api.networking.v1.IngressClassParametersReference",
        default=_default_parameters,
    ),
)
