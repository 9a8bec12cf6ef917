"""Makes the PersistentVolumeClaims of Pods' generic ephemeral volumes."""
# upstream: pkg/controller/volume/ephemeral/controller.go ephemeralController

from collections.abc import Iterable

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.controller_refs import new_controller_ref
from pykube_cp.controllers.shared.kinds import PERSISTENT_VOLUME_CLAIMS, POD, PODS
from pykube_cp.controllers.shared.volume_claims import PODS_BY_CLAIM, claim_index
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.volumes import ephemeral_claim_name, is_for_pod


class EphemeralVolumeError(Exception):
    """The claim of a volume cannot be had; the text says why."""


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    pod = ctx.lister(PODS).get(key)
    if pod is None or objects.is_deleting(pod):
        return None
    for volume in _ephemeral_volumes(pod):
        try:
            await _ensure_claim(ctx, pod, volume)
        except EphemeralVolumeError as err:
            text = f"ephemeral volume {volume['name']}: {err}"
            ctx.recorder.event(pod, "Warning", "FailedBinding", text)
            raise EphemeralVolumeError(f"pod {key}, {text}") from err
    return None


def _ephemeral_volumes(pod: Object) -> list[Object]:
    return [item for item in pod["spec"].get("volumes") or () if item.get("ephemeral") is not None]


async def _ensure_claim(ctx: ControllerContext, pod: Object, volume: Object) -> None:
    namespace = objects.namespace(pod)
    name = ephemeral_claim_name(pod, volume)
    claim = ctx.lister(PERSISTENT_VOLUME_CLAIMS).named(name, namespace)
    if claim is None:
        try:
            await ctx.client.create(
                PERSISTENT_VOLUME_CLAIMS, _new_claim(pod, volume, name), namespace
            )
        except StatusError as err:
            raise EphemeralVolumeError(f"create PVC {name}: {err}") from err
    elif not is_for_pod(claim, pod):
        # upstream: component-helpers storage/ephemeral/ephemeral.go VolumeIsForPod
        raise EphemeralVolumeError(
            f"PVC {namespace}/{name} was not created for pod {objects.key(pod)} (pod is not owner)"
        )


def _new_claim(pod: Object, volume: Object, name: str) -> Object:
    template = objects.deep_copy(volume["ephemeral"]["volumeClaimTemplate"])
    metadata = {
        "name": name,
        "namespace": objects.namespace(pod),
        "ownerReferences": [new_controller_ref(pod, POD)],
    }
    for field in ("labels", "annotations"):
        if found := objects.metadata(template).get(field):
            metadata[field] = found
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": template["spec"],
    }


def _pod_changed(_ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    # Volumes never change, so one look at each Pod is enough.
    if new is None or old is not None or objects.is_deleting(new):
        return ()
    return (objects.key(new),) if _ephemeral_volumes(new) else ()


def _claim_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    """A claim that was deleted under a Pod is made again."""
    if new is not None or old is None:
        return ()
    pods = ctx.lister(PODS).by_index(PODS_BY_CLAIM, objects.key(old))
    return [objects.key(pod) for pod in pods if _ephemeral_volumes(pod)]


CONTROLLER = Controller(
    name="ephemeral-volume-controller",
    aliases=("ephemeral-volume",),
    identity="ephemeral-volume-controller",
    event_source="ephemeral_volume",
    watches=(
        Watch(PODS, changed=_pod_changed, indexes={PODS_BY_CLAIM: claim_index}),
        Watch(PERSISTENT_VOLUME_CLAIMS, changed=_claim_changed),
    ),
    reconcile=reconcile,
    workers=5,
)
