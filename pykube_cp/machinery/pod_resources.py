"""How much of each resource a pod asks for and may use, over all its containers.

Init containers run one after the other before the others, so they count by their maximum; sidecars
(init containers that restart always) keep running, so they add up. While a pod is being resized it
counts with the most of what is wanted, allocated and in use.
"""

# upstream: component-helpers resource/helpers.go

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from pykube_cp.machinery import objects
from pykube_cp.machinery.containers import is_sidecar
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity

ResourceList: TypeAlias = dict[str, Quantity]

_HUGE_PAGES = "hugepages-"
_POD_LEVEL = {"cpu", "memory"}


def parse_list(resources: Mapping[str, Any] | None) -> ResourceList:
    """Quantities of a resource list as objects hold it."""
    return {name: Quantity.parse(str(value)) for name, value in (resources or {}).items()}


def add(one: ResourceList, other: ResourceList) -> ResourceList:
    result = dict(one)
    for name, quantity in other.items():
        result[name] = result[name].add(quantity) if name in result else quantity
    return result


def maximum(*lists: ResourceList) -> ResourceList:
    """The most that any of the lists has of each resource."""
    result: ResourceList = {}
    for resources in lists:
        for name, quantity in resources.items():
            if name not in result or quantity > result[name]:
                result[name] = quantity
    return result


def is_supported_pod_level(name: str) -> bool:
    return name in _POD_LEVEL or name.startswith(_HUGE_PAGES)


def _pod_level(pod: Object, field: str) -> ResourceList:
    found = parse_list(objects.nested(pod, "spec", "resources", field))
    return {name: quantity for name, quantity in found.items() if is_supported_pod_level(name)}


def has_pod_level_resources(pod: Object) -> bool:
    return bool(_pod_level(pod, "requests") or _pod_level(pod, "limits"))


def pod_requests(pod: Object) -> ResourceList:
    """What the pod asks for, with its overhead."""
    # upstream: helpers.go PodRequests
    requests = _aggregate_requests(pod)
    requests.update(_effective_pod_level(pod, "requests"))
    return add(requests, parse_list(objects.nested(pod, "spec", "overhead")))


def pod_limits(pod: Object) -> ResourceList:
    """What the pod may use; its overhead counts where there is a limit."""
    # upstream: helpers.go PodLimits
    limits = _aggregate_limits(pod)
    limits.update(_effective_pod_level(pod, "limits"))
    overhead = parse_list(objects.nested(pod, "spec", "overhead"))
    return add(limits, {name: quantity for name, quantity in overhead.items() if name in limits})


def wanted_requests(pod: Object) -> ResourceList:
    """What the pod is written to ask for, with its overhead, whatever it has now."""
    requests = stated(pod, "requests") | _pod_level(pod, "requests")
    return add(requests, parse_list(objects.nested(pod, "spec", "overhead")))


def stated(pod: Object, field: str) -> ResourceList:
    """What its containers together are written to ask for, or may use: ``requests`` or ``limits``."""
    return _aggregate(pod, _wanted(field))


def _effective_pod_level(pod: Object, field: str) -> ResourceList:
    wanted = _pod_level(pod, field)
    if not has_pod_level_resources(pod) or not objects.nested(pod, "status", "resources"):
        return wanted
    in_use = parse_list(objects.nested(pod, "status", "resources", field))
    allocated: ResourceList = {}
    if field == "requests":
        allocated = parse_list(objects.nested(pod, "status", "allocatedResources"))
    effective = maximum({} if is_resize_infeasible(pod) else wanted, in_use, allocated)
    return {name: quantity for name, quantity in effective.items() if is_supported_pod_level(name)}


def is_resize_infeasible(pod: Object) -> bool:
    for condition in objects.nested(pod, "status", "conditions", default=[]):
        if condition.get("type") == "PodResizePending":
            return bool(condition.get("reason") == "Infeasible")
    return False


def _aggregate_requests(pod: Object) -> ResourceList:
    wanted = _aggregate(pod, _wanted("requests"))
    if not _has_status_resources(pod):
        return wanted
    allocated = _aggregate(pod, _allocated)
    in_use = _aggregate(pod, _requests_in_use)
    if is_resize_infeasible(pod):
        return maximum(in_use, allocated)
    return maximum(wanted, in_use, allocated)


def _aggregate_limits(pod: Object) -> ResourceList:
    wanted = _aggregate(pod, _wanted("limits"))
    if not _has_status_resources(pod):
        return wanted
    in_use = _aggregate(pod, _limits_in_use)
    return in_use if is_resize_infeasible(pod) else maximum(wanted, in_use)


def _statuses(pod: Object) -> Iterable[Object]:
    status = pod.get("status") or {}
    yield from status.get("containerStatuses") or []
    yield from status.get("initContainerStatuses") or []


def _has_status_resources(pod: Object) -> bool:
    return any(
        status.get("resources") or status.get("allocatedResources") for status in _statuses(pod)
    )


_Chosen: TypeAlias = Callable[[Object, Object, bool], Mapping[str, Any] | None]


def _wanted(field: str) -> _Chosen:
    def chosen(container: Object, _status: Object, _infeasible: bool) -> Mapping[str, Any] | None:  # noqa: FBT001 - one of three functions of this form
        found: Mapping[str, Any] | None = objects.nested(container, "resources", field)
        return found

    return chosen


def _allocated(container: Object, status: Object, infeasible: bool) -> Mapping[str, Any] | None:  # noqa: FBT001 - as above
    found: Mapping[str, Any] | None = status.get("allocatedResources")
    if found is not None or infeasible:
        return found
    wanted: Mapping[str, Any] | None = objects.nested(container, "resources", "requests")
    return wanted


def _requests_in_use(
    container: Object,
    status: Object,
    infeasible: bool,  # noqa: FBT001 - as above
) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = objects.nested(status, "resources", "requests")
    return found if found is not None else _allocated(container, status, infeasible)


def _limits_in_use(
    container: Object,
    status: Object,
    infeasible: bool,  # noqa: FBT001 - as above
) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = objects.nested(status, "resources", "limits")
    if found is not None or infeasible:
        return found
    wanted: Mapping[str, Any] | None = objects.nested(container, "resources", "limits")
    return wanted


def _aggregate(pod: Object, choose: _Chosen) -> ResourceList:
    # upstream: helpers.go aggregateContainerResourcesByFn
    spec = pod.get("spec") or {}
    statuses = {status.get("name"): status for status in _statuses(pod)}
    infeasible = is_resize_infeasible(pod)

    def of(container: Object) -> ResourceList:
        status = statuses.get(container.get("name"), {})
        return parse_list(choose(container, status, infeasible))

    total: ResourceList = {}
    for container in spec.get("containers") or []:
        total = add(total, of(container))
    sidecars: ResourceList = {}
    initial: ResourceList = {}
    for container in spec.get("initContainers") or []:
        found = of(container)
        if is_sidecar(container):
            total = add(total, found)
            sidecars = add(sidecars, found)
            initial = maximum(initial, sidecars)
        else:
            initial = maximum(initial, add(found, sidecars))
    return maximum(total, initial)
