"""References to fields of the pod itself."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default(selector: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_ObjectFieldSelector
    if not selector.get("apiVersion"):
        selector["apiVersion"] = "v1"


RULES = (TypeRule(type="io.k8s.api.core.v1.ObjectFieldSelector", default=_default),)
