"""Runs DaemonSets: one pod on every node that wants one."""

# upstream: pkg/controller/daemon/daemon_controller.go

from collections.abc import Iterable
from dataclasses import dataclass, field

from pykube_cp.controllers.interface import Controller, ControllerContext, Queue, Result, Watch
from pykube_cp.controllers.shared import daemon_pods
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.cluster_kinds import NODES
from pykube_cp.controllers.shared.controller_refs import ControllerRefManager
from pykube_cp.controllers.shared.daemon_sync import DaemonSync, FailedPodBackoff
from pykube_cp.controllers.shared.kinds import (
    CONTROLLER_REVISIONS,
    DAEMON_SET,
    DAEMON_SETS,
    PODS,
)
from pykube_cp.controllers.shared.owned import ORPHAN_INDEX, Owners, owned_and_orphans
from pykube_cp.controllers.shared.pod_control import PodControl
from pykube_cp.controllers.shared.selection import is_empty_selector, selector_of
from pykube_cp.machinery import objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

_NODE_QUEUE = "node"
_NODE_INDEX = "node-name"
_POD_OWNERS = Owners(DAEMON_SETS, DAEMON_SET, expects=True, availability_slack=1)
_REVISION_OWNERS = Owners(DAEMON_SETS, DAEMON_SET)


@dataclass(slots=True)
class _State:
    control: PodControl
    backoff: FailedPodBackoff = field(default_factory=FailedPodBackoff)


def _set_up(ctx: ControllerContext) -> _State:
    return _State(PodControl(ctx.client, ctx.recorder, DAEMON_SET))


def _node_names(pod: Object) -> Iterable[str]:
    name = pod_state.node_name(pod)
    return (name,) if name else ()


def _owner_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    changed = new if new is not None else old
    if changed is None:
        return ()
    key = objects.key(changed)
    if old is not None and (new is None or objects.uid(new) != objects.uid(old)):
        ctx.expectations.forget(key)
    return (key,)


def _node_changed(_ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    """Nodes report themselves all the time; only labels and taints say who runs there."""
    if new is None:
        return ()
    return () if old is not None and _who_runs(old) == _who_runs(new) else (objects.name(new),)


def _who_runs(node: Object) -> tuple[dict[str, str], list[Object]]:
    return objects.labels(node), objects.nested(node, "spec", "taints", default=[])


def _revision_changed(
    ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    """A revision of ours that appears is one that we just made."""
    if old is None and new is not None and objects.controller_of(new) is not None:
        return ()
    return _REVISION_OWNERS.changed(ctx, old, new)


async def _claim(
    ctx: ControllerContext, daemon_set: Object, resource: GVR, kind: str
) -> list[Object]:
    selector = selector_of(daemon_set)
    manager = ControllerRefManager(
        ctx.client,
        daemon_set,
        DAEMON_SETS,
        DAEMON_SET,
        resource,
        kind,
        lambda child: selector.matches(objects.labels(child)),
    )
    return await manager.claim(owned_and_orphans(ctx.lister(resource), daemon_set))


async def _reconcile(ctx: ControllerContext, key: str) -> Result | None:
    daemon_set = ctx.lister(DAEMON_SETS).get(key)
    if daemon_set is None:
        ctx.expectations.forget(key)
        return None
    if is_empty_selector(daemon_set["spec"].get("selector")):
        message = "This daemon set is selecting all pods. A non-empty selector is required."
        ctx.recorder.event(daemon_set, "Warning", "SelectingAll", message)
        return None
    if objects.is_deleting(daemon_set):
        return None
    nodes = ctx.lister(NODES).list()
    sync = DaemonSync(ctx, ctx.state.control, ctx.state.backoff, daemon_set, nodes)
    revisions = await _claim(ctx, daemon_set, CONTROLLER_REVISIONS, "ControllerRevision")
    pods = await _claim(ctx, daemon_set, PODS, "Pod")
    after = await sync.run(revisions, pods)
    ctx.state.backoff.forget_expired()
    return None if after is None else Result(requeue_after=after)


async def _reconcile_node(ctx: ControllerContext, name: str) -> None:
    """Wake the DaemonSets that a changed node concerns."""
    # upstream: daemon_controller.go syncNodeUpdate
    node = ctx.lister(NODES).get(name)
    if node is None:
        return
    present: set[str] = set()
    for pod in ctx.lister(PODS).by_index(_NODE_INDEX, name):
        ref = objects.controller_of(pod)
        if ref is not None and ref.get("kind") == DAEMON_SET.kind:
            present.add(objects.join_key(objects.namespace(pod), ref["name"]))
    for daemon_set in ctx.lister(DAEMON_SETS):
        key = objects.key(daemon_set)
        should_run, may_stay = daemon_pods.should_run(node, daemon_set)
        scheduled = key in present
        misscheduled = objects.nested(daemon_set, "status", "numberMisscheduled", default=0)
        wrong = not may_stay or misscheduled > 0 if scheduled else should_run
        if wrong:
            ctx.queue.add(key)


CONTROLLER = Controller(
    name="daemonset-controller",
    identity="daemon-set-controller",
    aliases=("daemonset",),
    watches=(
        Watch(DAEMON_SETS, changed=_owner_changed),
        Watch(
            PODS, changed=_POD_OWNERS.changed, indexes={**ORPHAN_INDEX, _NODE_INDEX: _node_names}
        ),
        Watch(CONTROLLER_REVISIONS, changed=_revision_changed, indexes=ORPHAN_INDEX),
        Watch(NODES, changed=_node_changed, queue=_NODE_QUEUE),
    ),
    setup=_set_up,
    reconcile=_reconcile,
    workers=2,
    queues=(Queue(_NODE_QUEUE, _reconcile_node, workers=2),),
)
