"""Deletes Pods from nodes with NoExecute taints that they do not tolerate, or not for ever."""
# upstream: pkg/controller/tainteviction/taint_eviction.go Controller

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from pykube_cp.client.interface import PatchType
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import node_taints
from pykube_cp.controllers.shared import pods as pod_states
from pykube_cp.controllers.shared.cluster_kinds import NODES
from pykube_cp.controllers.shared.conditions import new_condition, update_pod_condition
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.controllers.shared.node_fit import tolerates
from pykube_cp.controllers.shared.node_taints import PODS_BY_NODE
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object

_ATTEMPTS = 5
_RETRY_PAUSE = 0.01
_EVENT = "TaintManagerEviction"


@dataclass(slots=True)
class State:
    """``due``: Pod key -> time at which its toleration ends."""

    due: dict[str, float] = field(default_factory=dict)


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    # upstream: pkg/controller/tainteviction/taint_eviction.go processPodOnNode
    state: State = ctx.state
    pod = ctx.lister(PODS).get(key)
    if pod is None or not pod_states.node_name(pod):
        _cancel(ctx, key)
        return None
    node = ctx.lister(NODES).get(pod_states.node_name(pod))
    if node is not None:
        seconds = toleration_seconds(pod, node_taints.no_execute_taints(node))
        if seconds is None:
            _cancel(ctx, key)
            return None
        if seconds <= 0:
            _cancel(ctx, key)
            await _evict(ctx, key)
            return None
        # Once begun, the time goes on, whatever is tolerated from now on.
        state.due.setdefault(key, clock.now() + seconds)
    return await _wait_or_evict(ctx, key)


async def _wait_or_evict(ctx: ControllerContext, key: str) -> Result | None:
    state: State = ctx.state
    due = state.due.get(key)
    if due is None:
        return None
    left = due - clock.now()
    if left > 0:
        return Result(requeue_after=left)
    await _evict(ctx, key)
    state.due.pop(key, None)
    return None


def toleration_seconds(pod: Object, taints: list[Object]) -> float | None:
    """How long the Pod may stay on a node with these NoExecute taints; None is for ever."""
    # upstream: pkg/controller/tainteviction/taint_eviction.go getMinTolerationTime
    limits: list[float] = []
    tolerations = pod["spec"].get("tolerations") or ()
    for taint in taints:
        used = next((item for item in tolerations if tolerates(item, taint)), None)
        if used is None:
            return 0
        if used.get("tolerationSeconds") is not None:
            limits.append(max(0, used["tolerationSeconds"]))
    return min(limits, default=None)


def _cancel(ctx: ControllerContext, key: str) -> None:
    state: State = ctx.state
    if state.due.pop(key, None) is not None:
        _tell(ctx, key, f"Cancelling deletion of Pod {key}")


def _tell(ctx: ControllerContext, key: str, text: str) -> None:
    namespace, name = objects.split_key(key)
    reference = {"apiVersion": "v1", "kind": "Pod", "namespace": namespace, "name": name}
    ctx.recorder.event(reference, "Normal", _EVENT, text)


async def _evict(ctx: ControllerContext, key: str) -> None:
    _tell(ctx, key, f"Marking for deletion Pod {key}")
    for attempt in range(_ATTEMPTS):
        try:
            await _mark_and_delete(ctx, key)
        except StatusError as err:
            if is_not_found(err):
                return
            if attempt == _ATTEMPTS - 1:
                raise
            await asyncio.sleep(_RETRY_PAUSE)
        else:
            return


async def _mark_and_delete(ctx: ControllerContext, key: str) -> None:
    # upstream: pkg/controller/tainteviction/taint_eviction.go addConditionAndDeletePod
    namespace, name = objects.split_key(key)
    pod = await ctx.client.get(PODS, name, namespace)
    condition = new_condition(
        "DisruptionTarget",
        "True",
        "DeletionByTaintManager",
        "Taint manager: deleting due to NoExecute taint",
    )
    status = pod.get("status") or {}
    if status.get("observedGeneration"):
        condition["observedGeneration"] = objects.metadata(pod).get("generation", 0)
    if update_pod_condition(objects.deep_copy(status), dict(condition)):
        patch = {"metadata": {"uid": objects.uid(pod)}, "status": {"conditions": [condition]}}
        await ctx.client.patch(
            PODS, name, patch, PatchType.STRATEGIC, namespace, subresource="status"
        )
    await ctx.client.delete(PODS, name, namespace)


# --- what wakes it


def _pod_changed(_ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    if old and new:
        fields = ("tolerations", "nodeName")
        if all(old["spec"].get(name) == new["spec"].get(name) for name in fields):
            return ()
    return {objects.key(item) for item in (old, new) if item}


def _node_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    if new is None:
        return ()
    taints = node_taints.no_execute_taints(new)
    if (node_taints.no_execute_taints(old) if old else []) == taints:
        return ()
    pods = ctx.lister(PODS).by_index(PODS_BY_NODE, objects.name(new))
    return [objects.key(pod) for pod in pods]


CONTROLLER = Controller(
    name="taint-eviction-controller",
    identity="node-controller",
    watches=(
        Watch(PODS, changed=_pod_changed, indexes={PODS_BY_NODE: node_taints.node_name_index}),
        Watch(NODES, changed=_node_changed),
    ),
    reconcile=reconcile,
    workers=8,
    setup=lambda _ctx: State(),
)
