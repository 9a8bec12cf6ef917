"""What a pod requests, by all rules: containers, sidecars, pod level, overhead, resize in place.

Amounts are whole numbers of nano-units, so sums are exact; ``in_units`` rounds up once, at the end.
"""

# upstream: component-helpers resource/helpers.go PodRequests

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

from pykube_cp.machinery import objects
from pykube_cp.machinery.containers import is_sidecar
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.shared.quantities import MILLI, UNIT, nano

Amounts: TypeAlias = dict[str, int]
_Reader: TypeAlias = Callable[[Object, Object | None, bool], Mapping[str, Any]]

CPU, MEMORY, EPHEMERAL_STORAGE, PODS = "cpu", "memory", "ephemeral-storage", "pods"
# Counted for containers that request nothing, so that they do not all land on one node.
# upstream: pkg/scheduler/util/pod_resources.go DefaultMilliCPURequest, DefaultMemoryRequest
DEFAULT_REQUESTS: Mapping[str, int] = MappingProxyType(
    {CPU: 100 * MILLI, MEMORY: 200 * 1024 * 1024 * UNIT}
)
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_STATUS_FIELDS = (
    "containerStatuses",
    "initContainerStatuses",
    "resources",
    "allocatedResources",
    "conditions",
)


def pod_requests(
    pod: Object,
    *,
    use_status: bool,
    non_missing: Mapping[str, int] = _NOTHING,
    pod_level: bool = True,
) -> Amounts:
    """All that the pod requests, in nano-units.

    With ``use_status``, what was allocated or is in effect on the node counts if it is more.
    ``non_missing`` stands in for what a container does not request. ``pod_level=False`` leaves out
    requests of the pod as a whole.
    """
    spec, status = pod["spec"], (pod.get("status") or _NOTHING) if use_status else _NOTHING
    requests = _container_requests(spec, status, non_missing)
    whole = _pod_level_requests(spec) if pod_level else {}
    if whole:
        if status.get("resources") is not None:
            whole = _effective_pod_level(whole, status)
        requests.update((name, amount) for name, amount in whole.items() if _is_pod_level(name))
    if spec.get("overhead"):
        _add(requests, _parsed(spec["overhead"]))
    return requests


def has_pod_level_requests(pod: Object) -> bool:
    return bool(_pod_level_requests(pod["spec"]))


def in_units(amounts: Mapping[str, int]) -> Amounts:
    """Milli-cores of CPU and whole units of all else that nodes are accounted for, rounded up."""
    # upstream: pkg/scheduler/framework/types.go Resource.Add
    return {
        name: -(-amount // (MILLI if name == CPU else UNIT))
        for name, amount in amounts.items()
        if name in {CPU, MEMORY, EPHEMERAL_STORAGE} or is_scalar(name)
    }


def list_in_units(resources: Mapping[str, Any] | None) -> Amounts:
    """A resource list of the API, in the units of ``in_units``; with ``pods`` if it is there."""
    parsed = _parsed(resources or _NOTHING)
    units = in_units(parsed)
    if PODS in parsed:
        units[PODS] = -(-parsed[PODS] // UNIT)
    return units


@lru_cache(maxsize=1024)
def is_scalar(name: str) -> bool:
    """Whether nodes count the resource as a whole number: extended, huge pages, volumes."""
    # upstream: pkg/scheduler/util/utils.go IsScalarResourceName
    return (
        is_extended(name)
        or "kubernetes.io/" in name
        or name.startswith(("hugepages-", "attachable-volumes-"))
    )


def is_extended(name: str) -> bool:
    # upstream: pkg/apis/core/v1/helper/helpers.go IsExtendedResourceName
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def is_resize_infeasible(status: Mapping[str, Any]) -> bool:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodResizePending":
            return bool(condition.get("reason") == "Infeasible")
    return False


def _is_pod_level(name: str) -> bool:
    return name in {CPU, MEMORY} or name.startswith("hugepages-")


def _pod_level_requests(spec: Object) -> Amounts:
    requests = (spec.get("resources") or _NOTHING).get("requests") or _NOTHING
    return _parsed(requests) if any(_is_pod_level(name) for name in requests) else {}


def _effective_pod_level(requests: Amounts, status: Mapping[str, Any]) -> Amounts:
    return _maximum(
        {} if is_resize_infeasible(status) else requests,
        _parsed(status["resources"].get("requests") or _NOTHING),
        _parsed(status.get("allocatedResources") or _NOTHING),
    )


def _container_requests(
    spec: Object, status: Mapping[str, Any], non_missing: Mapping[str, int]
) -> Amounts:
    # upstream: component-helpers resource/helpers.go AggregateContainerRequests
    specified = _aggregate(spec, _NO_STATUSES, _specified, non_missing, infeasible=False)
    if not any(status.get(name) for name in _STATUS_FIELDS):
        return specified
    infeasible = is_resize_infeasible(status)
    in_effect = (status.get("resources") or _NOTHING).get("requests")
    if status.get("allocatedResources") is not None and in_effect is not None:
        allocated, actuated = _parsed(status["allocatedResources"]), _parsed(in_effect)
    else:
        statuses = _statuses_by_name(status)
        allocated = _aggregate(spec, statuses, _allocated, non_missing, infeasible=infeasible)
        actuated = _aggregate(spec, statuses, _actuated, non_missing, infeasible=infeasible)
    return _maximum({} if infeasible else specified, actuated, allocated)


_NO_STATUSES: Mapping[str, Object] = MappingProxyType({})


def _statuses_by_name(status: Mapping[str, Any]) -> dict[str, Object]:
    lists = (status.get("initContainerStatuses"), status.get("containerStatuses"))
    return {one["name"]: one for found in lists for one in found or ()}


def _specified(container: Object, _status: Object | None, _infeasible: bool) -> Mapping[str, Any]:  # noqa: FBT001 - one signature with the others
    return (container.get("resources") or _NOTHING).get("requests") or _NOTHING


def _allocated(container: Object, status: Object | None, infeasible: bool) -> Mapping[str, Any]:  # noqa: FBT001 - one signature with the others
    if status is not None and status.get("allocatedResources") is not None:
        found: Mapping[str, Any] = status["allocatedResources"]
        return found
    return _NOTHING if infeasible else _specified(container, status, infeasible)


def _actuated(container: Object, status: Object | None, infeasible: bool) -> Mapping[str, Any]:  # noqa: FBT001 - one signature with the others
    found: Mapping[str, Any] | None = objects.nested(status, "resources", "requests")
    return found if found is not None else _allocated(container, status, infeasible)


def _aggregate(
    spec: Object,
    statuses: Mapping[str, Object],
    read: _Reader,
    non_missing: Mapping[str, int],
    *,
    infeasible: bool,
) -> Amounts:
    """Containers run together; each init container alone, beside the sidecars before it."""

    def requested(container: Object) -> Mapping[str, int]:
        found = _parsed(read(container, statuses.get(container["name"]), infeasible))
        return {**non_missing, **found} if non_missing else found

    total: Amounts = {}
    for container in spec.get("containers") or ():
        _add(total, requested(container))
    sidecars: Amounts = {}
    initialising: Amounts = {}
    for container in spec.get("initContainers") or ():
        amounts = requested(container)
        if is_sidecar(container):
            _add(total, amounts)
            _add(sidecars, amounts)
            _raise_to(initialising, sidecars)
        else:
            alone = dict(amounts)
            _add(alone, sidecars)
            _raise_to(initialising, alone)
    _raise_to(total, initialising)
    return total


def _parsed(resources: Mapping[str, Any]) -> Amounts:
    return {name: nano(str(text)) for name, text in resources.items()}


def _add(total: Amounts, amounts: Mapping[str, int]) -> None:
    for name, amount in amounts.items():
        total[name] = total.get(name, 0) + amount


def _raise_to(total: Amounts, amounts: Mapping[str, int]) -> None:
    for name, amount in amounts.items():
        if name not in total or amount > total[name]:
            total[name] = amount


def _maximum(first: Amounts, *others: Mapping[str, int]) -> Amounts:
    result = dict(first)
    for amounts in others:
        _raise_to(result, amounts)
    return result


def names_of(*lists: Mapping[str, int]) -> Iterable[str]:
    """All resource names that occur, each once."""
    return dict.fromkeys(name for amounts in lists for name in amounts)
