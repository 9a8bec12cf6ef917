"""EndpointSlices of Services that select Pods."""
# upstream: pkg/controller/endpointslice/endpointslice_controller.go Controller

from collections.abc import Iterable
from dataclasses import dataclass, field

from pykube_cp.controllers.interface import Controller, ControllerContext, Queue, Result, Watch
from pykube_cp.controllers.shared import endpoint_pods, endpoint_slices, traffic_distribution
from pykube_cp.controllers.shared import pods as pod_states
from pykube_cp.controllers.shared.cluster_kinds import ENDPOINT_SLICES, NODES, SERVICES
from pykube_cp.controllers.shared.controller_refs import new_controller_ref
from pykube_cp.controllers.shared.endpoint_slices import (
    EndpointKey,
    Packer,
    PortsKey,
    SlicePlan,
    SliceTracker,
    SliceWriter,
)
from pykube_cp.controllers.shared.errors import AggregateError, raise_all
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.controllers.shared.node_taints import is_ready
from pykube_cp.controllers.shared.topology_hints import (
    ZONE_LABEL,
    HintEvent,
    TopologyHints,
    hints_enabled,
    remove_hints,
)
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object

MANAGED_BY = "endpointslice-controller.k8s.io"
_SERVICE = GVK("", "v1", "Service")
_IPV4, _IPV6 = "IPv4", "IPv6"
_TOPOLOGY = "topology"
_RESERVED_LABELS = frozenset(
    {
        endpoint_slices.SERVICE_NAME_LABEL,
        endpoint_slices.MANAGED_BY_LABEL,
        endpoint_pods.HEADLESS_LABEL,
    }
)


@dataclass(slots=True)
class State:
    """What the controller remembers."""

    tracker: SliceTracker = field(default_factory=SliceTracker)
    trigger_times: endpoint_pods.TriggerTimes = field(default_factory=endpoint_pods.TriggerTimes)
    hints: TopologyHints = field(default_factory=TopologyHints)


@dataclass(slots=True)
class _Group:
    """Endpoints that share their ports."""

    ports: list[Object]
    endpoints: dict[EndpointKey, Object] = field(default_factory=dict)


class MissingNodeError(Exception):
    """A Pod runs on a node that is not known, or not yet."""


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    state: State = ctx.state
    service = ctx.lister(SERVICES).get(key)
    if service is None:
        state.trigger_times.forget(key)
        state.tracker.forget(key)
        return None
    if not endpoint_pods.selects_pods(service):
        return None
    pods = endpoint_pods.selected_pods(service, ctx.lister(PODS).list(objects.namespace(service)))
    existing = [
        item
        for item in ctx.lister(ENDPOINT_SLICES).by_index(endpoint_slices.SERVICE_INDEX, key)
        if endpoint_slices.is_managed_by(item, MANAGED_BY) and not objects.is_deleting(item)
    ]
    if state.tracker.is_stale(key, existing):
        return Result(requeue_after=endpoint_slices.STALE_RETRY)
    trigger_time = state.trigger_times.compute(service, pods)
    try:
        await _sync(ctx, service, pods, existing, trigger_time)
    except (StatusError, MissingNodeError, AggregateError) as err:
        text = f"Error updating Endpoint Slices for Service {key}: {err}"
        ctx.recorder.event(service, "Warning", "FailedToUpdateEndpointSlices", text)
        raise
    return None


async def _sync(
    ctx: ControllerContext,
    service: Object,
    pods: list[Object],
    existing: list[Object],
    trigger_time: str,
) -> None:
    # upstream: endpointslice reconciler.go Reconcile
    state: State = ctx.state
    writer = SliceWriter(client=ctx.client, tracker=state.tracker, owner_kind="Service")
    types = address_types(service)
    failures: list[Exception] = []
    for address_type in types:
        of_type = [item for item in existing if item["addressType"] == address_type]
        groups, missing = _desired(ctx, service, pods, address_type)
        failures += missing
        plan = _plan(service, groups, of_type, address_type)
        events = _give_hints(state.hints, service, plan, of_type, address_type)
        for changed in (*plan.create, *plan.update):
            _set_trigger_time(changed, trigger_time)
        try:
            await writer.write(service, plan)
        except StatusError as err:
            failures.append(err)
        for event in events:
            ctx.recorder.event(service, event.type, event.reason, event.message)
    for leftover in existing:
        if leftover["addressType"] not in types:
            state.hints.forget(objects.key(service), leftover["addressType"])
            await writer.delete(leftover)
    raise_all(failures)


def address_types(service: Object) -> list[str]:
    """The kinds of addresses that the Service has endpoints of."""
    # upstream: endpointslice utils.go getAddressTypesForService
    spec = service["spec"]
    families = [family for family in spec.get("ipFamilies") or () if family in {_IPV4, _IPV6}]
    if families:
        return list(dict.fromkeys(families))
    if endpoint_pods.is_headless(service):
        return [_IPV4, _IPV6]
    return [_IPV6 if endpoint_pods.is_ipv6(spec["clusterIP"]) else _IPV4]


def _desired(
    ctx: ControllerContext, service: Object, pods: Iterable[Object], address_type: str
) -> tuple[dict[PortsKey, _Group], list[MissingNodeError]]:
    groups: dict[PortsKey, _Group] = {}
    missing: list[MissingNodeError] = []
    for pod in pods:
        if not endpoint_pods.should_be_in_endpoints(pod, include_terminating=True):
            continue
        ports = endpoint_ports(service, pod)
        group = groups.setdefault(endpoint_slices.ports_key(ports), _Group(ports))
        node_name = pod_states.node_name(pod)
        node = ctx.lister(NODES).get(node_name)
        if node is None and not service["spec"].get("publishNotReadyAddresses"):
            missing.append(
                MissingNodeError(
                    f"skipping Pod {objects.name(pod)} for Service {objects.key(service)}: "
                    f"Node {node_name} Not Found"
                )
            )
            continue
        endpoint = endpoint_of(pod, node, service, address_type)
        if endpoint["addresses"]:
            group.endpoints[endpoint_slices.endpoint_key(endpoint)] = endpoint
    return groups, missing


def endpoint_ports(service: Object, pod: Object) -> list[Object]:
    """The Service's ports as they are in this Pod; those it does not have are left out."""
    # upstream: endpointslice utils.go getEndpointPorts
    ports: list[Object] = []
    for service_port in service["spec"].get("ports") or ():
        number = endpoint_pods.find_port(pod, service_port)
        if number is None:
            continue
        port = {
            "name": service_port.get("name", ""),
            "port": number,
            "protocol": service_port.get("protocol", "TCP"),
        }
        if app_protocol := service_port.get("appProtocol"):
            port["appProtocol"] = app_protocol
        ports.append(port)
    return ports


def endpoint_of(pod: Object, node: Object | None, service: Object, address_type: str) -> Object:
    # upstream: endpointslice utils.go podToEndpoint
    serving = pod_states.is_ready(pod)
    terminating = objects.is_deleting(pod)
    published = bool(service["spec"].get("publishNotReadyAddresses"))
    wants_ipv6 = address_type == _IPV6
    endpoint: Object = {
        "addresses": [
            ip for ip in endpoint_pods.pod_ips(pod) if endpoint_pods.is_ipv6(ip) == wants_ipv6
        ],
        "conditions": {
            "ready": published or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": {
            "kind": "Pod",
            "namespace": objects.namespace(pod),
            "name": objects.name(pod),
            "uid": objects.uid(pod),
        },
    }
    optional = {
        "nodeName": pod_states.node_name(pod),
        "zone": objects.labels(node).get(ZONE_LABEL, "") if node else "",
        "hostname": endpoint_pods.hostname_for(pod, service),
    }
    endpoint.update({name: value for name, value in optional.items() if value})
    return endpoint


def _plan(
    service: Object, groups: dict[PortsKey, _Group], existing: list[Object], address_type: str
) -> SlicePlan:
    # upstream: endpointslice reconciler.go reconcileByAddressType
    plan = SlicePlan()
    by_ports: dict[PortsKey, list[Object]] = {}
    for item in existing:
        if endpoint_slices.is_owned_by(item, service, "Service"):
            by_ports.setdefault(endpoint_slices.ports_key(item.get("ports")), []).append(item)
        else:
            plan.delete.append(item)
    packer = Packer(
        new_slice=lambda ports, kind: _new_slice(service, ports, kind),
        labels_of=lambda item: _changed_labels(item, service),
    )
    for key, group in groups.items():
        present = by_ports.pop(key, [])
        plan.extend(packer.plan_group(present, group.endpoints, group.ports, address_type))
    for unwanted in by_ports.values():
        plan.delete += unwanted
    if len(existing) == len(plan.delete) and not plan.create:
        _keep_placeholder(plan, _new_slice(service, [], address_type))
    return plan


def _keep_placeholder(plan: SlicePlan, placeholder: Object) -> None:
    """A Service without endpoints has one empty slice, so that it is seen to have none."""
    if len(plan.delete) == 1 and _is_placeholder(plan.delete[0], placeholder):
        plan.delete.clear()
    else:
        plan.create.append(placeholder)


def _is_placeholder(item: Object, placeholder: Object) -> bool:
    return (
        not item.get("endpoints")
        and not item.get("ports")
        and item["addressType"] == placeholder["addressType"]
        and objects.labels(item) == objects.labels(placeholder)
        and objects.owner_references(item) == objects.owner_references(placeholder)
    )


def _new_slice(service: Object, ports: list[Object], address_type: str) -> Object:
    # upstream: endpointslice utils.go newEndpointSlice
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "generateName": f"{objects.name(service)}-",
            "namespace": objects.namespace(service),
            "labels": _labels(service),
            "ownerReferences": [new_controller_ref(service, _SERVICE)],
        },
        "addressType": address_type,
        "endpoints": [],
        "ports": ports,
    }


def _labels(service: Object) -> dict[str, str]:
    """Labels of the Service's slices."""
    # upstream: endpointslice utils.go setEndpointSliceLabels
    labels = _unreserved(objects.labels(service))
    if endpoint_pods.is_headless(service):
        labels[endpoint_pods.HEADLESS_LABEL] = ""
    labels[endpoint_slices.SERVICE_NAME_LABEL] = objects.name(service)
    labels[endpoint_slices.MANAGED_BY_LABEL] = MANAGED_BY
    return labels


def _changed_labels(item: Object, service: Object) -> dict[str, str] | None:
    if _unreserved(objects.labels(item)) == _unreserved(objects.labels(service)):
        return None
    return _labels(service)


def _unreserved(labels: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in labels.items() if name not in _RESERVED_LABELS}


def _set_trigger_time(item: Object, trigger_time: str) -> None:
    # upstream: endpointslice utils.go addTriggerTimeAnnotation
    annotations = item["metadata"].setdefault("annotations", {})
    if trigger_time:
        annotations[endpoint_pods.TRIGGER_TIME_ANNOTATION] = trigger_time
    else:
        annotations.pop(endpoint_pods.TRIGGER_TIME_ANNOTATION, None)


def _give_hints(
    hints: TopologyHints,
    service: Object,
    plan: SlicePlan,
    existing: list[Object],
    address_type: str,
) -> list[HintEvent]:
    key = objects.key(service)
    if hints_enabled(service):
        return hints.add_hints(key, address_type, plan, existing)
    events = [hints.disabled_event(address_type)] if hints.has_hints(key) else []
    hints.forget(key, address_type)
    distribution = service["spec"].get("trafficDistribution")
    if distribution not in traffic_distribution.CLOSE:
        remove_hints(plan, existing)
        return events
    for item in plan.unchanged(existing):
        if traffic_distribution.needs_update(item, distribution):
            plan.update.append(objects.deep_copy(item))
    for item in (*plan.create, *plan.update):
        traffic_distribution.update(item, distribution)
    return events


# --- what wakes it


def _slice_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    state: State = ctx.state
    for key in endpoint_slices.changed_services(state.tracker, MANAGED_BY, old, new):
        ctx.queue.add_after(key, endpoint_slices.CHANGE_DELAY)
    return ()


def _node_changed(_ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    if old is None or new is None:
        return (_TOPOLOGY,)
    zones = [objects.labels(node).get(ZONE_LABEL) for node in (old, new)]
    same = is_ready(old) == is_ready(new) and zones[0] == zones[1]
    return () if same else (_TOPOLOGY,)


async def _sync_topology(ctx: ControllerContext, _key: str) -> Result | None:
    state: State = ctx.state
    state.hints.set_nodes(ctx.lister(NODES))
    for key in state.hints.overloaded_services():
        ctx.queue.add(key)
    return None


CONTROLLER = Controller(
    name="endpointslice-controller",
    aliases=("endpointslice",),
    identity="endpointslice-controller",
    event_source="endpoint-slice-controller",
    watches=(
        Watch(SERVICES, indexes={endpoint_pods.SELECTOR_INDEX: endpoint_pods.selector_index}),
        Watch(PODS, changed=endpoint_pods.pod_changed),
        Watch(
            ENDPOINT_SLICES,
            changed=_slice_changed,
            indexes={endpoint_slices.SERVICE_INDEX: endpoint_slices.service_index},
        ),
        Watch(NODES, changed=_node_changed, queue=_TOPOLOGY),
    ),
    reconcile=reconcile,
    workers=5,
    queues=(Queue(_TOPOLOGY, _sync_topology),),
    setup=lambda _ctx: State(),
)
