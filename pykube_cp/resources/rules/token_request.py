"""Requests for service-account tokens."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/authentication/v1/defaults.go SetDefaults_TokenRequestSpec
    if spec.get("expirationSeconds") is None:
        spec["expirationSeconds"] = 3600


RULES = (TypeRule(type="io.k8s.api.authentication.v1.TokenRequestSpec", default=_default_spec),)
