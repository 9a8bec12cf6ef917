"""Secrets."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default(secret: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Secret
    if not secret.get("type"):
        secret["type"] = "Opaque"


RULES = (TypeRule(type="io.k8s.api.core.v1.Secret", default=_default),)
