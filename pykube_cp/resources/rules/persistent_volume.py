"""Persistent volumes."""

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, defaults, persistent_volumes


def _default(volume: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_PersistentVolume
    spec = volume.setdefault("spec", {})
    if not spec.get("persistentVolumeReclaimPolicy"):
        spec["persistentVolumeReclaimPolicy"] = "Retain"
    if spec.get("volumeMode") is None:
        spec["volumeMode"] = "Filesystem"


def _validate(volume: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    spec = volume.get("spec") or {}
    if ctx.old is not None and spec == ctx.old.get("spec"):
        return []
    name = (volume.get("metadata") or {}).get("name", "")
    return persistent_volumes.check(spec, name, path.child("spec"))


RULES = (
    TypeRule(type="io.k8s.api.core.v1.PersistentVolume", default=_default, validate=_validate),
    TypeRule(
        type="io.k8s.api.core.v1.PersistentVolumeStatus", default=defaults.zeros(phase="Pending")
    ),
)
