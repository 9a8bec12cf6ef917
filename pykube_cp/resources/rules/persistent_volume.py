"""Persistent volumes."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule


def _default(volume: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_PersistentVolume
    spec = volume.setdefault("spec", {})
    if not spec.get("persistentVolumeReclaimPolicy"):
        spec["persistentVolumeReclaimPolicy"] = "Retain"
    if spec.get("volumeMode") is None:
        spec["volumeMode"] = "Filesystem"


def _default_status(status: Object, _ctx: RuleContext) -> None:
    if not status.get("phase"):
        status["phase"] = "Pending"


RULES = (
    TypeRule(type="io.k8s.api.core.v1.PersistentVolume", default=_default),
    TypeRule(type="io.k8s.api.core.v1.PersistentVolumeStatus", default=_default_status),
)
