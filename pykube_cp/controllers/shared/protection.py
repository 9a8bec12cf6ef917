"""Finalizers that keep an object while it is in use."""
# upstream: pkg/controller/volume/protectionutil/utils.go

from pykube_cp.client.interface import Client
from pykube_cp.machinery import objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object


def is_deletion_candidate(obj: Object, finalizer: str) -> bool:
    """Whether the object is being deleted and held by the finalizer."""
    return objects.is_deleting(obj) and finalizer in objects.finalizers(obj)


def needs_finalizer(obj: Object, finalizer: str) -> bool:
    return not objects.is_deleting(obj) and finalizer not in objects.finalizers(obj)


async def set_held(client: Client, gvr: GVR, obj: Object, finalizer: str, *, held: bool) -> None:
    """Add or remove the finalizer."""
    copy = objects.deep_copy(obj)
    others = [name for name in objects.finalizers(copy) if name != finalizer]
    copy["metadata"]["finalizers"] = [*others, finalizer] if held else others
    await client.update(gvr, copy)
