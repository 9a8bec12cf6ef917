"""Tells kubelets how long they may keep Secrets and ConfigMaps cached, by the cluster's size."""
# upstream: pkg/controller/ttl/ttl_controller.go Controller

from dataclasses import dataclass

from pykube_cp.client.interface import PatchType
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.cluster_kinds import NODES
from pykube_cp.machinery import objects

ANNOTATION = "node.alpha.kubernetes.io/ttl"
# Nodes from, nodes to, seconds. They overlap so that a step is not taken back at once.
_STEPS = (
    (0, 100, 0),
    (90, 500, 15),
    (450, 1000, 30),
    (900, 2000, 60),
    (1800, 2**31 - 1, 300),
)


@dataclass(slots=True)
class State:
    """``step``: the one of ``_STEPS`` that the cluster's size is in."""

    step: int = 0

    def seconds(self, nodes: int) -> int:
        while nodes > _STEPS[self.step][1]:
            self.step += 1
        while nodes < _STEPS[self.step][0]:
            self.step -= 1
        return _STEPS[self.step][2]


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    state: State = ctx.state
    nodes = ctx.lister(NODES)
    node = nodes.get(key)
    if node is None:
        return None
    wanted = str(state.seconds(len(nodes)))
    if objects.annotations(node).get(ANNOTATION) != wanted:
        patch = {"metadata": {"annotations": {ANNOTATION: wanted}}}
        await ctx.client.patch(NODES, key, patch, PatchType.STRATEGIC)
    return None


CONTROLLER = Controller(
    name="ttl-controller",
    aliases=("ttl",),
    identity="ttl-controller",
    watches=(Watch(NODES),),
    reconcile=reconcile,
    workers=5,
    setup=lambda _ctx: State(),
)
