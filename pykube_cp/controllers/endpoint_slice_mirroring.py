"""EndpointSlices for Endpoints that somebody else keeps, of Services without a selector."""
# upstream: pkg/controller/endpointslicemirroring/endpointslicemirroring_controller.go Controller

from collections.abc import Iterable
from dataclasses import dataclass, field

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import endpoint_slices
from pykube_cp.controllers.shared.cluster_kinds import ENDPOINT_SLICES, ENDPOINTS, SERVICES
from pykube_cp.controllers.shared.controller_refs import new_controller_ref
from pykube_cp.controllers.shared.endpoint_pods import (
    TRIGGER_TIME_ANNOTATION,
    canonical_ip,
    is_ipv6,
)
from pykube_cp.controllers.shared.endpoint_slices import (
    EndpointKey,
    PortsKey,
    SlicePlan,
    SliceTracker,
    SliceWriter,
)
from pykube_cp.controllers.shared.endpoint_subsets import repack
from pykube_cp.machinery import objects
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object

MANAGED_BY = "endpointslicemirroring-controller.k8s.io"
MAX_ENDPOINTS_PER_SUBSET = 1000
SKIP_LABEL = "endpointslice.kubernetes.io/skip-mirror"
LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader"
_ENDPOINTS = GVK("", "v1", "Endpoints")
_IPV4, _IPV6 = "IPv4", "IPv6"
_NOT_MIRRORED_ANNOTATIONS = frozenset(
    {TRIGGER_TIME_ANNOTATION, "kubectl.kubernetes.io/last-applied-configuration"}
)
_OWN_LABELS = frozenset({endpoint_slices.SERVICE_NAME_LABEL, endpoint_slices.MANAGED_BY_LABEL})

GroupKey = tuple[str, PortsKey]


@dataclass(slots=True)
class _Group:
    """What the slice of one address type and set of ports should hold."""

    ports: list[Object]
    endpoints: dict[EndpointKey, Object] = field(default_factory=dict)


@dataclass(slots=True)
class _Desired:
    """What all slices of one Endpoints object should hold, and what could not be mirrored."""

    groups: dict[GroupKey, _Group] = field(default_factory=dict)
    invalid: int = 0
    skipped: int = 0


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    tracker: SliceTracker = ctx.state
    endpoints = ctx.lister(ENDPOINTS).get(key)
    service = ctx.lister(SERVICES).get(key)
    existing = [
        item
        for item in ctx.lister(ENDPOINT_SLICES).by_index(endpoint_slices.SERVICE_INDEX, key)
        if endpoint_slices.is_managed_by(item, MANAGED_BY)
    ]
    writer = SliceWriter(client=ctx.client, tracker=tracker, owner_kind="Endpoints")
    is_wanted = service is not None and not service["spec"].get("selector")
    if endpoints is None or not should_mirror(endpoints) or not is_wanted:
        tracker.forget(key)
        await writer.delete_all(existing)
        return None
    if tracker.is_stale(key, existing):
        return Result(requeue_after=endpoint_slices.STALE_RETRY)
    desired = desired_slices(endpoints)
    _report(ctx, endpoints, desired)
    await writer.write(endpoints, _plan(tracker, endpoints, existing, desired.groups))
    return None


def should_mirror(endpoints: Object) -> bool:
    return objects.labels(endpoints).get(
        SKIP_LABEL
    ) != "true" and LEADER_ANNOTATION not in objects.annotations(endpoints)


def desired_slices(endpoints: Object) -> _Desired:
    # upstream: pkg/controller/endpointslicemirroring/reconciler.go reconcile
    desired = _Desired()
    for subset in repack(endpoints.get("subsets")):
        ports = [_slice_port(port) for port in subset.get("ports") or ()]
        key = endpoint_slices.ports_key(ports)
        groups = {
            address_type: desired.groups.setdefault((address_type, key), _Group(ports))
            for address_type in (_IPV4, _IPV6)
        }
        _add_addresses(subset, groups, desired)
    return desired


def _add_addresses(subset: Object, groups: dict[str, _Group], desired: _Desired) -> None:
    ready = subset.get("addresses") or []
    waiting = subset.get("notReadyAddresses") or []
    added = 0
    for address, is_ready in [(item, True) for item in ready] + [(item, False) for item in waiting]:
        if added >= MAX_ENDPOINTS_PER_SUBSET:
            break
        ip = canonical_ip(address["ip"])
        if not ip:
            desired.invalid += 1
            continue
        added += 1
        endpoint = _endpoint(address, ip, is_ready=is_ready)
        group = groups[_IPV6 if is_ipv6(ip) else _IPV4]
        group.endpoints[endpoint_slices.endpoint_key(endpoint)] = endpoint
    desired.skipped += len(ready) + len(waiting) - added


def _endpoint(address: Object, ip: str, *, is_ready: bool) -> Object:
    endpoint: Object = {"addresses": [ip], "conditions": {"ready": is_ready}}
    for name in ("targetRef", "nodeName", "hostname"):
        if value := address.get(name):
            endpoint[name] = value
    return endpoint


def _slice_port(port: Object) -> Object:
    made: Object = {
        "name": port.get("name", ""),
        "port": port["port"],
        "protocol": port.get("protocol", "TCP"),
    }
    if app_protocol := port.get("appProtocol"):
        made["appProtocol"] = app_protocol
    return made


def _report(ctx: ControllerContext, endpoints: Object, desired: _Desired) -> None:
    if desired.invalid:
        text = f"Skipped {desired.invalid} invalid IP addresses when mirroring to EndpointSlices"
        ctx.recorder.event(endpoints, "Warning", "InvalidIPAddress", text)
    if desired.skipped > desired.invalid:
        text = (
            f"A max of {MAX_ENDPOINTS_PER_SUBSET} addresses can be mirrored to EndpointSlices "
            f"per Endpoints subset. {desired.skipped} addresses were skipped"
        )
        ctx.recorder.event(endpoints, "Warning", "TooManyAddressesToMirror", text)


def _plan(
    tracker: SliceTracker,
    endpoints: Object,
    existing: list[Object],
    groups: dict[GroupKey, _Group],
) -> SlicePlan:
    plan = SlicePlan()
    by_key: dict[GroupKey, list[Object]] = {}
    for item in existing:
        key = item["addressType"], endpoint_slices.ports_key(item.get("ports"))
        by_key.setdefault(key, []).append(item)
    for key, group in groups.items():
        present = by_key.pop(key, [])
        if not group.endpoints:
            plan.delete += present
            continue
        plan.delete += present[1:]
        made = _new_slice(endpoints, group, key[0])
        if not present:
            plan.create.append(made)
        elif _differs(present[0], made, endpoints):
            made["metadata"]["name"] = objects.name(present[0])
            del made["metadata"]["generateName"]
            plan.update.append(made)
        elif not tracker.has(present[0]):
            tracker.update(present[0])
    for unwanted in by_key.values():
        plan.delete += unwanted
    return plan


def _new_slice(endpoints: Object, group: _Group, address_type: str) -> Object:
    # upstream: pkg/controller/endpointslicemirroring/utils.go newEndpointSlice
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{objects.name(endpoints)}-",
            "namespace": objects.namespace(endpoints),
            "labels": {
                **objects.labels(endpoints),
                endpoint_slices.SERVICE_NAME_LABEL: objects.name(endpoints),
                endpoint_slices.MANAGED_BY_LABEL: MANAGED_BY,
            },
            "annotations": _mirrored_annotations(endpoints),
            "ownerReferences": [new_controller_ref(endpoints, _ENDPOINTS)],
        },
        "addressType": address_type,
        "endpoints": list(group.endpoints.values())[:MAX_ENDPOINTS_PER_SUBSET],
        "ports": group.ports,
    }


def _mirrored_annotations(endpoints: Object) -> dict[str, str]:
    return {
        name: value
        for name, value in objects.annotations(endpoints).items()
        if name not in _NOT_MIRRORED_ANNOTATIONS
    }


def _differs(present: Object, made: Object, endpoints: Object) -> bool:
    """Whether the slice has to be written anew."""
    if objects.annotations(present) != objects.annotations(made):
        return True
    if _without_own(objects.labels(present)) != _without_own(objects.labels(endpoints)):
        return True
    if not endpoint_slices.is_owned_by(present, endpoints, "Endpoints"):
        return True
    wanted = {endpoint_slices.endpoint_key(item): item for item in made["endpoints"]}
    current = {endpoint_slices.endpoint_key(item): item for item in present.get("endpoints") or ()}
    return wanted.keys() != current.keys() or not all(
        endpoint_slices.same_endpoint(wanted[key], current[key]) for key in wanted
    )


def _without_own(labels: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name not in _OWN_LABELS}


# --- what wakes it


def _endpoints_changed(
    _ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    return {objects.key(item) for item in (old, new) if item and should_mirror(item)}


def _service_changed(
    _ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    selects = {bool(item["spec"].get("selector")) for item in (old, new) if item}
    both = old is not None and new is not None
    if len(selects) == 2 or (not both and selects == {False}):
        return {objects.key(item) for item in (old, new) if item}
    return ()


def _slice_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    return endpoint_slices.changed_services(ctx.state, MANAGED_BY, old, new)


CONTROLLER = Controller(
    name="endpointslice-mirroring-controller",
    aliases=("endpointslicemirroring",),
    identity="endpointslicemirroring-controller",
    event_source="endpoint-slice-mirroring-controller",
    watches=(
        Watch(ENDPOINTS, changed=_endpoints_changed),
        Watch(SERVICES, changed=_service_changed),
        Watch(
            ENDPOINT_SLICES,
            changed=_slice_changed,
            indexes={endpoint_slices.SERVICE_INDEX: endpoint_slices.service_index},
        ),
    ),
    reconcile=reconcile,
    workers=5,
    setup=lambda _ctx: SliceTracker(),
)
