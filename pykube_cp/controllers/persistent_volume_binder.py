"""Binds PersistentVolumeClaims to PersistentVolumes, and reclaims volumes whose claim is gone.

The bond has two ends, ``spec.claimRef`` of the volume and ``spec.volumeName`` of the claim, written
one after the other; either may be set beforehand by a user. Each look at a volume or a claim works
from what it sees, so that it gets further from any half-way state. One worker looks at both, lest
two claims take the same volume.
"""
# upstream: pkg/controller/volume/persistentvolume/pv_controller.go PersistentVolumeController

import re
from collections.abc import Iterable

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import volume_claims
from pykube_cp.controllers.shared.cluster_kinds import PERSISTENT_VOLUMES, STORAGE_CLASSES
from pykube_cp.controllers.shared.kinds import PERSISTENT_VOLUME_CLAIMS, PODS
from pykube_cp.controllers.shared.volume_binding import VolumeBinding
from pykube_cp.controllers.shared.volume_claims import (
    BETA_STORAGE_PROVISIONER,
    MIGRATED_TO,
    PODS_BY_CLAIM,
    PROVISIONED_BY,
    STORAGE_PROVISIONER,
    VolumeMismatchError,
)
from pykube_cp.controllers.shared.written import WrittenObjects
from pykube_cp.machinery import objects, volumes
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.volumes import BIND_COMPLETED, BOUND_BY_CONTROLLER, SELECTED_NODE

_CLAIM, _VOLUME = "claim:", "volume:"
_IN_TREE = "kubernetes.io/"
_DELETABLE_PATH = re.compile("/tmp/.+")  # noqa: S108 - a path on the nodes, not here


class BindingError(Exception):
    """A claim and its volume contradict one another; the text says how."""


def _set_up(ctx: ControllerContext) -> VolumeBinding:
    volumes, claims = ctx.lister(PERSISTENT_VOLUMES), ctx.lister(PERSISTENT_VOLUME_CLAIMS)
    return VolumeBinding(
        client=ctx.client,
        recorder=ctx.recorder,
        volumes=WrittenObjects(volumes.get, volumes.list),
        claims=WrittenObjects(claims.get, claims.list),
    )


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    binding: VolumeBinding = ctx.state
    kind, _, name = key.partition(":")
    if f"{kind}:" == _CLAIM:
        claim = binding.claims.get(name)
        return await _sync_claim(ctx, claim) if claim else None
    volume = binding.volumes.get(name)
    return await _sync_volume(ctx, volume) if volume else None


def _later(ctx: ControllerContext) -> Result:
    return Result(requeue_after=ctx.config.pv_claim_binder_sync_period)


# --- claims


async def _sync_claim(ctx: ControllerContext, claim: Object) -> Result | None:
    if BIND_COMPLETED in objects.annotations(claim):
        await _sync_bound_claim(ctx, claim)
        return None
    if claim["spec"].get("volumeName"):
        return await _sync_claim_of_named_volume(ctx, claim)
    return await _sync_unbound_claim(ctx, claim)


async def _sync_unbound_claim(ctx: ControllerContext, claim: Object) -> Result | None:
    """A claim that takes any volume that fits."""
    binding: VolumeBinding = ctx.state
    class_name = volumes.class_of(claim)
    storage_class = ctx.lister(STORAGE_CLASSES).get(class_name) if class_name else None
    delayed = volume_claims.waits_for_consumer(storage_class)
    volume = volume_claims.find_volume(claim, binding.volumes.all(), delayed=delayed)
    if volume is not None:
        await binding.bind(volume, claim)
        return None
    if await _assign_default_class(ctx, claim):
        return None
    if delayed and SELECTED_NODE not in objects.annotations(claim):
        _tell_waiting(ctx, claim)
    elif class_name:
        await _provision(ctx, claim, storage_class)
        return _later(ctx)
    else:
        text = "no persistent volumes available for this claim and no storage class is set"
        ctx.recorder.event(claim, "Normal", "FailedBinding", text)
    await binding.set_claim_phase(claim, "Pending")
    return _later(ctx)


async def _assign_default_class(ctx: ControllerContext, claim: Object) -> bool:
    if volumes.has_class(claim):
        return False
    found = volumes.default_class(ctx.lister(STORAGE_CLASSES))
    if found is None:
        return False
    binding: VolumeBinding = ctx.state
    changed = objects.deep_copy(claim)
    changed["spec"]["storageClassName"] = objects.name(found)
    await binding.write_claim(claim, changed)
    return True


def _tell_waiting(ctx: ControllerContext, claim: Object) -> None:
    # upstream: pkg/controller/volume/persistentvolume/pv_controller.go
    # emitEventForUnboundDelayBindingClaim
    pods = [
        objects.name(pod)
        for pod in ctx.lister(PODS).by_index(PODS_BY_CLAIM, objects.key(claim))
        if not volume_claims.has_ended(pod) and not pod["spec"].get("nodeName")
    ]
    if not pods:
        text = "waiting for first consumer to be created before binding"
        ctx.recorder.event(claim, "Normal", "WaitForFirstConsumer", text)
        return
    whom = f"pods {','.join(pods)}" if len(pods) > 1 else f"pod {pods[0]}"
    text = f"waiting for {whom} to be scheduled"
    ctx.recorder.event(claim, "Normal", "WaitForPodScheduled", text)


async def _provision(ctx: ControllerContext, claim: Object, storage_class: Object | None) -> None:
    """Ask the class's provisioner, which runs elsewhere, for a volume."""
    # upstream: pkg/controller/volume/persistentvolume/pv_controller.go provisionClaim
    if not ctx.config.enable_dynamic_provisioning:
        return
    if storage_class is None:
        name = volumes.class_of(claim)
        text = f'storageclass.storage.k8s.io "{name}" not found'
        ctx.recorder.event(claim, "Warning", "ProvisioningFailed", text)
        return
    provisioner = storage_class["provisioner"]
    if provisioner.startswith(_IN_TREE):
        text = "no volume plugin matched name: " + provisioner
        ctx.recorder.event(claim, "Warning", "ProvisioningFailed", text)
        return
    binding: VolumeBinding = ctx.state
    changed = objects.deep_copy(claim)
    annotations = changed["metadata"].setdefault("annotations", {})
    annotations[BETA_STORAGE_PROVISIONER] = annotations[STORAGE_PROVISIONER] = provisioner
    try:
        claim = await binding.write_claim(claim, changed)
    except StatusError as err:
        text = f"Error saving claim: {err}"
        ctx.recorder.event(claim, "Warning", "ProvisioningFailed", text)
        raise
    text = (
        "Waiting for a volume to be created either by the external provisioner "
        f"'{provisioner}' or manually by the system administrator. If volume creation is "
        "delayed, please verify that the provisioner is running and correctly registered."
    )
    ctx.recorder.event(claim, "Normal", "ExternalProvisioning", text)


async def _sync_claim_of_named_volume(ctx: ControllerContext, claim: Object) -> Result | None:
    """A claim that wants one certain volume."""
    binding: VolumeBinding = ctx.state
    name = claim["spec"]["volumeName"]
    volume = binding.volumes.get(name)
    if volume is None:
        await binding.set_claim_phase(claim, "Pending")
        return _later(ctx)
    if not volume["spec"].get("claimRef"):
        try:
            volume_claims.check_volume(volume, claim)
        except VolumeMismatchError as err:
            text = f'Cannot bind to requested volume "{name}": {err}'
            ctx.recorder.event(claim, "Warning", "VolumeMismatch", text)
            await binding.set_claim_phase(claim, "Pending")
            return _later(ctx)
    elif not volumes.is_bound_to(volume, claim):
        text = f'volume "{name}" already bound to a different claim.'
        ctx.recorder.event(claim, "Warning", "FailedBinding", text)
        if BOUND_BY_CONTROLLER in objects.annotations(claim):
            raise BindingError(
                f'invalid binding of claim "{objects.key(claim)}" to volume "{name}": volume '
                f'already claimed by "{volumes.claim_key_of(volume)}"'
            )
        await binding.set_claim_phase(claim, "Pending")
        return _later(ctx)
    await binding.bind(volume, claim)
    return None


async def _sync_bound_claim(ctx: ControllerContext, claim: Object) -> None:
    binding: VolumeBinding = ctx.state
    name = claim["spec"].get("volumeName")
    if not name:
        await binding.lose_claim(
            claim,
            "ClaimLost",
            "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!",
        )
        return
    volume = binding.volumes.get(name)
    if volume is None:
        await binding.lose_claim(
            claim,
            "ClaimLost",
            "Bound claim has lost its PersistentVolume. Data on the volume is lost!",
        )
        return
    reference = volume["spec"].get("claimRef")
    if not reference or reference.get("uid") == objects.uid(claim):
        await binding.bind(volume, claim)
        return
    await binding.lose_claim(
        claim,
        "ClaimMisbound",
        "Two claims are bound to the same volume, this one is bound incorrectly",
    )


# --- volumes


async def _sync_volume(ctx: ControllerContext, volume: Object) -> Result | None:
    binding: VolumeBinding = ctx.state
    reference = volume["spec"].get("claimRef")
    if not reference or not reference.get("uid"):
        await binding.set_volume_phase(volume, "Available")
        return None
    claim = await _claim_of(ctx, volume)
    if claim is None:
        return await _release(ctx, volume)
    bound_to = claim["spec"].get("volumeName")
    if not bound_to:
        _hand_to_claim(ctx, volume, claim)
    elif bound_to == objects.name(volume):
        await binding.set_volume_phase(volume, "Bound")
    elif _is_superfluous(volume):
        return await _release(ctx, volume)
    else:
        await binding.unbind(volume)
    return None


async def _claim_of(ctx: ControllerContext, volume: Object) -> Object | None:
    """The very claim that the volume refers to; whether it is gone is for the server to say."""
    binding: VolumeBinding = ctx.state
    reference = volume["spec"]["claimRef"]
    claim = binding.claims.get(volumes.claim_key_of(volume))
    if claim is not None and objects.uid(claim) == reference["uid"]:
        return claim
    if claim is None and objects.nested(volume, "status", "phase") in {"Released", "Failed"}:
        return None
    try:
        claim = await ctx.client.get(
            PERSISTENT_VOLUME_CLAIMS, reference["name"], reference["namespace"]
        )
    except StatusError as err:
        if is_not_found(err):
            return None
        raise
    return claim if objects.uid(claim) == reference["uid"] else None


def _hand_to_claim(ctx: ControllerContext, volume: Object, claim: Object) -> None:
    if not volumes.modes_differ(claim, volume):
        ctx.queue.add(_CLAIM + objects.key(claim))
        return
    text = (
        f'Cannot bind PersistentVolume to requested PersistentVolumeClaim "{objects.name(claim)}" '
        "due to incompatible volumeMode."
    )
    ctx.recorder.event(volume, "Warning", "VolumeMismatch", text)
    text = (
        f'Cannot bind PersistentVolume "{objects.name(volume)}" to requested '
        "PersistentVolumeClaim due to incompatible volumeMode."
    )
    ctx.recorder.event(claim, "Warning", "VolumeMismatch", text)


def _is_superfluous(volume: Object) -> bool:
    """A volume that was made for a claim which has found another."""
    return (
        PROVISIONED_BY in objects.annotations(volume)
        and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete"
    )


async def _release(ctx: ControllerContext, volume: Object) -> Result | None:
    binding: VolumeBinding = ctx.state
    if objects.nested(volume, "status", "phase") != "Failed":
        volume = await binding.set_volume_phase(volume, "Released")
    if MIGRATED_TO in objects.annotations(volume):
        return None
    policy = volume["spec"].get("persistentVolumeReclaimPolicy")
    if policy == "Delete":
        return await _delete(ctx, volume)
    if policy == "Recycle":
        text = "No recycler plugin found for the volume!"
        await binding.set_volume_phase(volume, "Failed", "VolumeFailedRecycle", text)
    elif policy != "Retain":
        text = "Volume has unrecognized PersistentVolumeReclaimPolicy"
        await binding.set_volume_phase(volume, "Failed", "VolumeUnknownReclaimPolicy", text)
    return None


async def _delete(ctx: ControllerContext, volume: Object) -> Result | None:
    # upstream: pkg/controller/volume/persistentvolume/pv_controller.go deleteVolumeOperation
    binding: VolumeBinding = ctx.state
    provisioner = objects.annotations(volume).get(PROVISIONED_BY, "")
    if volume["spec"].get("csi") or (provisioner and not provisioner.startswith(_IN_TREE)):
        return None
    failure = _why_not_deletable(volume)
    if failure:
        await binding.set_volume_phase(volume, "Failed", "VolumeFailedDelete", failure)
        return None
    try:
        await ctx.client.delete(PERSISTENT_VOLUMES, objects.name(volume))
    except StatusError as err:
        if not is_not_found(err):
            raise
    return None


def _why_not_deletable(volume: Object) -> str:
    """Only of paths under ``/tmp`` it is known that nothing of worth is left behind."""
    host_path = volume["spec"].get("hostPath")
    if not host_path:
        name = objects.name(volume)
        return (
            f'error getting deleter volume plugin for volume "{name}": '
            "no deletable volume plugin matched"
        )
    path = host_path.get("path", "")
    if _DELETABLE_PATH.search(path):
        return ""
    return f"host_path deleter only supports /tmp/.+ but received provided {path}"


# --- what wakes it


def _volume_changed(
    ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    binding: VolumeBinding = ctx.state
    if new is None and old is not None:
        binding.volumes.forget(objects.name(old))
        key = volumes.claim_key_of(old)
        return (_CLAIM + key,) if key else ()
    if new is None:
        return ()
    keys = [_VOLUME + objects.name(new)]
    if not new["spec"].get("claimRef"):
        keys += _pending_claims(ctx, volumes.class_of(new))
    return keys


def _pending_claims(ctx: ControllerContext, class_name: str) -> list[str]:
    """Keys of unbound claims that a free volume of the class may be for."""
    return [
        _CLAIM + objects.key(claim)
        for claim in ctx.lister(PERSISTENT_VOLUME_CLAIMS).by_index(_UNBOUND_BY_CLASS, class_name)
    ]


def _unbound_class(claim: Object) -> tuple[str, ...]:
    is_bound = BIND_COMPLETED in objects.annotations(claim)
    return () if is_bound else (volumes.class_of(claim),)


def _claim_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    binding: VolumeBinding = ctx.state
    if new is not None:
        return (_CLAIM + objects.key(new),)
    if old is None:
        return ()
    binding.claims.forget(objects.key(old))
    name = old["spec"].get("volumeName")
    return (_VOLUME + name,) if name else ()


def _class_changed(
    ctx: ControllerContext, _old: Object | None, new: Object | None
) -> Iterable[str]:
    if new is None:
        return ()
    keys = _pending_claims(ctx, objects.name(new))
    return keys + _pending_claims(ctx, "") if volumes.is_default_class(new) else keys


_UNBOUND_BY_CLASS = "persistent-volume-binder-unbound-class"

CONTROLLER = Controller(
    name="persistentvolume-binder-controller",
    aliases=("persistentvolume-binder",),
    identity="persistent-volume-binder",
    event_source="persistentvolume-controller",
    watches=(
        Watch(PERSISTENT_VOLUMES, changed=_volume_changed),
        Watch(
            PERSISTENT_VOLUME_CLAIMS,
            changed=_claim_changed,
            indexes={_UNBOUND_BY_CLASS: _unbound_class},
        ),
        Watch(STORAGE_CLASSES, changed=_class_changed),
        Watch(
            PODS,
            changed=lambda _ctx, _old, _new: (),
            indexes={PODS_BY_CLAIM: volume_claims.claim_index},
        ),
    ),
    reconcile=reconcile,
    setup=_set_up,
)
