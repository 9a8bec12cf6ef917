"""A bound claim grows only where its storage class allows it."""
# upstream: plugin/pkg/admission/storage/persistentvolume/resize/admission.go

from pykube_cp.admission.base import UPDATE, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.machinery.quantity import Quantity

_CLASSES = GVR("storage.k8s.io", "v1", "storageclasses")


class PersistentVolumeClaimResize(BasePlugin):
    """Checks claims whose request has grown."""

    name = "PersistentVolumeClaimResize"
    operations = UPDATE
    resources = frozenset({("", "persistentvolumeclaims")})

    async def validate(self, attributes: Attributes) -> None:
        claim, old = attributes.object, attributes.old_object
        if attributes.subresource or claim is None or old is None:
            return
        if _size(claim) <= _size(old):
            return
        if nested(claim, "status", "phase") != "Bound":
            raise forbidden(attributes, "Only bound persistent volume claims can be expanded")
        if not await self._may_grow(claim):
            raise forbidden(
                attributes,
                "only dynamically provisioned pvc can be resized and the storageclass that "
                "provisions the pvc must support resize",
            )

    async def _may_grow(self, claim: Object) -> bool:
        name = claim["spec"].get("storageClassName") or ""
        if not name:
            return False
        try:
            found = await self.services.client.get(_CLASSES, name)
        except errors.StatusError:
            return False
        return bool(found.get("allowVolumeExpansion"))


def _size(claim: Object) -> Quantity:
    return Quantity.parse(nested(claim, "spec", "resources", "requests", "storage", default="0"))
