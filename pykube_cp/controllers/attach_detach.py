"""Attaches volumes to the nodes whose Pods need them, and detaches those no longer needed.

Attaching a CSI volume is done by its driver, asked by a VolumeAttachment; iSCSI and Fibre Channel
need nothing done. Either way the node's status says which volumes are attached.
"""
# upstream: pkg/controller/volume/attachdetach/reconciler/reconciler.go reconciler

from collections.abc import Iterable
from dataclasses import dataclass, field

from pykube_cp.client.interface import PatchType
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import node_taints
from pykube_cp.controllers.shared import pods as pod_states
from pykube_cp.controllers.shared.attachable_volumes import AttachableVolume, VolumeLookup
from pykube_cp.controllers.shared.cluster_kinds import (
    CSI_DRIVERS,
    NODES,
    PERSISTENT_VOLUMES,
    VOLUME_ATTACHMENTS,
)
from pykube_cp.controllers.shared.kinds import PERSISTENT_VOLUME_CLAIMS, PODS
from pykube_cp.controllers.shared.node_taints import PODS_BY_NODE
from pykube_cp.controllers.shared.volume_claims import PODS_BY_CLAIM, claim_index, has_ended
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError, is_already_exists, is_not_found
from pykube_cp.machinery.objects import Object

_MANAGED_ANNOTATION = "volumes.kubernetes.io/controller-managed-attach-detach"
_OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
_BY_NODE = "attach-detach-node"
_BY_VOLUME = "attach-detach-volume"
_MULTI_ATTACH_RETRY = 1.0


@dataclass(slots=True)
class State:
    """What the controller remembers.

    Attributes:
        unwanted: attachment name -> since when nobody wants it.
        told: names of attachments whose success was told.
    """

    lookup: VolumeLookup
    unwanted: dict[str, float] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Wanted:
    """A volume that a node shall have, and the Pods there that need it."""

    volume: AttachableVolume
    pods: list[Object] = field(default_factory=list)


def _set_up(ctx: ControllerContext) -> State:
    return State(
        VolumeLookup(
            claims=ctx.lister(PERSISTENT_VOLUME_CLAIMS).get,
            volumes=ctx.lister(PERSISTENT_VOLUMES).get,
            drivers=ctx.lister(CSI_DRIVERS).get,
        )
    )


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    node = ctx.lister(NODES).get(key)
    wanted = _wanted(ctx, key) if node and _is_managed(node) else {}
    attachments = _attachments(ctx, key)
    leaving, wait = _leaving(ctx, node, attachments, wanted)
    if node is not None and _is_managed(node):
        await _report(ctx, node, wanted, attachments, leaving)
    for attachment in leaving:
        await _detach(ctx, attachment)
    retry = await _attach_all(ctx, key, wanted, attachments)
    pauses = [pause for pause in (wait, retry) if pause]
    return Result(requeue_after=min(pauses)) if pauses else None


def _is_managed(node: Object) -> bool:
    return objects.annotations(node).get(_MANAGED_ANNOTATION) == "true"


def _wanted(ctx: ControllerContext, node_name: str) -> dict[str, _Wanted]:
    """What the node shall have, by unique name."""
    state: State = ctx.state
    wanted: dict[str, _Wanted] = {}
    for pod in ctx.lister(PODS).by_index(PODS_BY_NODE, node_name):
        if not has_ended(pod):
            for volume in state.lookup.of_pod(pod):
                wanted.setdefault(volume.unique_name, _Wanted(volume)).pods.append(pod)
    return wanted


def _attachments(ctx: ControllerContext, node_name: str) -> dict[str, Object]:
    """The node's VolumeAttachments made here, by unique name; those of others are not touched."""
    found: dict[str, Object] = {}
    for attachment in ctx.lister(VOLUME_ATTACHMENTS).by_index(_BY_NODE, node_name):
        volume = _volume_of(ctx, attachment)
        if volume and volume.attachment_name(node_name) == objects.name(attachment):
            found[volume.unique_name] = attachment
    return found


def _volume_of(ctx: ControllerContext, attachment: Object) -> AttachableVolume | None:
    state: State = ctx.state
    name = objects.nested(attachment, "spec", "source", "persistentVolumeName", default="")
    volume = ctx.lister(PERSISTENT_VOLUMES).get(name)
    return state.lookup.of_volume(volume) if volume else None


# --- detaching


def _leaving(
    ctx: ControllerContext,
    node: Object | None,
    attachments: dict[str, Object],
    wanted: dict[str, _Wanted],
) -> tuple[list[Object], float]:
    """Attachments that can go now, and when to look again at those that cannot."""
    state: State = ctx.state
    in_use = set(objects.nested(node, "status", "volumesInUse", default=()))
    leaving: list[Object] = []
    waits: list[float] = []
    for unique_name, attachment in attachments.items():
        name = objects.name(attachment)
        if unique_name in wanted or objects.is_deleting(attachment):
            state.unwanted.pop(name, None)
            continue
        since = state.unwanted.setdefault(name, clock.now())
        left = _seconds_until_detach(ctx, node, since) if unique_name in in_use else 0.0
        if left is not None and left <= 0:
            leaving.append(attachment)
        elif left is not None:
            waits.append(left)
    return leaving, min(waits, default=0.0)


def _seconds_until_detach(
    ctx: ControllerContext, node: Object | None, since: float
) -> float | None:
    """When a volume that is still mounted is detached nonetheless; None is never."""
    # upstream: pkg/controller/volume/attachdetach/reconciler/reconciler.go reconcile
    if node is None or any(taint["key"] == _OUT_OF_SERVICE for taint in node_taints.taints(node)):
        return 0.0
    if node_taints.is_ready(node) or ctx.config.disable_force_detach_on_timeout:
        return None
    return max(0.0, since + ctx.config.attach_detach_max_wait_for_unmount - clock.now())


async def _detach(ctx: ControllerContext, attachment: Object) -> None:
    state: State = ctx.state
    name = objects.name(attachment)
    try:
        await ctx.client.delete(VOLUME_ATTACHMENTS, name)
    except StatusError as err:
        if not is_not_found(err):
            raise
    state.unwanted.pop(name, None)
    state.told.discard(name)


# --- saying what is attached


async def _report(
    ctx: ControllerContext,
    node: Object,
    wanted: dict[str, _Wanted],
    attachments: dict[str, Object],
    leaving: list[Object],
) -> None:
    """List the node's volumes in its status; one that is leaving is taken off beforehand."""
    gone = {objects.name(item) for item in leaving}
    attached = {
        unique_name
        for unique_name, item in attachments.items()
        if _is_attached(item) and objects.name(item) not in gone
    }
    attached |= {name for name, item in wanted.items() if not item.volume.driver}
    listed = objects.nested(node, "status", "volumesAttached", default=())
    if {item["name"] for item in listed} == attached:
        return
    volumes = [{"name": name, "devicePath": ""} for name in sorted(attached)]
    patch = {"status": {"volumesAttached": volumes or None}}
    try:
        await ctx.client.patch(
            NODES, objects.name(node), patch, PatchType.MERGE, subresource="status"
        )
    except StatusError as err:
        if not is_not_found(err):
            raise


def _is_attached(attachment: Object) -> bool:
    return bool(objects.nested(attachment, "status", "attached")) and not objects.is_deleting(
        attachment
    )


# --- attaching


async def _attach_all(
    ctx: ControllerContext,
    node_name: str,
    wanted: dict[str, _Wanted],
    attachments: dict[str, Object],
) -> float:
    """Ask for what is missing; seconds after which to ask again for what had to wait."""
    retry = 0.0
    for unique_name, item in wanted.items():
        if not item.volume.driver:
            continue
        attachment = attachments.get(unique_name)
        if attachment is not None:
            _tell_progress(ctx, item, attachment)
        elif item.volume.exclusive and (others := _nodes_elsewhere(ctx, item.volume, node_name)):
            _tell_multi_attach(ctx, item, others)
            retry = _MULTI_ATTACH_RETRY
        else:
            await _attach(ctx, item.volume, node_name)
    return retry


async def _attach(ctx: ControllerContext, volume: AttachableVolume, node_name: str) -> None:
    made: Object = {
        "apiVersion": VOLUME_ATTACHMENTS.api_version,
        "kind": "VolumeAttachment",
        "metadata": {"name": volume.attachment_name(node_name)},
        "spec": {
            "attacher": volume.driver,
            "nodeName": node_name,
            "source": {"persistentVolumeName": volume.name},
        },
    }
    try:
        await ctx.client.create(VOLUME_ATTACHMENTS, made)
    except StatusError as err:
        if not is_already_exists(err):
            raise


def _nodes_elsewhere(ctx: ControllerContext, volume: AttachableVolume, node_name: str) -> list[str]:
    found = ctx.lister(VOLUME_ATTACHMENTS).by_index(_BY_VOLUME, volume.name)
    nodes: set[str] = {item["spec"]["nodeName"] for item in found}
    return sorted(nodes - {node_name})


def _tell_progress(ctx: ControllerContext, item: _Wanted, attachment: Object) -> None:
    state: State = ctx.state
    name = objects.name(attachment)
    failure = objects.nested(attachment, "status", "attachError", "message")
    if _is_attached(attachment):
        if name not in state.told:
            state.told.add(name)
            text = f'AttachVolume.Attach succeeded for volume "{item.volume.name}" '
            _tell(ctx, item.pods, "Normal", "SuccessfulAttachVolume", text)
    elif failure:
        text = f'AttachVolume.Attach failed for volume "{item.volume.name}" : {failure}'
        _tell(ctx, item.pods, "Warning", "FailedAttachVolume", text)


def _tell(
    ctx: ControllerContext, pods: Iterable[Object], kind: str, reason: str, text: str
) -> None:
    for pod in pods:
        ctx.recorder.event(pod, kind, reason, text)


def _tell_multi_attach(ctx: ControllerContext, item: _Wanted, nodes: list[str]) -> None:
    # upstream: pkg/controller/volume/attachdetach/reconciler/reconciler.go reportMultiAttachError
    users = [
        pod
        for node_name in nodes
        if (there := _wanted(ctx, node_name).get(item.volume.unique_name))
        for pod in there.pods
    ]
    for pod in item.pods:
        text = f'Waiting for detach for volume "{item.volume.name}" {_users_text(pod, users)}'
        ctx.recorder.event(pod, "Warning", "FailedAttachVolume", text)


def _users_text(pod: Object, users: list[Object]) -> str:
    """Who has the volume, as far as the Pod's namespace may know."""
    if not users:
        return (
            "Volume is already exclusively attached to one node, waiting on detach before it "
            "can be attached to another node"
        )
    namespace = objects.namespace(pod)
    local = [objects.name(user) for user in users if objects.namespace(user) == namespace]
    others = len(users) - len(local)
    if not local:
        return f"Volume is already used by {others} pod(s) in different namespaces"
    text = f"Volume is already used by pod(s) {', '.join(local)}"
    return f"{text} and {others} pod(s) in different namespaces" if others else text


# --- what wakes it


def _pod_changed(_ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    if old and new and pod_states.node_name(old) and has_ended(old) == has_ended(new):
        return ()
    item = new or old
    if item is None or not _may_need_attachment(item):
        return ()
    return {pod_states.node_name(item)} - {""}


def _may_need_attachment(pod: Object) -> bool:
    kinds = {"persistentVolumeClaim", "ephemeral", "iscsi", "fc"}
    return any(kinds & volume.keys() for volume in pod["spec"].get("volumes") or ())


def _node_changed(_ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    if old and new and _relevant(old) == _relevant(new):
        return ()
    item = new or old
    return (objects.name(item),) if item else ()


def _relevant(node: Object) -> tuple[object, ...]:
    status = node.get("status") or {}
    return (
        status.get("volumesInUse"),
        status.get("volumesAttached"),
        node_taints.taints(node),
        node_taints.is_ready(node),
        _is_managed(node),
    )


def _attachment_keys(attachment: Object) -> Iterable[str]:
    return (attachment["spec"]["nodeName"],)


def _volume_names(attachment: Object) -> Iterable[str]:
    name = objects.nested(attachment, "spec", "source", "persistentVolumeName")
    return (name,) if name else ()


def _claim_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    item = new or old
    if item is None:
        return ()
    pods = ctx.lister(PODS).by_index(PODS_BY_CLAIM, objects.key(item))
    return {pod_states.node_name(pod) for pod in pods} - {""}


def _driver_changed(
    ctx: ControllerContext, _old: Object | None, _new: Object | None
) -> Iterable[str]:
    return list(ctx.lister(NODES).keys())


CONTROLLER = Controller(
    name="persistentvolume-attach-detach-controller",
    aliases=("attachdetach",),
    identity="attachdetach-controller",
    event_source="attachdetach-controller",
    watches=(
        Watch(
            PODS,
            changed=_pod_changed,
            indexes={PODS_BY_NODE: node_taints.node_name_index, PODS_BY_CLAIM: claim_index},
        ),
        Watch(NODES, changed=_node_changed),
        Watch(
            VOLUME_ATTACHMENTS,
            keys=_attachment_keys,
            indexes={_BY_NODE: _attachment_keys, _BY_VOLUME: _volume_names},
        ),
        Watch(PERSISTENT_VOLUME_CLAIMS, changed=_claim_changed),
        Watch(CSI_DRIVERS, changed=_driver_changed),
    ),
    reads=(PERSISTENT_VOLUMES,),
    reconcile=reconcile,
    workers=4,
    setup=_set_up,
)
