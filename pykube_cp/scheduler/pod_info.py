"""A pod as the scheduler sees it: parsed once, when it arrives."""

# upstream: pkg/scheduler/framework/types.go PodInfo

from collections.abc import Iterator, Mapping
from copy import copy

from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.containers import is_sidecar
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.shared.affinity_terms import (
    AffinityTerm,
    WeightedTerm,
    preferred_terms,
    required_terms,
)
from pykube_cp.scheduler.shared.pod_requests import (
    CPU,
    DEFAULT_REQUESTS,
    MEMORY,
    Amounts,
    has_pod_level_requests,
    in_units,
    pod_requests,
)

HostPort = tuple[str, str, int]
ANY_ADDRESS = "0.0.0.0"


class PodInfo:
    """A pod and what follows from its spec. ``pod`` is read-only, and so is all the rest.

    Attributes:
        requests: what it takes from its node: milli-cores, bytes, whole units.
        non_zero_cpu, non_zero_memory: the same, with a default for containers that request none.
        host_ports: address, protocol and port of each.
        claims: keys of the PersistentVolumeClaims that its volumes name.
    """

    __slots__ = (
        "claims",
        "host_ports",
        "key",
        "labels",
        "name",
        "namespace",
        "node_name",
        "non_zero_cpu",
        "non_zero_memory",
        "pod",
        "preferred_affinity",
        "preferred_anti_affinity",
        "priority",
        "requests",
        "required_affinity",
        "required_anti_affinity",
        "terminating",
        "uid",
    )

    def __init__(self, pod: Object) -> None:
        meta, spec = pod["metadata"], pod["spec"]
        self.pod = pod
        self.uid: str = meta.get("uid", "")
        self.name: str = meta["name"]
        self.namespace: str = meta.get("namespace", "")
        self.key = f"{self.namespace}/{self.name}"
        self.labels: Mapping[str, str] = meta.get("labels") or {}
        self.terminating = bool(meta.get("deletionTimestamp"))
        self.node_name: str = spec.get("nodeName") or ""
        self.priority: int = spec.get("priority") or 0
        self._read_requests(pod)
        self.host_ports = host_ports(pod)
        self.claims = tuple(
            f"{self.namespace}/{volume['persistentVolumeClaim']['claimName']}"
            for volume in spec.get("volumes") or ()
            if volume.get("persistentVolumeClaim")
        )
        self._read_affinity(spec.get("affinity"))

    def _read_requests(self, pod: Object) -> None:
        # upstream: pkg/scheduler/framework/types.go PodInfo.CalculateResource
        requests = pod_requests(pod, use_status=True)
        defaults = DEFAULT_REQUESTS
        if has_pod_level_requests(pod):
            defaults = {name: n for name, n in defaults.items() if name not in requests}
        non_zero = requests
        if defaults:
            non_zero = pod_requests(pod, use_status=True, non_missing=defaults)
        self.requests: Amounts = in_units(requests)
        units = in_units(non_zero)
        self.non_zero_cpu = units.get(CPU, 0)
        self.non_zero_memory = units.get(MEMORY, 0)

    def _read_affinity(self, affinity: Object | None) -> None:
        self.required_affinity: tuple[AffinityTerm, ...] = ()
        self.required_anti_affinity: tuple[AffinityTerm, ...] = ()
        self.preferred_affinity: tuple[WeightedTerm, ...] = ()
        self.preferred_anti_affinity: tuple[WeightedTerm, ...] = ()
        if not affinity:
            return
        if affinity.get("podAffinity"):
            self.required_affinity = required_terms(affinity, "podAffinity", self.namespace)
            self.preferred_affinity = preferred_terms(affinity, "podAffinity", self.namespace)
        if affinity.get("podAntiAffinity"):
            kind = "podAntiAffinity"
            self.required_anti_affinity = required_terms(affinity, kind, self.namespace)
            self.preferred_anti_affinity = preferred_terms(affinity, kind, self.namespace)

    def on_node(self, node: str) -> "PodInfo":
        """The same pod as if it were bound to ``node``."""
        assigned = copy(self)
        assigned.pod = {**self.pod, "spec": {**self.pod["spec"], "nodeName": node}}
        assigned.node_name = node
        return assigned

    @property
    def spec(self) -> Object:
        spec: Object = self.pod["spec"]
        return spec

    @property
    def tolerations(self) -> list[Object]:
        return self.pod["spec"].get("tolerations") or []

    @property
    def volumes(self) -> list[Object]:
        return self.pod["spec"].get("volumes") or []

    @property
    def nominated_node(self) -> str:
        return nominated_node(self.pod)

    @property
    def scheduler_name(self) -> str:
        return scheduler_name(self.pod)

    @property
    def start_time(self) -> float:
        """When it started; a pod that has not yet counts as starting now."""
        # upstream: pkg/scheduler/util/utils.go GetPodStartTime
        started = objects.nested(self.pod, "status", "startTime")
        return clock.parse_time(started) if started else clock.now()

    def __repr__(self) -> str:
        return f"PodInfo({self.key})"


def nominated_node(pod: Object) -> str:
    found: str = (pod.get("status") or {}).get("nominatedNodeName") or ""
    return found


def scheduler_name(pod: Object) -> str:
    found: str = pod["spec"].get("schedulerName") or "default-scheduler"
    return found


def is_assigned(pod: Object) -> bool:
    return bool(pod["spec"].get("nodeName"))


def is_terminal(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}


def host_ports(pod: Object) -> tuple[HostPort, ...]:
    """Address, protocol and port of each host port of containers that keep running."""
    return tuple(_iterate_host_ports(pod["spec"]))


def _iterate_host_ports(spec: Object) -> Iterator[HostPort]:
    # upstream: pkg/scheduler/util/utils.go GetHostPorts
    for container in spec.get("initContainers") or ():
        if is_sidecar(container):
            yield from _ports(container)
    for container in spec.get("containers") or ():
        yield from _ports(container)


def _ports(container: Object) -> Iterator[HostPort]:
    for port in container.get("ports") or ():
        number = port.get("hostPort") or 0
        if number > 0:
            yield port.get("hostIP") or ANY_ADDRESS, port.get("protocol") or "TCP", number
