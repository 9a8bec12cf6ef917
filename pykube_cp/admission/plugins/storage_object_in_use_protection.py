"""Volumes and claims carry a finalizer, so that none vanishes while in use."""
# upstream: plugin/pkg/admission/storage/storageobjectinuseprotection/admission.go

from pykube_cp.admission.base import CREATE, BasePlugin
from pykube_cp.admission.interface import Attributes

_FINALIZERS = {
    "persistentvolumes": "kubernetes.io/pv-protection",
    "persistentvolumeclaims": "kubernetes.io/pvc-protection",
    "volumeattributesclasses": "kubernetes.io/vac-protection",
}


class StorageObjectInUseProtection(BasePlugin):
    """Adds the finalizer of the kind."""

    name = "StorageObjectInUseProtection"
    operations = CREATE
    resources = frozenset(
        {
            ("", "persistentvolumes"),
            ("", "persistentvolumeclaims"),
            ("storage.k8s.io", "volumeattributesclasses"),
        }
    )

    async def admit(self, attributes: Attributes) -> None:
        if attributes.subresource or attributes.object is None:
            return
        meta = attributes.object["metadata"]
        finalizer = _FINALIZERS[attributes.resource.resource]
        if finalizer not in (meta.get("finalizers") or []):
            meta["finalizers"] = [*(meta.get("finalizers") or []), finalizer]
