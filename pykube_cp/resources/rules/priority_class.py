"""Priority classes and what else names a preemption policy."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default(priority_class: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/scheduling/v1/defaults.go SetDefaults_PriorityClass
    if priority_class.get("preemptionPolicy") is None:
        priority_class["preemptionPolicy"] = "PreemptLowerPriority"


RULES = (TypeRule(type="io.k8s.api.scheduling.v1.PriorityClass", default=_default),)
