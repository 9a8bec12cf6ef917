"""Persistent volume claims, in StatefulSets too."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default_spec(spec: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_PersistentVolumeClaimSpec
    if spec.get("volumeMode") is None:
        spec["volumeMode"] = "Filesystem"


def _default_status(status: Object, _ctx: RuleContext) -> None:
    if not status.get("phase"):
        status["phase"] = "Pending"


RULES = (
    TypeRule(type="io.k8s.api.core.v1.PersistentVolumeClaimSpec", default=_default_spec),
    TypeRule(type="io.k8s.api.core.v1.PersistentVolumeClaimStatus", default=_default_status),
)
