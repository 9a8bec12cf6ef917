"""Replication controllers."""

from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default(controller: Object, _ctx: RuleContext) -> None:
    """Selector and labels are the template's when not given."""
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_ReplicationController
    labels = nested(controller, "spec", "template", "metadata", "labels")
    if not labels:
        return
    meta = controller.setdefault("metadata", {})
    for owner, field in ((controller["spec"], "selector"), (meta, "labels")):
        if not owner.get(field):
            owner[field] = dict(labels)


RULES = (TypeRule(type="io.k8s.api.core.v1.ReplicationController", default=_default),)
