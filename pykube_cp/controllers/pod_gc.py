"""Deletes pods that nobody else would: ended ones beyond a number, and those of lost nodes."""

# upstream: pkg/controller/podgc/gc_controller.go

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pykube_cp.client.interface import DeleteOptions, PatchType
from pykube_cp.controllers.interface import Controller, ControllerContext
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.batches import gather_failures
from pykube_cp.controllers.shared.cluster_kinds import NODES
from pykube_cp.controllers.shared.conditions import is_true
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.machinery import clock, errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

_PERIOD = 20.0
# How long a node must have been gone before its pods go: it may be about to come back.
_QUARANTINE = 40.0
_OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
_NOW = DeleteOptions(grace_period_seconds=0)


@dataclass(slots=True)
class _State:
    """``missing``: names of nodes that are not there -> since when."""

    missing: dict[str, float] = field(default_factory=dict)


async def _run(ctx: ControllerContext) -> None:
    while True:
        await _collect(ctx)
        await asyncio.sleep(_PERIOD)


async def _collect(ctx: ControllerContext) -> None:
    pods = ctx.lister(PODS).list()
    nodes = {objects.name(node): node for node in ctx.lister(NODES)}
    threshold = ctx.config.terminated_pod_gc_threshold
    if threshold > 0:
        ended = [pod for pod in pods if pod_state.phase(pod) not in _ALIVE]
        await _delete_all(ctx, sorted(ended, key=_by_eviction)[: max(0, len(ended) - threshold)])
    await _delete_all(ctx, [pod for pod in pods if _is_stuck(pod, nodes)])
    await _delete_orphans(ctx, pods, nodes.keys())
    unscheduled = (pod for pod in pods if not pod_state.node_name(pod))
    await _delete_all(ctx, filter(objects.is_deleting, unscheduled))


_ALIVE = {"Pending", "Running", "Unknown"}


def _by_eviction(pod: Object) -> tuple[bool, float, str]:
    """Sort key: evicted pods first, then the oldest."""
    evicted = (
        pod_state.phase(pod) == "Failed" and objects.nested(pod, "status", "reason") == "Evicted"
    )
    return (not evicted, *pod_state.by_age(pod))


def _is_stuck(pod: Object, nodes: dict[str, Object]) -> bool:
    """Whether a pod that is to go is on a node that somebody declared dead."""
    # upstream: gc_controller.go gcTerminating
    node = nodes.get(pod_state.node_name(pod))
    if node is None or not objects.is_deleting(pod):
        return False
    if is_true(objects.nested(node, "status", "conditions", default=[]), "Ready"):
        return False
    taints = objects.nested(node, "spec", "taints", default=[])
    return any(taint.get("key") == _OUT_OF_SERVICE for taint in taints)


async def _delete_orphans(
    ctx: ControllerContext, pods: Sequence[Object], nodes: Iterable[str]
) -> None:
    # upstream: gc_controller.go gcOrphaned
    missing: dict[str, float] = ctx.state.missing
    now = clock.monotonic()
    known = set(nodes)
    orphans = [
        pod for pod in pods if pod_state.node_name(pod) and pod_state.node_name(pod) not in known
    ]
    gone = {pod_state.node_name(pod) for pod in orphans}
    for name in missing.keys() - gone:
        del missing[name]
    for name in gone:
        missing.setdefault(name, now)
    due = [name for name, since in missing.items() if now - since >= _QUARANTINE]
    deleted = {name for name in due if not await _node_exists(ctx, name)}
    await _delete_all(
        ctx, [pod for pod in orphans if pod_state.node_name(pod) in deleted], node_is_gone=True
    )


async def _node_exists(ctx: ControllerContext, name: str) -> bool:
    try:
        await ctx.client.get(NODES, name)
    except StatusError as error:
        if errors.is_not_found(error):
            return False
        log.warning("pod garbage collector: cannot look up node %s: %s", name, error)
    return True


async def _delete_all(
    ctx: ControllerContext, pods: Iterable[Object], *, node_is_gone: bool = False
) -> None:
    deletions = [_fail_and_delete(ctx, pod, node_is_gone=node_is_gone) for pod in pods]
    for failure in await gather_failures(deletions):
        log.warning("pod garbage collector: cannot delete a pod: %s", failure)


async def _fail_and_delete(ctx: ControllerContext, pod: Object, *, node_is_gone: bool) -> None:
    # upstream: gc_controller.go markFailedAndDeletePodWithCondition
    name, namespace = objects.name(pod), objects.namespace(pod)
    try:
        if not pod_state.is_terminal(pod):
            patch = _failure_patch(pod, node_is_gone=node_is_gone)
            await ctx.client.patch(
                PODS, name, patch, PatchType.STRATEGIC, namespace, subresource="status"
            )
        await ctx.client.delete(PODS, name, namespace, options=_NOW)
    except StatusError as error:
        if not errors.is_not_found(error):
            raise


def _failure_patch(pod: Object, *, node_is_gone: bool) -> Object:
    generation = pod["metadata"].get("generation", 0)
    status: Object = {"phase": "Failed", "observedGeneration": generation}
    if node_is_gone:
        existing = pod_state.condition(pod, "DisruptionTarget")
        since = clock.timestamp()
        if existing is not None and existing.get("status") == "True":
            since = existing.get("lastTransitionTime", since)
        status["conditions"] = [
            {
                "type": "DisruptionTarget",
                "status": "True",
                "observedGeneration": generation,
                "lastTransitionTime": since,
                "reason": "DeletionByPodGC",
                "message": "PodGC: node no longer exists",
            }
        ]
    return {"metadata": {"uid": objects.uid(pod)}, "status": status}


CONTROLLER = Controller(
    name="pod-garbage-collector-controller",
    identity="pod-garbage-collector",
    aliases=("podgc",),
    reads=(PODS, NODES),
    setup=lambda _ctx: _State(),
    run=_run,
)
