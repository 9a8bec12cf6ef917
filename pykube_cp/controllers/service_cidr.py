"""Says which ServiceCIDRs are ready, and keeps those that addresses of Services depend on."""
# upstream: pkg/controller/servicecidrs/servicecidrs_controller.go Controller

import ipaddress
from collections.abc import Callable, Iterable

from pykube_cp.client.interface import PatchType, WriteOptions
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.cluster_kinds import IP_ADDRESSES, SERVICE_CIDRS
from pykube_cp.controllers.shared.conditions import find_condition, new_condition
from pykube_cp.controllers.shared.protection import set_held
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object

FINALIZER = "networking.k8s.io/service-cidr-finalizer"
_NAME = "service-cidr-controller"
_MANAGED_BY_LABEL = "ipaddress.kubernetes.io/managed-by"
_ALLOCATOR = "ipallocator.k8s.io"
# So long it takes the API servers at most to notice that a range is about to go.
_DELETION_GRACE = 10.0

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    cidr = ctx.lister(SERVICE_CIDRS).get(key)
    if cidr is None:
        return None
    if objects.is_deleting(cidr):
        return await _finish_deletion(ctx, cidr)
    if FINALIZER not in objects.finalizers(cidr):
        await set_held(ctx.client, SERVICE_CIDRS, cidr, FINALIZER, held=True)
    try:
        await _set_ready(ctx, cidr, "True", "", "Kubernetes Service CIDR is ready")
    except StatusError:
        text = "The ServiceCIDR Status can not be set to Ready=True"
        ctx.recorder.event(cidr, "Warning", "KubernetesServiceCIDRError", text)
        raise
    return None


async def _finish_deletion(ctx: ControllerContext, cidr: Object) -> Result | None:
    if not can_delete(ctx, cidr):
        text = (
            "There are still IPAddresses referencing the ServiceCIDR, please remove them or "
            "create a new ServiceCIDR"
        )
        await _set_ready(ctx, cidr, "False", "Terminating", text)
        return None
    since = clock.parse_time(objects.metadata(cidr)["deletionTimestamp"])
    left = since + _DELETION_GRACE - clock.now()
    if left > 0:
        return Result(requeue_after=left)
    if FINALIZER in objects.finalizers(cidr):
        try:
            await set_held(ctx.client, SERVICE_CIDRS, cidr, FINALIZER, held=False)
        except StatusError as err:
            if not is_not_found(err):
                raise
    return None


def can_delete(ctx: ControllerContext, cidr: Object) -> bool:
    """Whether every address in the range is also in another one."""
    # upstream: pkg/controller/servicecidrs/servicecidrs_controller.go canDeleteCIDR
    others = [
        network
        for item in ctx.lister(SERVICE_CIDRS)
        if objects.name(item) != objects.name(cidr)
        for network in _networks(item)
    ]
    own = list(_networks(cidr))
    if all(any(_covers(other, network) for other in others) for network in own):
        return True
    return not any(
        any(_contains(network, address) for network in own)
        and not any(_contains(other, address) for other in others)
        for item in ctx.lister(IP_ADDRESSES)
        if (address := _allocated_address(item)) is not None
    )


def _networks(cidr: Object) -> Iterable[Network]:
    for text in cidr["spec"].get("cidrs") or ():
        yield ipaddress.ip_network(text, strict=False)


def _covers(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other) and one.prefixlen <= other.prefixlen


def _contains(network: Network, address: Address) -> bool:
    """Whether the range may hand out the address: not its first, nor in IPv4 its last."""
    # upstream: pkg/api/servicecidr/servicecidr.go PrefixContainsIP
    if address == network.network_address:
        return False
    if address.version == 4 and address == network.broadcast_address:
        return False
    return address in network


def _allocated_address(item: Object) -> Address | None:
    if objects.labels(item).get(_MANAGED_BY_LABEL) != _ALLOCATOR:
        return None
    try:
        return ipaddress.ip_address(objects.name(item))
    except ValueError:
        return None


async def _set_ready(
    ctx: ControllerContext, cidr: Object, status: str, reason: str, message: str
) -> None:
    wanted = {"type": "Ready", "status": status, "reason": reason, "message": message}
    conditions = objects.nested(cidr, "status", "conditions", default=[])
    found = find_condition(conditions, "Ready") or {}
    if all((found.get(name) or "") == value for name, value in wanted.items()):
        return
    condition = {**new_condition("Ready", status, reason, message), "reason": reason}
    apply = {
        "apiVersion": SERVICE_CIDRS.api_version,
        "kind": "ServiceCIDR",
        "metadata": {"name": objects.name(cidr)},
        "status": {"conditions": [condition]},
    }
    await ctx.client.patch(
        SERVICE_CIDRS,
        objects.name(cidr),
        apply,
        PatchType.APPLY,
        subresource="status",
        options=WriteOptions(field_manager=_NAME, force=True),
    )


# --- what wakes it


def _cidr_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    """A new range, or one that is gone, may decide whether others can go."""
    item = new or old
    if item is None:
        return ()
    if old is not None and new is not None:
        return (objects.name(item),)
    own = list(_networks(item))
    return {objects.name(item)} | _names(
        ctx, lambda network: any(network.version == n.version and network.overlaps(n) for n in own)
    )


def _address_changed(
    ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    if old is not None and new is not None:
        return ()
    item = new or old
    address = _allocated_address(item) if item else None
    return _names(ctx, lambda network: _contains(network, address)) if address else ()


def _names(ctx: ControllerContext, concerns: Callable[[Network], bool]) -> set[str]:
    return {
        objects.name(item)
        for item in ctx.lister(SERVICE_CIDRS)
        if any(map(concerns, _networks(item)))
    }


CONTROLLER = Controller(
    name=_NAME,
    identity="service-cidrs-controller",
    watches=(
        Watch(SERVICE_CIDRS, changed=_cidr_changed),
        Watch(IP_ADDRESSES, changed=_address_changed),
    ),
    reconcile=reconcile,
    workers=5,
)
