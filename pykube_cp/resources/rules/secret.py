"""Secrets."""

from base64 import b64encode

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default(secret: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/conversion.go Convert_v1_Secret_To_core_Secret
    if texts := secret.pop("stringData", None):
        encoded = {key: b64encode(text.encode()).decode() for key, text in texts.items()}
        secret["data"] = {**(secret.get("data") or {}), **encoded}
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Secret
    if not secret.get("type"):
        secret["type"] = "Opaque"


RULES = (TypeRule(type="io.k8s.api.core.v1.Secret", default=_default),)
