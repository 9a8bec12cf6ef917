"""Claims that name no storage class get the default one."""
# upstream: plugin/pkg/admission/storage/storageclass/setdefault/admission.go

from pykube_cp.admission.base import CREATE, BasePlugin
from pykube_cp.admission.interface import Attributes
from pykube_cp.machinery import volumes
from pykube_cp.machinery.gvk import GVR

_CLASSES = GVR("storage.k8s.io", "v1", "storageclasses")


class DefaultStorageClass(BasePlugin):
    """Of several defaults the newest is taken."""

    name = "DefaultStorageClass"
    operations = CREATE
    resources = frozenset({("", "persistentvolumeclaims")})

    async def admit(self, attributes: Attributes) -> None:
        claim = attributes.object
        if attributes.subresource or claim is None:
            return
        if volumes.has_class(claim):
            return
        found = await self.services.client.list(_CLASSES)
        chosen = volumes.default_class(found.items)
        if chosen is not None:
            claim["spec"]["storageClassName"] = chosen["metadata"]["name"]
