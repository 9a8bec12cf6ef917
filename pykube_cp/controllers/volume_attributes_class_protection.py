"""Keeps VolumeAttributesClasses from vanishing while volumes or claims name them."""
# upstream: pkg/controller/volume/vacprotection/vac_protection_controller.go Controller

from collections.abc import Iterable

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.cluster_kinds import PERSISTENT_VOLUMES, VOLUME_ATTRIBUTES_CLASSES
from pykube_cp.controllers.shared.kinds import PERSISTENT_VOLUME_CLAIMS
from pykube_cp.controllers.shared.protection import is_deletion_candidate, needs_finalizer, set_held
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object

FINALIZER = "kubernetes.io/vac-protection"
_INDEX = "volume-attributes-class-protection-class"
_USERS = (PERSISTENT_VOLUMES, PERSISTENT_VOLUME_CLAIMS)


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    found = ctx.lister(VOLUME_ATTRIBUTES_CLASSES).get(key)
    if found is None:
        return None
    if is_deletion_candidate(found, FINALIZER):
        if not any(ctx.lister(gvr).by_index(_INDEX, key) for gvr in _USERS):
            await set_held(ctx.client, VOLUME_ATTRIBUTES_CLASSES, found, FINALIZER, held=False)
    elif needs_finalizer(found, FINALIZER):
        await set_held(ctx.client, VOLUME_ATTRIBUTES_CLASSES, found, FINALIZER, held=True)
    return None


def class_names(obj: Object) -> set[str]:
    """The classes that a volume or claim has, had last or is to have."""
    # upstream: pkg/controller/volume/vacprotection/vac_protection_controller.go
    # getPVCReferencedVACNames
    status = obj.get("status") or {}
    names = (
        obj["spec"].get("volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        objects.nested(status, "modifyVolumeStatus", "targetVolumeAttributesClassName"),
    )
    return {name for name in names if name}


def _user_changed(_ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    """Classes that an object no longer names."""
    return class_names(old) - (class_names(new) if new else set()) if old else ()


CONTROLLER = Controller(
    name="volumeattributesclass-protection-controller",
    identity="volumeattributesclass-protection-controller",
    watches=(
        Watch(VOLUME_ATTRIBUTES_CLASSES),
        *(Watch(gvr, changed=_user_changed, indexes={_INDEX: class_names}) for gvr in _USERS),
    ),
    reconcile=reconcile,
)
