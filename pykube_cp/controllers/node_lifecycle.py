"""Notices nodes that fail, says so in their status and taints, and marks their Pods not ready."""
# upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go Controller

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pykube_cp.client.interface import PatchType
from pykube_cp.controllers.interface import Controller, ControllerContext, Queue, Result, Watch
from pykube_cp.controllers.shared import node_taints
from pykube_cp.controllers.shared import pods as pod_states
from pykube_cp.controllers.shared.cluster_kinds import LEASES, NODES
from pykube_cp.controllers.shared.conditions import update_pod_condition
from pykube_cp.controllers.shared.errors import raise_all
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.controllers.shared.node_health import (
    HealthMonitor,
    LeaseCacheLagsError,
    Observation,
)
from pykube_cp.controllers.shared.node_taints import NO_EXECUTE, NO_SCHEDULE, PODS_BY_NODE
from pykube_cp.controllers.shared.zone_evictions import EvictionRates, Mode, Zones
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

_TAINTING_PERIOD = 0.1
_CONCURRENT_NODES = 8
_PODS_QUEUE = "pods"
_EXCLUDED_LABEL = "node.kubernetes.io/exclude-disruption"
_NOT_READY = (node_taints.NOT_READY, NO_EXECUTE)
_UNREACHABLE = (node_taints.UNREACHABLE, NO_EXECUTE)
_TAINTS_OF_READINESS = {"False": (_NOT_READY, _UNREACHABLE), "Unknown": (_UNREACHABLE, _NOT_READY)}
_CONDITION_TAINTS = {
    ("Ready", "False"): node_taints.NOT_READY,
    ("Ready", "Unknown"): node_taints.UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
_OWN_NO_SCHEDULE = frozenset({*_CONDITION_TAINTS.values(), node_taints.UNSCHEDULABLE})
# The beta label follows the stable one.
_MIRRORED_LABELS = {
    "kubernetes.io/os": "beta.kubernetes.io/os",
    "kubernetes.io/arch": "beta.kubernetes.io/arch",
}


@dataclass(slots=True, kw_only=True)
class State:
    """What the controller remembers.

    Attributes:
        known: node name -> uid, of nodes whose arrival was told.
        to_retry: nodes whose Pods could not all be marked.
        waiting: set while nodes wait for their taint.
    """

    monitor: HealthMonitor
    zones: Zones
    known: dict[str, str] = field(default_factory=dict)
    to_retry: set[str] = field(default_factory=set)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)


def _set_up(ctx: ControllerContext) -> State:
    config = ctx.config
    return State(
        monitor=HealthMonitor(
            client=ctx.client,
            leases=ctx.lister(LEASES),
            grace_period=config.node_monitor_grace_period,
            startup_grace_period=config.node_startup_grace_period,
        ),
        zones=Zones(
            EvictionRates(
                ordinary=config.node_eviction_rate,
                reduced=config.secondary_node_eviction_rate,
                large_cluster=config.large_cluster_size_threshold,
                unhealthy_share=config.unhealthy_zone_threshold,
            )
        ),
    )


# --- taints that keep Pods away, and labels: whenever a node changes


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    node = ctx.lister(NODES).get(key)
    if node is not None:
        await _taint_no_schedule(ctx, node)
        await _mirror_labels(ctx, node)
    return None


async def _taint_no_schedule(ctx: ControllerContext, node: Object) -> None:
    # upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go doNoScheduleTaintingPass
    wanted = {
        key
        for item in objects.nested(node, "status", "conditions", default=[])
        if (key := _CONDITION_TAINTS.get((item["type"], item["status"])))
    }
    if node.get("spec", {}).get("unschedulable"):
        wanted.add(node_taints.UNSCHEDULABLE)
    present = {
        taint["key"]
        for taint in node_taints.taints(node)
        if taint["effect"] == NO_SCHEDULE and taint["key"] in _OWN_NO_SCHEDULE
    }
    if wanted != present:
        await node_taints.update_taints(
            ctx.client,
            objects.name(node),
            add=[(key, NO_SCHEDULE) for key in sorted(wanted - present)],
            remove=[(key, NO_SCHEDULE) for key in present - wanted],
        )


async def _mirror_labels(ctx: ControllerContext, node: Object) -> None:
    labels = objects.labels(node)
    missing = {
        mirror: labels[primary]
        for primary, mirror in _MIRRORED_LABELS.items()
        if primary in labels and labels.get(mirror) != labels[primary]
    }
    if missing:
        patch = {"metadata": {"labels": missing}}
        await ctx.client.patch(NODES, objects.name(node), patch, PatchType.MERGE)


# --- signs of life: all nodes, every few seconds


async def run(ctx: ControllerContext) -> None:
    """Monitor and taint until cancelled."""
    async with asyncio.TaskGroup() as tasks:
        monitoring = tasks.create_task(_monitor(ctx))
        tainting = tasks.create_task(_taint_waiting(ctx))
        await asyncio.gather(monitoring, tainting)


async def _monitor(ctx: ControllerContext) -> None:
    while True:
        await monitor_once(ctx)
        await asyncio.sleep(ctx.config.node_monitor_period)


async def monitor_once(ctx: ControllerContext) -> None:
    """Look at every node once."""
    # upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go monitorNodeHealth
    state: State = ctx.state
    nodes = ctx.lister(NODES).list()
    await _meet(ctx, nodes)
    slots = asyncio.Semaphore(_CONCURRENT_NODES)

    async def look(node: Object) -> Observation | None:
        async with slots:
            return await _look_at(ctx, node)

    observations = await asyncio.gather(*map(look, nodes))
    readiness: dict[str, list[bool]] = {}
    for seen in observations:
        if seen and _EXCLUDED_LABEL not in objects.labels(seen.node):
            zone = node_taints.zone_key(seen.node)
            readiness.setdefault(zone, []).append(seen.status == "True")
    await _handle_disruption(ctx, state.zones.observe(readiness), nodes)
    # Only now, as the rates may have changed: with no node ready, none must be tainted.
    if not all(queue.is_empty() for queue in state.zones.queues.values()):
        state.waiting.set()


async def _meet(ctx: ControllerContext, nodes: Iterable[Object]) -> None:
    """Tell of nodes that came and went since the last time."""
    state: State = ctx.state
    gone = dict(state.known)
    for node in nodes:
        name, uid = objects.name(node), objects.uid(node)
        gone.pop(name, None)
        state.zones.queue_of(node_taints.zone_key(node))
        if name not in state.known:
            state.known[name] = uid
            _tell(ctx, name, uid, "RegisteredNode", f"Registered Node {name} in Controller")
            await _mark_reachable(ctx, node)
    for name, uid in gone.items():
        del state.known[name]
        state.monitor.forget(name)
        state.to_retry.discard(name)
        _tell(ctx, name, uid, "RemovingNode", f"Removing Node {name} from Controller")


def _tell(ctx: ControllerContext, name: str, uid: str, reason: str, text: str) -> None:
    reference = node_taints.node_reference(name, uid)
    ctx.recorder.event(reference, "Normal", reason, f"Node {name} event: {text}")


async def _look_at(ctx: ControllerContext, node: Object) -> Observation | None:
    """What the node is like now; None where that cannot be known, and nothing is done about it."""
    state: State = ctx.state
    name = objects.name(node)
    try:
        seen = await state.monitor.observe(node)
    except LeaseCacheLagsError:
        log.warning("the lease of node %s is newer than the cache shows", name)
        return None
    except StatusError as err:
        log.warning("cannot update the health of node %s, no pods will be evicted: %s", name, err)
        return None
    if seen.ready is None:
        return seen
    await _taint_no_execute(ctx, seen)
    fell = seen.status != "True" and seen.was == "True"
    if fell:
        reference = node_taints.node_reference(name, objects.uid(node))
        text = f"Node {name} status is now: NodeNotReady"
        ctx.recorder.event(reference, "Normal", "NodeNotReady", text)
    if fell or (name in state.to_retry and seen.was != "True"):
        await _mark_all_not_ready(ctx, name)
    else:
        state.to_retry.discard(name)
    return seen


async def _mark_all_not_ready(ctx: ControllerContext, name: str) -> None:
    state: State = ctx.state
    try:
        await mark_not_ready(ctx, ctx.lister(PODS).by_index(PODS_BY_NODE, name))
    except Exception as err:  # noqa: BLE001 - whatever it is, it is tried again next time
        log.warning("cannot mark all pods of node %s not ready, will retry: %s", name, err)
        state.to_retry.add(name)
    else:
        state.to_retry.discard(name)


async def mark_not_ready(ctx: ControllerContext, pods: Sequence[Object]) -> None:
    """Say in the status of each Pod that it is not ready, because its node is not."""
    # upstream: pkg/controller/util/node/controller_utils.go MarkPodsNotReady
    failures: list[Exception] = []
    for pod in pods:
        found = pod_states.condition(pod, "Ready")
        if found is None or found["status"] == "False":
            continue
        copy = objects.deep_copy(pod)
        condition = {**found, "status": "False", "lastTransitionTime": clock.timestamp()}
        update_pod_condition(copy["status"], condition)
        try:
            await ctx.client.update(PODS, copy, subresource="status")
        except StatusError as err:
            if is_not_found(err):
                continue
            failures.append(err)
        ctx.recorder.event(pod, "Warning", "NodeNotReady", "Node is not ready")
    raise_all(failures)


# --- taints that drive Pods away: at a limited rate


async def _taint_no_execute(ctx: ControllerContext, seen: Observation) -> None:
    # upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go processTaintBaseEviction
    state: State = ctx.state
    name = objects.name(seen.node)
    if seen.status == "True":
        await _mark_reachable(ctx, seen.node)
        return
    wanted, opposite = _TAINTS_OF_READINESS[seen.status]
    if node_taints.has_taint(seen.node, opposite):
        # Its Pods have their eviction timers already, so this need not wait its turn.
        await _swap_taints(ctx, name, wanted, opposite)
        return
    queue = state.zones.queue_of(node_taints.zone_key(seen.node))
    if not node_taints.has_taint(seen.node, wanted):
        queue.remove(name)
    queue.add(name)


async def _swap_taints(
    ctx: ControllerContext,
    name: str,
    wanted: node_taints.TaintKey,
    opposite: node_taints.TaintKey,
) -> bool:
    try:
        await node_taints.update_taints(ctx.client, name, add=[wanted], remove=[opposite])
    except StatusError as err:
        log.warning("cannot taint node %s, will retry: %s", name, err)
        return False
    return True


async def _mark_reachable(ctx: ControllerContext, node: Object) -> None:
    state: State = ctx.state
    name = objects.name(node)
    both = (_UNREACHABLE, _NOT_READY)
    if any(node_taints.has_taint(node, key) for key in both):
        try:
            await node_taints.update_taints(ctx.client, name, remove=both)
        except StatusError as err:
            log.warning("cannot remove taints of node %s, will retry: %s", name, err)
            return
    state.zones.queue_of(node_taints.zone_key(node)).remove(name)


async def _taint_waiting(ctx: ControllerContext) -> None:
    state: State = ctx.state

    async def taint(name: str) -> bool:
        return await _taint_one(ctx, name)

    while True:
        await state.waiting.wait()
        queues = list(state.zones.queues.values())
        for queue in queues:
            await queue.drain(taint)
        if all(queue.is_empty() for queue in queues):
            state.waiting.clear()
        await asyncio.sleep(_TAINTING_PERIOD)


async def _taint_one(ctx: ControllerContext, name: str) -> bool:
    """Taint a node whose turn it is; False if it has to be tried again."""
    # upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go doNoExecuteTaintingPass
    node = ctx.lister(NODES).get(name)
    if node is None:
        return True
    ready = node_taints.condition(node, "Ready")
    if ready is None:
        return False
    if ready["status"] not in _TAINTS_OF_READINESS:
        return True
    return await _swap_taints(ctx, name, *_TAINTS_OF_READINESS[ready["status"]])


async def _handle_disruption(ctx: ControllerContext, mode: Mode, nodes: Iterable[Object]) -> None:
    state: State = ctx.state
    if mode is Mode.ENTERS_DISRUPTION:
        log.warning("no node is ready: evictions stop")
        for node in nodes:
            await _mark_reachable(ctx, node)
    elif mode is Mode.LEAVES_DISRUPTION:
        log.warning("some nodes are ready again: evictions go on")
        state.monitor.restart_all()


# --- Pods that come to a node which has failed already


async def _reconcile_pod(ctx: ControllerContext, key: str) -> Result | None:
    state: State = ctx.state
    pod = ctx.lister(PODS).get(key)
    if pod is None:
        return None
    readiness = state.monitor.last_readiness(pod_states.node_name(pod))
    if readiness is not None and readiness != "True":
        await mark_not_ready(ctx, [pod])
    return None


def _pod_changed(_ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    if new is None or not pod_states.node_name(new):
        return ()
    if old is not None and pod_states.node_name(old) == pod_states.node_name(new):
        return ()
    return (objects.key(new),)


CONTROLLER = Controller(
    name="node-lifecycle-controller",
    aliases=("nodelifecycle",),
    identity="node-controller",
    event_source="node-controller",
    watches=(
        Watch(NODES),
        Watch(
            PODS,
            changed=_pod_changed,
            queue=_PODS_QUEUE,
            indexes={PODS_BY_NODE: node_taints.node_name_index},
        ),
    ),
    reads=(LEASES,),
    reconcile=reconcile,
    workers=8,
    queues=(Queue(_PODS_QUEUE, _reconcile_pod, workers=4),),
    setup=_set_up,
    run=run,
)
