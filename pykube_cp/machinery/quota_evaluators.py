"""How much of a quota an object uses.

The admission plugin and the controller judge by the same evaluators: one for pods, services, claims
and resource claims each, and one that only counts objects for everything else.
"""

# upstream: pkg/quota/v1/evaluator/core, apiserver pkg/quota/v1/generic/evaluator.go

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from pykube_cp.machinery import clock, objects, pod_resources
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.pod_resources import ResourceList, parse_list
from pykube_cp.machinery.quantity import Quantity
from pykube_cp.machinery.volumes import class_of

ZERO = Quantity.parse("0")
_ONE = Quantity.parse("1")


def object_count_name(group: str, resource: str) -> str:
    return f"count/{resource}.{group}" if group else f"count/{resource}"


def _value_matches(selector: Object, values: Iterable[str]) -> bool:
    """``In`` and the like on the values a scope has for an object; there may be none."""
    # upstream: pkg/apis/core/v1/helper ScopedResourceSelectorRequirementsAsSelector
    wanted = set(selector.get("values") or [])
    found = list(values)
    match selector.get("operator"):
        case "In":
            return not wanted.isdisjoint(found)
        case "NotIn":
            return not found or any(value not in wanted for value in found)
        case "Exists":
            return bool(found)
        case "DoesNotExist":
            return not found
        case _:
            return False


@dataclass(frozen=True, slots=True)
class ObjectCountEvaluator:
    """Counts objects of one resource; the evaluator of whatever has no other.

    Attributes:
        alias: an older name of the count: ``configmaps`` for ``count/configmaps``.
    """

    group: str
    resource: str
    alias: str = ""

    @property
    def group_resource(self) -> tuple[str, str]:
        return self.group, self.resource

    def _names(self) -> list[str]:
        name = object_count_name(self.group, self.resource)
        return [name, self.alias] if self.alias else [name]

    def handles(
        self, operation: str, subresource: str, _new: Object | None, _old: Object | None
    ) -> bool:
        """Whether a request may change what is used."""
        return operation == "CREATE" and not subresource

    def constraints(self, _required: Iterable[str], _obj: Object) -> str:
        """Why an object cannot be judged, empty if it can."""
        return ""

    def matching_resources(self, names: Iterable[str]) -> list[str]:
        """Those of ``names`` that this evaluator knows about, sorted."""
        return sorted(set(self._names()).intersection(names))

    def matches_scope(self, _selector: Object, _obj: Object) -> bool:
        return False

    def usage(self, _obj: Object) -> ResourceList:
        return dict.fromkeys(self._names(), _ONE)

    def is_replenished_by(self, _old: Object, _new: Object) -> bool:
        """Whether an update may free something."""
        return False


class ServiceEvaluator(ObjectCountEvaluator):
    """Counts services, and their node ports and load balancers."""

    _RESOURCES: ClassVar = {
        "count/services",
        "services",
        "services.loadbalancers",
        "services.nodeports",
    }

    def __init__(self) -> None:
        super().__init__("", "services")

    def handles(
        self, operation: str, subresource: str, _new: Object | None, _old: Object | None
    ) -> bool:
        return operation in {"CREATE", "UPDATE"} and not subresource

    def matching_resources(self, names: Iterable[str]) -> list[str]:
        return sorted(self._RESOURCES.intersection(names))

    def usage(self, obj: Object) -> ResourceList:
        spec = obj.get("spec") or {}
        ports = spec.get("ports") or []
        balanced = spec.get("type") == "LoadBalancer"
        node_ports = 0
        if spec.get("type") == "NodePort":
            node_ports = len(ports)
        elif balanced and spec.get("allocateLoadBalancerNodePorts") is False:
            node_ports = sum(bool(port.get("nodePort")) for port in ports)
        elif balanced:
            node_ports = len(ports)
        return {
            "count/services": _ONE,
            "services": _ONE,
            "services.loadbalancers": _ONE if balanced else ZERO,
            "services.nodeports": Quantity.parse(str(node_ports)),
        }

    def is_replenished_by(self, old: Object, new: Object) -> bool:
        return _counted_type(old) != _counted_type(new)


def _counted_type(service: Object) -> str:
    kind: str = objects.nested(service, "spec", "type", default="")
    return kind if kind in {"NodePort", "LoadBalancer"} else ""


class ClaimEvaluator(ObjectCountEvaluator):
    """Counts persistent volume claims and what they request, also by storage class."""

    _SUFFIX = ".storageclass.storage.k8s.io/"
    _RESOURCES: ClassVar = {"persistentvolumeclaims", "requests.storage"}
    _COUNT = "count/persistentvolumeclaims"
    _SCOPE = "VolumeAttributesClass"

    def __init__(self) -> None:
        super().__init__("", "persistentvolumeclaims")

    def handles(
        self, operation: str, subresource: str, new: Object | None, old: Object | None
    ) -> bool:
        if subresource == "status":
            return new is not None and old is not None and self.is_replenished_by(old, new)
        return operation in {"CREATE", "UPDATE"} and not subresource

    def matching_resources(self, names: Iterable[str]) -> list[str]:
        return [
            name
            for name in names
            if name == self._COUNT
            or name in self._RESOURCES
            or any(name.endswith(self._SUFFIX + resource) for resource in self._RESOURCES)
        ]

    def matches_scope(self, selector: Object, obj: Object) -> bool:
        if selector.get("scopeName") != self._SCOPE:
            return False
        return _value_matches(selector, _attributes_classes(obj))

    def usage(self, obj: Object) -> ResourceList:
        storage_class = class_of(obj)
        used = {"persistentvolumeclaims": _ONE}
        storage = self._storage(obj)
        if storage is not None:
            used["requests.storage"] = storage
        if storage_class:
            prefix = f"{storage_class}{self._SUFFIX}"
            used.update({f"{prefix}{name}": quantity for name, quantity in list(used.items())})
        used[self._COUNT] = _ONE
        return used

    def _storage(self, claim: Object) -> Quantity | None:
        """The larger of what is requested and what is allocated already."""
        requested = objects.nested(claim, "spec", "resources", "requests", "storage")
        if requested is None:
            return None
        storage = Quantity.parse(str(requested))
        allocated = objects.nested(claim, "status", "allocatedResources", "storage")
        if allocated is not None:
            storage = max(storage, Quantity.parse(str(allocated)))
        return storage

    def is_replenished_by(self, old: Object, new: Object) -> bool:
        path = ("status", "allocatedResources", "storage")
        if objects.nested(old, *path) != objects.nested(new, *path):
            return True
        return _attributes_classes(old) != _attributes_classes(new)


def _attributes_classes(claim: Object) -> set[str]:
    status = claim.get("status") or {}
    found = {
        objects.nested(claim, "spec", "volumeAttributesClassName"),
        status.get("currentVolumeAttributesClassName"),
        objects.nested(status, "modifyVolumeStatus", "targetVolumeAttributesClassName"),
    }
    return {name for name in found if name}


class ResourceClaimEvaluator(ObjectCountEvaluator):
    """Counts resource claims, and the devices they ask for by class."""

    _SUFFIX = ".deviceclass.resource.k8s.io/devices"
    _COUNT = "count/resourceclaims.resource.k8s.io"
    # What a request for all devices counts as: the most that an allocation may hold.
    _ALL_DEVICES = 32

    def __init__(self) -> None:
        super().__init__("resource.k8s.io", "resourceclaims")

    def handles(
        self, operation: str, subresource: str, _new: Object | None, _old: Object | None
    ) -> bool:
        return operation in {"CREATE", "UPDATE"} and not subresource

    def matching_resources(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name == self._COUNT or name.endswith(self._SUFFIX)]

    def usage(self, obj: Object) -> ResourceList:
        counts: dict[str, int] = {}
        for request in objects.nested(obj, "spec", "devices", "requests", default=[]):
            alternatives = request.get("firstAvailable") or [request.get("exactly") or {}]
            most: dict[str, int] = {}
            for wanted in alternatives:
                name = wanted.get("deviceClassName", "") + self._SUFFIX
                most[name] = max(most.get(name, 0), self._devices(wanted))
            for name, count in most.items():
                counts[name] = counts.get(name, 0) + count
        used = {name: Quantity.parse(str(count)) for name, count in counts.items()}
        return {self._COUNT: _ONE, **used}

    def _devices(self, request: Object) -> int:
        match request.get("allocationMode"):
            case "ExactCount":
                return int(request.get("count", 0))
            case "All":
                return self._ALL_DEVICES
            case _:
                return 0


class PodEvaluator(ObjectCountEvaluator):
    """Counts pods, and the compute resources of those that have not ended."""

    _COMPUTE = ("cpu", "memory", "ephemeral-storage")
    _RESOURCES: ClassVar = {
        "count/pods",
        "pods",
        *_COMPUTE,
        *(f"requests.{name}" for name in ("cpu", "memory", "ephemeral-storage")),
        *(f"limits.{name}" for name in ("cpu", "memory", "ephemeral-storage")),
    }
    _PREFIXES = ("hugepages-", "requests.hugepages-")
    _REQUIRED: ClassVar = {
        "cpu",
        "memory",
        "requests.cpu",
        "requests.memory",
        "limits.cpu",
        "limits.memory",
    }

    def __init__(self) -> None:
        super().__init__("", "pods")

    def handles(
        self, operation: str, subresource: str, new: Object | None, old: Object | None
    ) -> bool:
        if subresource == "resize":
            return operation == "UPDATE"
        if subresource:
            return False
        if operation == "UPDATE" and new is not None and old is not None:
            return is_terminating(old) != is_terminating(new)
        return operation == "CREATE"

    def constraints(self, required: Iterable[str], obj: Object) -> str:
        """A quota on compute resources demands that every container states them."""
        if pod_resources.has_pod_level_resources(obj):
            return ""
        missing: dict[str, set[str]] = {}
        spec = obj.get("spec") or {}
        needed = self._REQUIRED.intersection(required)
        for container in (*spec.get("containers", ()), *(spec.get("initContainers") or ())):
            resources = container.get("resources") or {}
            stated = _compute_usage(
                parse_list(resources.get("requests")), parse_list(resources.get("limits"))
            )
            for name in needed - stated.keys():
                missing.setdefault(name, set()).add(container["name"])
        if not missing:
            return ""
        parts = (f"{name} for: {','.join(sorted(missing[name]))}" for name in sorted(missing))
        return f"must specify {'; '.join(parts)}"

    def matching_resources(self, names: Iterable[str]) -> list[str]:
        return [
            name
            for name in names
            if name in self._RESOURCES
            or name.startswith(self._PREFIXES)
            or is_extended_resource_request(name)
        ]

    def matches_scope(self, selector: Object, obj: Object) -> bool:
        match selector.get("scopeName"):
            case "Terminating":
                return is_terminating(obj)
            case "NotTerminating":
                return not is_terminating(obj)
            case "BestEffort":
                return is_best_effort(obj)
            case "NotBestEffort":
                return not is_best_effort(obj)
            case "PriorityClass":
                name = objects.nested(obj, "spec", "priorityClassName", default="")
                return _value_matches(selector, [name] if name else [])
            case "CrossNamespacePodAffinity":
                return _uses_cross_namespace_affinity(obj)
            case _:
                return False

    def usage(self, obj: Object) -> ResourceList:
        used: ResourceList = {"count/pods": _ONE}
        if counts(obj):
            requests = pod_resources.pod_requests(obj)
            used.update(_compute_usage(requests, pod_resources.pod_limits(obj)))
        return used

    def is_replenished_by(self, old: Object, new: Object) -> bool:
        if is_terminating(old) != is_terminating(new) or _resources_changed(old, new):
            return True
        return counts(old) and not counts(new)


def _compute_usage(requests: ResourceList, limits: ResourceList) -> ResourceList:
    # upstream: pods.go podComputeUsageHelper
    used: ResourceList = {"pods": _ONE}
    for name in PodEvaluator._COMPUTE:  # noqa: SLF001 - the evaluator's own helper
        if name in requests:
            used[name] = used[f"requests.{name}"] = requests[name]
        if name in limits:
            used[f"limits.{name}"] = limits[name]
    for name, quantity in requests.items():
        if name.startswith("hugepages-"):
            used[name] = used[f"requests.{name}"] = quantity
        elif is_extended_resource(name):
            used[f"requests.{name}"] = quantity
    return used


def is_extended_resource(name: str) -> bool:
    """A resource that a vendor defines: with a domain that is not ours."""
    return "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")


def is_extended_resource_request(name: str) -> bool:
    """``requests.example.com/gpu``, as quotas name extended resources."""
    # upstream: pods.go isExtendedResourceNameForQuota
    if name.startswith("requests.deviceclass.resource.kubernetes.io/"):
        return True
    return name.startswith("requests.") and "/" in name and "kubernetes.io/" not in name


def is_terminating(pod: Object) -> bool:
    """Whether the pod ends by itself: it has a deadline."""
    deadline = objects.nested(pod, "spec", "activeDeadlineSeconds")
    return deadline is not None and deadline >= 0


def is_best_effort(pod: Object) -> bool:
    """Whether no container asks for or limits CPU or memory."""
    # upstream: pkg/apis/core/v1/helper/qos/qos.go GetPodQOS
    spec = pod.get("spec") or {}
    stating: Sequence[Object] = [
        spec,
        *(spec.get("containers") or []),
        *(spec.get("initContainers") or []),
    ]
    for item in stating:
        resources = item.get("resources") or {}
        for field in ("requests", "limits"):
            stated = parse_list(resources.get(field))
            if any(name in {"cpu", "memory"} and stated[name] > ZERO for name in stated):
                return False
    return True


def _uses_cross_namespace_affinity(pod: Object) -> bool:
    affinity = objects.nested(pod, "spec", "affinity", default={})
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        required = terms.get("requiredDuringSchedulingIgnoredDuringExecution") or []
        preferred = terms.get("preferredDuringSchedulingIgnoredDuringExecution") or []
        for term in (*required, *(weighted["podAffinityTerm"] for weighted in preferred)):
            if term.get("namespaces") or term.get("namespaceSelector") is not None:
                return True
    return False


def counts(pod: Object) -> bool:
    """Whether a pod still uses compute resources."""
    # upstream: pods.go QuotaV1Pod
    if objects.nested(pod, "status", "phase") in {"Failed", "Succeeded"}:
        return False
    meta = objects.metadata(pod)
    grace = meta.get("deletionGracePeriodSeconds")
    if not meta.get("deletionTimestamp") or grace is None:
        return True
    ends: float = clock.parse_time(meta["deletionTimestamp"]) + grace
    return clock.now() <= ends


def _resources_changed(old: Object, new: Object) -> bool:
    for field in ("containerStatuses", "initContainerStatuses"):
        before = {s["name"]: s for s in objects.nested(old, "status", field, default=[])}
        for status in objects.nested(new, "status", field, default=[]):
            known = before.get(status["name"])
            if known is not None and known.get("resources") != status.get("resources"):
                return True
    return False
