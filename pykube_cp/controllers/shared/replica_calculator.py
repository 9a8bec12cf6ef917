"""How many replicas a figure asks for."""
# upstream: pkg/controller/podautoscaler/replica_calculator.go ReplicaCalculator

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pykube_cp.controllers.shared import pods as pod_states
from pykube_cp.controllers.shared.pod_metrics import MetricsError, PodMetric, PodMetrics
from pykube_cp.machinery import clock, objects, pod_resources, quantity
from pykube_cp.machinery.containers import lasting
from pykube_cp.machinery.objects import Object

_MAX_REPLICAS = 2**31 - 1
_MAX_USAGE = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Tolerances:
    """Shares of the target by which a figure may miss it without consequences."""

    down: float
    up: float

    def is_within(self, ratio: float) -> bool:
        return 1.0 - self.down <= ratio <= 1.0 + self.up


@dataclass(frozen=True, slots=True)
class Proposal:
    """Replicas asked for; the figure that asks, in thousandths, and as a percentage of requests."""

    replicas: int
    usage: int
    utilization: int | None = None


@dataclass(slots=True)
class PodGroups:
    """Names of Pods by what their figures are worth."""

    ready: int = 0
    unready: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Usage:
    """Use relative to its target, per Pod and as a percentage."""

    ratio: float
    average: int
    utilization: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaCalculator:
    """Calculates with settings of the whole controller; periods in seconds."""

    cpu_initialization_period: float
    initial_readiness_delay: float

    def by_utilization(
        self,
        metrics: PodMetrics,
        pods: list[Object],
        current: int,
        target: int,
        resource: str,
        container: str,
        tolerances: Tolerances,
    ) -> Proposal:
        """For a target percentage of what the Pods request."""
        requests: dict[str, int] = {}

        def usage(known: PodMetrics) -> _Usage:
            if not requests:
                requests.update(
                    {objects.name(pod): requested(pod, resource, container) for pod in pods}
                )
            return _utilization(known, requests, target)

        fallback = max(100, target)
        return self._propose(
            metrics,
            pods,
            current,
            resource,
            tolerances,
            usage,
            lambda name: requests[name] * fallback // 100,
        )

    def by_average(
        self,
        metrics: PodMetrics,
        pods: list[Object],
        current: int,
        target: int,
        resource: str,
        tolerances: Tolerances,
    ) -> Proposal:
        """For a target per Pod, in thousandths."""

        def usage(known: PodMetrics) -> _Usage:
            average = sum(metric.value for metric in known.values()) // len(known)
            return _Usage(average / target, average)

        return self._propose(
            metrics, pods, current, resource, tolerances, usage, lambda _name: target
        )

    def _propose(
        self,
        metrics: PodMetrics,
        pods: list[Object],
        current: int,
        resource: str,
        tolerances: Tolerances,
        usage: Callable[[PodMetrics], _Usage],
        full: Callable[[str], int],
    ) -> Proposal:
        """Pods without a figure count as full when shrinking, as idle when growing."""
        # upstream: pkg/controller/podautoscaler/replica_calculator.go GetResourceReplicas
        if not pods:
            raise MetricsError("no pods returned by selector while calculating replica count")
        groups = self.group(pods, metrics, resource)
        known = {
            name: metric
            for name, metric in metrics.items()
            if name not in groups.ignored and name not in groups.unready
        }
        if not known:
            text = "did not receive metrics for targeted pods (pods might be unready)"
            raise MetricsError(text)
        first = usage(known)
        unchanged = Proposal(current, first.average, first.utilization)
        grows_unready = bool(groups.unready) and first.ratio > 1.0
        if not grows_unready and not groups.missing:
            if tolerances.is_within(first.ratio):
                return unchanged
            replicas = math.ceil(first.ratio * groups.ready)
            return Proposal(replicas, first.average, first.utilization)
        _fill_in(known, groups, first.ratio, full)
        second = usage(known)
        replicas = math.ceil(second.ratio * len(known))
        if _turns(tolerances, first.ratio, second.ratio, current, replicas):
            return unchanged
        return Proposal(replicas, first.average, first.utilization)

    def by_total(
        self,
        usage: int,
        target: int,
        current: int,
        pods: Callable[[], list[Object]],
        tolerances: Tolerances,
    ) -> Proposal:
        """For a target of one figure that all Pods bring about together."""
        # upstream: pkg/controller/podautoscaler/replica_calculator.go getUsageRatioReplicaCount
        ratio = usage / target
        if current == 0:
            return Proposal(math.ceil(ratio), usage)
        if tolerances.is_within(ratio):
            return Proposal(current, usage)
        found = pods()
        if not found:
            raise MetricsError(
                "unable to calculate ready pods: no pods returned by selector while calculating "
                "replica count"
            )
        ready = sum(
            pod_states.phase(pod) == "Running" and pod_states.is_ready(pod) for pod in found
        )
        return Proposal(min(_MAX_REPLICAS, math.ceil(ratio * ready)), usage)

    def by_total_per_pod(
        self, usage: int, target: int, status_replicas: int, tolerances: Tolerances
    ) -> Proposal:
        """For a target of each Pod's part in one figure."""
        # upstream: pkg/controller/podautoscaler/replica_calculator.go
        # GetExternalPerPodMetricReplicas
        replicas = status_replicas
        ratio = usage / (target * replicas) if replicas else math.inf
        if not tolerances.is_within(ratio):
            replicas = min(_MAX_REPLICAS, math.ceil(usage / target))
        average = math.ceil(usage / status_replicas) if status_replicas else _MAX_USAGE
        return Proposal(replicas, average)

    def group(self, pods: Iterable[Object], metrics: PodMetrics, resource: str) -> PodGroups:
        # upstream: pkg/controller/podautoscaler/replica_calculator.go groupPods
        groups = PodGroups()
        for pod in pods:
            name, phase = objects.name(pod), pod_states.phase(pod)
            if objects.is_deleting(pod) or phase == "Failed":
                groups.ignored.add(name)
            elif phase == "Pending":
                groups.unready.add(name)
            elif name not in metrics:
                groups.missing.add(name)
            elif resource == "cpu" and self._is_starting(pod, metrics[name]):
                groups.unready.add(name)
            else:
                groups.ready += 1
        return groups

    def _is_starting(self, pod: Object, metric: PodMetric) -> bool:
        """Whether the Pod's use of CPU still tells of its start only."""
        condition = pod_states.condition(pod, "Ready")
        started = pod_states.parse_optional(objects.nested(pod, "status", "startTime"))
        if condition is None or started is None:
            return True
        changed = pod_states.parse_optional(condition.get("lastTransitionTime")) or 0.0
        is_unready = condition["status"] == "False"
        if started + self.cpu_initialization_period > clock.now():
            return is_unready or metric.timestamp < changed + metric.window
        return is_unready and started + self.initial_readiness_delay > changed


def _utilization(metrics: PodMetrics, requests: dict[str, int], target: int) -> _Usage:
    # upstream: pkg/controller/podautoscaler/metrics/utilization.go GetResourceUtilizationRatio
    counted = [name for name in metrics if name in requests]
    total = sum(metrics[name].value for name in counted)
    requested_total = sum(requests[name] for name in counted)
    if requested_total == 0:
        raise MetricsError("no metrics returned matched known pods")
    utilization = total * 100 // requested_total
    return _Usage(utilization / target, total // len(counted), utilization)


def _fill_in(
    known: PodMetrics, groups: PodGroups, ratio: float, full: Callable[[str], int]
) -> None:
    now = clock.now()
    if ratio < 1.0:
        known.update({name: PodMetric(full(name), now, 0.0) for name in groups.missing})
    elif ratio > 1.0:
        idle = groups.missing | groups.unready
        known.update({name: PodMetric(0, now, 0.0) for name in idle})


def _turns(
    tolerances: Tolerances, first: float, second: float, current: int, replicas: int
) -> bool:
    """Whether, with the assumptions filled in, there is nothing left to do or the opposite."""
    if tolerances.is_within(second) or (first < 1.0) != (second < 1.0):
        return True
    return replicas > current if second < 1.0 else replicas < current


def requested(pod: Object, resource: str, container: str) -> int:
    """Thousandths of a resource that the Pod, or one container, requests."""
    # upstream: pkg/controller/podautoscaler/replica_calculator.go calculateRequests
    name = objects.name(pod)
    if not container and objects.nested(pod, "spec", "resources", "requests"):
        found = pod_resources.pod_requests(pod).get(resource)
        if found is None:
            raise MetricsError(f"missing pod-level request for {resource} in Pod {name}")
        return found.milli_value()
    containers = list(lasting(pod))
    if container:
        containers = [item for item in containers if item["name"] == container]
        if not containers:
            raise MetricsError(f"container {container} not found in Pod {name}")
    return sum(_container_request(item, resource, name) for item in containers)


def _container_request(container: Object, resource: str, pod: str) -> int:
    text = objects.nested(container, "resources", "requests", resource)
    if text is None:
        where = f"container {container['name']} of Pod {pod}"
        raise MetricsError(f"missing request for {resource} in {where}")
    return quantity.parse(str(text)).milli_value()
