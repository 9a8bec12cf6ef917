"""Keeps PersistentVolumes from vanishing while they are bound."""
# upstream: pkg/controller/volume/pvprotection/pv_protection_controller.go Controller

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.cluster_kinds import PERSISTENT_VOLUMES
from pykube_cp.controllers.shared.protection import is_deletion_candidate, needs_finalizer, set_held
from pykube_cp.machinery import objects

FINALIZER = "kubernetes.io/pv-protection"


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    volume = ctx.lister(PERSISTENT_VOLUMES).get(key)
    if volume is None:
        return None
    if is_deletion_candidate(volume, FINALIZER):
        if objects.nested(volume, "status", "phase") != "Bound":
            await set_held(ctx.client, PERSISTENT_VOLUMES, volume, FINALIZER, held=False)
    elif needs_finalizer(volume, FINALIZER):
        await set_held(ctx.client, PERSISTENT_VOLUMES, volume, FINALIZER, held=True)
    return None


CONTROLLER = Controller(
    name="persistentvolume-protection-controller",
    aliases=("pv-protection",),
    identity="pv-protection-controller",
    watches=(Watch(PERSISTENT_VOLUMES),),
    reconcile=reconcile,
)
