"""Endpoints of Services that select Pods."""
# upstream: pkg/controller/endpoint/endpoints_controller.go Controller

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import endpoint_pods
from pykube_cp.controllers.shared import pods as pod_states
from pykube_cp.controllers.shared.cluster_kinds import ENDPOINTS, SERVICES
from pykube_cp.controllers.shared.endpoint_subsets import repack, same_subsets
from pykube_cp.controllers.shared.errors import is_namespace_terminating
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object

MANAGED_BY_LABEL = "endpoints.kubernetes.io/managed-by"
MANAGED_BY = "endpoint-controller"
OVER_CAPACITY_ANNOTATION = "endpoints.kubernetes.io/over-capacity"
LEADER_ANNOTATION = "control-plane.alpha.kubernetes.io/leader"
MAX_ADDRESSES = 1000
_OWN_LABELS = frozenset({MANAGED_BY_LABEL, endpoint_pods.HEADLESS_LABEL})
_STALE_RETRY = 0.05


@dataclass(slots=True)
class State:
    """What the controller remembers.

    ``stale`` has, by key, the version that was replaced: as long as the informer shows it, it lags.
    """

    trigger_times: endpoint_pods.TriggerTimes = field(default_factory=endpoint_pods.TriggerTimes)
    stale: dict[str, str] = field(default_factory=dict)


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    state: State = ctx.state
    service = ctx.lister(SERVICES).get(key)
    if service is None:
        await _delete(ctx, key)
        state.trigger_times.forget(key)
        state.stale.pop(key, None)
        return None
    if not endpoint_pods.selects_pods(service):
        return None
    pods = endpoint_pods.selected_pods(service, ctx.lister(PODS).list(objects.namespace(service)))
    trigger_time = state.trigger_times.compute(service, pods)
    subsets = repack(_subsets(service, pods))
    current = ctx.lister(ENDPOINTS).get(key)
    if current and state.stale.get(key) == objects.resource_version(current):
        return Result(requeue_after=_STALE_RETRY)
    if current is None or not _is_up_to_date(current, service, subsets):
        await _write(ctx, service, current, _wanted(service, current, subsets, trigger_time))
    return None


async def _delete(ctx: ControllerContext, key: str) -> None:
    namespace, name = objects.split_key(key)
    try:
        await ctx.client.delete(ENDPOINTS, name, namespace)
    except StatusError as err:
        if not is_not_found(err):
            raise


def _subsets(service: Object, pods: Iterable[Object]) -> Iterator[Object]:
    """One subset for each Pod and port."""
    spec = service["spec"]
    publish = bool(spec.get("publishNotReadyAddresses"))
    ports = spec.get("ports") or ()
    for pod in pods:
        if not endpoint_pods.should_be_in_endpoints(pod, include_terminating=publish):
            continue
        address = _address(service, pod)
        if address is None:
            continue
        field_name = "addresses" if publish or pod_states.is_ready(pod) else "notReadyAddresses"
        if not ports and spec.get("clusterIP") == "None":
            yield {field_name: [address]}
        for service_port in ports:
            number = endpoint_pods.find_port(pod, service_port)
            if number is not None:
                yield {field_name: [address], "ports": [_port(service_port, number)]}


def _address(service: Object, pod: Object) -> Object | None:
    """The Pod's address of the Service's first family."""
    # upstream: pkg/controller/endpoint/endpoints_controller.go podToEndpointAddressForService
    wants_ipv6 = _wants_ipv6(service, pod)
    ips = [ip for ip in endpoint_pods.pod_ips(pod) if endpoint_pods.is_ipv6(ip) == wants_ipv6]
    if not ips:
        return None
    address: Object = {
        "ip": ips[0],
        "nodeName": pod_states.node_name(pod),
        "targetRef": {
            "kind": "Pod",
            "namespace": objects.namespace(pod),
            "name": objects.name(pod),
            "uid": objects.uid(pod),
        },
    }
    if hostname := endpoint_pods.hostname_for(pod, service):
        address["hostname"] = hostname
    return address


def _wants_ipv6(service: Object, pod: Object) -> bool:
    spec = service["spec"]
    if families := spec.get("ipFamilies"):
        return bool(families[0] == "IPv6")
    if not endpoint_pods.is_headless(service):
        return endpoint_pods.is_ipv6(spec["clusterIP"])
    return endpoint_pods.is_ipv6(objects.nested(pod, "status", "podIP", default=""))


def _port(service_port: Object, number: int) -> Object:
    port: Object = {"port": number, "protocol": service_port.get("protocol", "TCP")}
    for name in ("name", "appProtocol"):
        if value := service_port.get(name):
            port[name] = value
    return port


def _is_up_to_date(current: Object, service: Object, subsets: list[Object]) -> bool:
    labels = objects.labels(current)
    inherited = {name: value for name, value in labels.items() if name not in _OWN_LABELS}
    if labels.get(MANAGED_BY_LABEL) != MANAGED_BY or inherited != objects.labels(service):
        return False
    if OVER_CAPACITY_ANNOTATION in objects.annotations(current):
        return False
    found = current.get("subsets")
    return _count(found or ()) <= MAX_ADDRESSES and same_subsets(found, subsets)


def _wanted(
    service: Object, current: Object | None, subsets: list[Object], trigger_time: str
) -> Object:
    metadata = objects.deep_copy(objects.metadata(current)) if current else {}
    metadata["name"] = objects.name(service)
    metadata["namespace"] = objects.namespace(service)
    labels = {**objects.labels(service), MANAGED_BY_LABEL: MANAGED_BY}
    labels.pop(endpoint_pods.HEADLESS_LABEL, None)
    if endpoint_pods.is_headless(service):
        labels[endpoint_pods.HEADLESS_LABEL] = ""
    metadata["labels"] = labels
    annotations = metadata.setdefault("annotations", {})
    _set(annotations, endpoint_pods.TRIGGER_TIME_ANNOTATION, trigger_time)
    is_over = _count(subsets) > MAX_ADDRESSES
    _set(annotations, OVER_CAPACITY_ANNOTATION, "truncated" if is_over else "")
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": metadata,
        "subsets": truncated(subsets) if is_over else subsets,
    }


def _set(annotations: dict[str, str], name: str, value: str) -> None:
    if value:
        annotations[name] = value
    else:
        annotations.pop(name, None)


def _count(subsets: Iterable[Object]) -> int:
    return sum(
        len(subset.get(field_name) or ())
        for subset in subsets
        for field_name in ("addresses", "notReadyAddresses")
    )


def truncated(subsets: list[Object]) -> list[Object]:
    """At most ``MAX_ADDRESSES`` addresses, ready ones first, each subset in proportion."""
    # upstream: pkg/controller/endpoint/endpoints_controller.go truncateEndpoints
    ready = sum(len(subset.get("addresses") or ()) for subset in subsets)
    too_many_ready = ready > MAX_ADDRESSES
    field_name = "addresses" if too_many_ready else "notReadyAddresses"
    room = MAX_ADDRESSES if too_many_ready else MAX_ADDRESSES - ready
    total = ready if too_many_ready else _count(subsets) - ready
    left = room
    result: list[Object] = []
    for subset in subsets:
        found = subset.get(field_name) or []
        share = min(math.ceil(len(found) / total * room), left)
        left -= min(share, len(found))
        kept = {**subset, field_name: found[:share]}
        if too_many_ready:
            kept.pop("notReadyAddresses", None)
        result.append({name: value for name, value in kept.items() if value})
    return result


async def _write(
    ctx: ControllerContext, service: Object, current: Object | None, wanted: Object
) -> None:
    state: State = ctx.state
    key = objects.key(service)
    try:
        if current is None:
            await ctx.client.create(ENDPOINTS, wanted, objects.namespace(service))
            return
        updated = await ctx.client.update(ENDPOINTS, wanted)
    except StatusError as err:
        if current is None and is_namespace_terminating(err):
            return
        _report(ctx, wanted, key, err, creating=current is None)
        raise
    # An update that changed nothing leaves the version as it was, and the informer is right.
    if objects.resource_version(updated) != objects.resource_version(current):
        state.stale[key] = objects.resource_version(current)


def _report(
    ctx: ControllerContext, wanted: Object, key: str, err: StatusError, *, creating: bool
) -> None:
    if creating:
        text = f"Failed to create endpoint for service {key}: {err}"
        ctx.recorder.event(wanted, "Warning", "FailedToCreateEndpoint", text)
    else:
        text = f"Failed to update endpoint {key}: {err}"
        ctx.recorder.event(wanted, "Warning", "FailedToUpdateEndpoint", text)


# --- what wakes it


def _endpoints_changed(
    _ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    return (objects.key(old),) if new is None and old is not None else ()


async def _check_leftovers(ctx: ControllerContext) -> None:
    """Look once at all there are: their Services may have gone while nobody was looking."""
    for endpoints in ctx.lister(ENDPOINTS):
        if LEADER_ANNOTATION not in objects.annotations(endpoints):
            ctx.queue.add(objects.key(endpoints))


CONTROLLER = Controller(
    name="endpoints-controller",
    aliases=("endpoint",),
    identity="endpoint-controller",
    event_source="endpoint-controller",
    watches=(
        Watch(SERVICES, indexes={endpoint_pods.SELECTOR_INDEX: endpoint_pods.selector_index}),
        Watch(PODS, changed=endpoint_pods.pod_changed),
        Watch(ENDPOINTS, changed=_endpoints_changed),
    ),
    reconcile=reconcile,
    workers=5,
    setup=lambda _ctx: State(),
    run=_check_leftovers,
)
