"""Namespaces."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

NAME_LABEL = "kubernetes.io/metadata.name"


def _default(namespace: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Namespace
    meta = namespace.get("metadata") or {}
    if meta.get("name"):
        meta["labels"] = {**(meta.get("labels") or {}), NAME_LABEL: meta["name"]}


def _default_status(status: Object, _ctx: RuleContext) -> None:
    if not status.get("phase"):
        status["phase"] = "Active"


RULES = (
    TypeRule(type="io.k8s.api.core.v1.Namespace", default=_default),
    TypeRule(type="io.k8s.api.core.v1.NamespaceStatus", default=_default_status),
)
