"""Claims that name no storage class get the default one."""
# upstream: plugin/pkg/admission/storage/storageclass/setdefault/admission.go

from pykube_cp.admission.base import CREATE, BasePlugin
from pykube_cp.admission.interface import Attributes
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

_CLASSES = GVR("storage.k8s.io", "v1", "storageclasses")
_ANNOTATIONS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)
_OLD = "volume.beta.kubernetes.io/storage-class"


class DefaultStorageClass(BasePlugin):
    """Of several defaults the newest is taken."""

    name = "DefaultStorageClass"
    operations = CREATE
    resources = frozenset({("", "persistentvolumeclaims")})

    async def admit(self, attributes: Attributes) -> None:
        claim = attributes.object
        if attributes.subresource or claim is None:
            return
        if claim["spec"].get("storageClassName") is not None:
            return
        if _OLD in (claim["metadata"].get("annotations") or {}):
            return
        found = await self.services.client.list(_CLASSES)
        defaults = [each for each in found.items if _is_default(each)]
        if defaults:
            newest = max(defaults, key=_age)
            claim["spec"]["storageClassName"] = newest["metadata"]["name"]


def _is_default(each: Object) -> bool:
    annotations = each["metadata"].get("annotations") or {}
    return any(annotations.get(key) == "true" for key in _ANNOTATIONS)


def _age(each: Object) -> tuple[str, tuple[int, ...]]:
    """Newer is greater; of two made in the same second the alphabetically first."""
    meta = each["metadata"]
    return meta["creationTimestamp"], tuple(-ord(char) for char in meta["name"])
