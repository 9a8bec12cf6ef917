"""Gives each node its part of the cluster's Pod address ranges."""
# upstream: pkg/controller/nodeipam/ipam/range_allocator.go rangeAllocator

import ipaddress
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from pykube_cp.client.interface import PatchType
from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import node_taints
from pykube_cp.controllers.shared.cidr_set import CidrRangeFullError, CidrSet
from pykube_cp.controllers.shared.cluster_kinds import NODES
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError, is_server_timeout
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

_ATTEMPTS = 3


@dataclass(slots=True)
class State:
    """What the controller remembers.

    Attributes:
        sets: one for each cluster range.
        given: node uids that have been given a part which the informer may not show yet.
    """

    sets: list[CidrSet]
    given: set[str] = field(default_factory=set)


def _set_up(ctx: ControllerContext) -> State:
    config = ctx.config
    sets = [CidrSet(cidr, _mask_size(config, cidr)) for cidr in config.cluster_cidrs]
    for cidr_set in sets:
        for service_cidr in config.service_cidrs:
            if _overlap(cidr_set, service_cidr):
                cidr_set.occupy(service_cidr)
    return State(sets)


def _mask_size(config: ControllerManagerConfig, cidr: str) -> int:
    is_ipv6 = ":" in cidr
    return config.node_cidr_mask_size_ipv6 if is_ipv6 else config.node_cidr_mask_size_ipv4


def _overlap(cidr_set: CidrSet, cidr: str) -> bool:
    network = ipaddress.ip_network(cidr, strict=False)
    return network.version == cidr_set.network.version and network.overlaps(cidr_set.network)


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    # upstream: pkg/controller/nodeipam/ipam/range_allocator.go AllocateOrOccupyCIDR
    state: State = ctx.state
    node = ctx.lister(NODES).get(key)
    if node is None or objects.is_deleting(node):
        return None
    if _pod_cidrs(node):
        state.given.discard(objects.uid(node))
        _occupy(state, node)
    elif objects.uid(node) not in state.given:
        await _assign(ctx, node, _allocate(ctx, node))
    return None


def _pod_cidrs(node: Object) -> list[str]:
    found: list[str] = node.get("spec", {}).get("podCIDRs") or []
    return found


def _occupy(state: State, node: Object) -> None:
    for cidr_set, cidr in zip(state.sets, _pod_cidrs(node), strict=False):
        try:
            cidr_set.occupy(cidr)
        except ValueError as err:
            log.error("node %s: %s", objects.name(node), err)  # noqa: TRY400 - no fault of ours


def _release(state: State, cidrs: Iterable[str]) -> None:
    for cidr_set, cidr in zip(state.sets, cidrs, strict=False):
        try:
            cidr_set.release(cidr)
        except ValueError as err:
            log.warning("cannot release %s: %s", cidr, err)


def _allocate(ctx: ControllerContext, node: Object) -> list[str]:
    state: State = ctx.state
    cidrs: list[str] = []
    for cidr_set in state.sets:
        try:
            cidrs.append(cidr_set.allocate_next())
        except CidrRangeFullError:
            _release(state, cidrs)
            _tell(ctx, node, "CIDRNotAvailable")
            raise
    return cidrs


async def _assign(ctx: ControllerContext, node: Object, cidrs: list[str]) -> None:
    state: State = ctx.state
    patch = {"spec": {"podCIDR": cidrs[0], "podCIDRs": cidrs}}
    state.given.add(objects.uid(node))
    for attempt in range(_ATTEMPTS):
        try:
            await ctx.client.patch(NODES, objects.name(node), patch, PatchType.STRATEGIC)
        except StatusError as err:
            if attempt < _ATTEMPTS - 1:
                continue
            state.given.discard(objects.uid(node))
            _tell(ctx, node, "CIDRAssignmentFailed")
            # After a timeout the request may have gone through: rather lose a part than share it.
            if not is_server_timeout(err):
                _release(state, cidrs)
            raise
        else:
            return


def _tell(ctx: ControllerContext, node: Object, status: str) -> None:
    name = objects.name(node)
    reference = node_taints.node_reference(name, objects.uid(node))
    ctx.recorder.event(reference, "Normal", status, f"Node {name} status is now: {status}")


def _node_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    state: State = ctx.state
    if new is None:
        if old is not None:
            state.given.discard(objects.uid(old))
            _release(state, _pod_cidrs(old))
        return ()
    if old is None:
        # All that is in use must be known before the first part is given away.
        _occupy(state, new)
    return (objects.key(new),)


def _is_wanted(config: ControllerManagerConfig) -> bool:
    return config.allocate_node_cidrs and bool(config.cluster_cidrs)


CONTROLLER = Controller(
    name="node-ipam-controller",
    aliases=("nodeipam",),
    identity="node-controller",
    event_source="cidrAllocator",
    watches=(Watch(NODES, changed=_node_changed),),
    reconcile=reconcile,
    setup=_set_up,
    wanted=_is_wanted,
)
