"""The metrics of an autoscaler: what each of them asks for, and how its status tells of it."""
# upstream: pkg/controller/podautoscaler/horizontal.go computeReplicasForMetrics

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from pykube_cp.client.lister import Lister
from pykube_cp.client.recorder import Recorder
from pykube_cp.controllers.shared.discovery import Discovery
from pykube_cp.controllers.shared.pod_metrics import MetricsClient, MetricsError
from pykube_cp.controllers.shared.replica_calculator import (
    Proposal,
    ReplicaCalculator,
    Tolerances,
)
from pykube_cp.machinery import objects, quantity, selectors
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity


class MetricFailedError(Exception):
    """Replicas cannot be calculated; ``reason`` and ``message`` are for the condition."""

    def __init__(
        self, text: str, reason: str, message: str, statuses: list[Object] | None = None
    ) -> None:
        super().__init__(text)
        self.reason = reason
        self.message = message
        self.statuses = statuses or []


@dataclass(slots=True)
class Measured:
    """The most replicas asked for, by which metric, and what of all this goes into the status."""

    replicas: int = 0
    metric: str = ""
    statuses: list[Object] = field(default_factory=list)
    failure: str = ""


@dataclass(frozen=True, slots=True)
class _Target:
    """An autoscaler and what it scales."""

    hpa: Object
    replicas: int
    status_replicas: int
    selector: selectors.Selector
    tolerances: Tolerances

    @property
    def namespace(self) -> str:
        return objects.namespace(self.hpa)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one metric asks for, what it is called in messages, and its status."""

    proposal: Proposal
    name: str
    status: Object


@dataclass(slots=True, kw_only=True)
class MetricReader:
    """Measures by the metrics of an autoscaler's spec."""

    client: MetricsClient
    calculator: ReplicaCalculator
    pods: Lister
    tolerance: float
    discovery: Discovery | None = None

    async def measure(
        self, recorder: Recorder, hpa: Object, scale: Object, selector: selectors.Selector
    ) -> Measured:
        """``MetricFailedError`` if no metric works, or one fails and the others would shrink."""
        target = _Target(
            hpa,
            objects.nested(scale, "spec", "replicas", default=0),
            objects.nested(scale, "status", "replicas", default=0),
            selector,
            _tolerances(hpa, self.tolerance),
        )
        specs = hpa["spec"].get("metrics") or []
        measured = Measured()
        failures: list[tuple[str, MetricsError]] = []
        for spec in specs:
            reason, read = self._reader_of(spec)
            try:
                reading = await read(target, spec)
            except MetricsError as err:
                recorder.event(hpa, "Warning", reason, str(err.__cause__ or err))
                failures.append((reason, err))
                continue
            measured.statuses.append(reading.status)
            if measured.replicas == 0 or reading.proposal.replicas > measured.replicas:
                measured.replicas, measured.metric = reading.proposal.replicas, reading.name
        _judge(measured, failures, len(specs), target.replicas)
        return measured

    def _reader_of(
        self, spec: Object
    ) -> tuple[str, Callable[[_Target, Object], Awaitable[_Reading]]]:
        match spec["type"]:
            case "Resource":
                return "FailedGetResourceMetric", self._read_resource
            case "ContainerResource":
                return "FailedGetContainerResourceMetric", self._read_container_resource
            case "Pods":
                return "FailedGetPodsMetric", self._read_pods
            case "Object":
                return "FailedGetObjectMetric", self._read_object
            case "External":
                return "FailedGetExternalMetric", self._read_external
            case _:
                return "InvalidMetricSourceType", _read_unknown

    async def _read_resource(self, target: _Target, spec: Object) -> _Reading:
        source = spec["resource"]
        try:
            proposal, name, current = await self._use(target, source, "")
        except MetricsError as err:
            text = f"failed to get {source['name']} resource metric value: {err}"
            raise MetricsError(text) from err
        status = {"type": "Resource", "resource": {"name": source["name"], "current": current}}
        return _Reading(proposal, name, status)

    async def _read_container_resource(self, target: _Target, spec: Object) -> _Reading:
        source = spec["containerResource"]
        try:
            proposal, name, current = await self._use(target, source, source["container"])
        except MetricsError as err:
            text = f"failed to get {source['name']} container metric value: {err}"
            raise MetricsError(text) from err
        shown = {"name": source["name"], "container": source["container"], "current": current}
        return _Reading(proposal, name, {"type": "ContainerResource", "containerResource": shown})

    async def _use(
        self, target: _Target, source: Object, container: str
    ) -> tuple[Proposal, str, Object]:
        # upstream: pkg/controller/podautoscaler/horizontal.go computeStatusForResourceMetricGeneric
        resource, wanted = source["name"], source["target"]
        average, percentage = wanted.get("averageValue"), wanted.get("averageUtilization")
        if average is None and percentage is None:
            raise MetricsError(
                "invalid resource metric source: neither an average utilization target nor an "
                "average value (usage) target was set"
            )
        what = "utilization" if average is None else "usage"
        try:
            proposal = await self._use_proposal(target, resource, container, average, percentage)
        except MetricsError as err:
            raise MetricsError(f"failed to get {resource} {what}: {err}") from err
        shown = Quantity.from_milli(proposal.usage, _format(resource))
        if average is not None:
            return proposal, f"{resource} resource", {"averageValue": str(shown)}
        kind = "container resource" if container else "resource"
        name = f"{resource} {kind} utilization (percentage of request)"
        current = {"averageUtilization": proposal.utilization, "averageValue": str(shown)}
        return proposal, name, current

    async def _use_proposal(
        self,
        target: _Target,
        resource: str,
        container: str,
        average: str | None,
        percentage: int | None,
    ) -> Proposal:
        try:
            metrics = await self.client.resource(
                resource, target.namespace, str(target.selector), container
            )
        except MetricsError as err:
            text = f"unable to get metrics for resource {resource}: {err}"
            raise MetricsError(text) from err
        pods = self._pods(target)
        if average is not None:
            return self.calculator.by_average(
                metrics, pods, target.replicas, _milli(average), resource, target.tolerances
            )
        return self.calculator.by_utilization(
            metrics,
            pods,
            target.replicas,
            percentage or 1,
            resource,
            container,
            target.tolerances,
        )

    def _pods(self, target: _Target) -> list[Object]:
        return self.pods.select(target.selector, target.namespace)

    async def _read_pods(self, target: _Target, spec: Object) -> _Reading:
        source = spec["pods"]
        metric = source["metric"]
        try:
            metrics = await self.client.pods(
                metric["name"], target.namespace, str(target.selector), _selector_of(metric)
            )
        except MetricsError as err:
            text = f"failed to get pods metric value: unable to get metric {metric['name']}: {err}"
            raise MetricsError(text) from err
        try:
            proposal = self.calculator.by_average(
                metrics,
                self._pods(target),
                target.replicas,
                _milli(source["target"]["averageValue"]),
                "",
                target.tolerances,
            )
        except MetricsError as err:
            raise MetricsError(f"failed to get pods metric value: {err}") from err
        current = {"averageValue": str(Quantity.from_milli(proposal.usage))}
        status = {"type": "Pods", "pods": {"metric": metric, "current": current}}
        return _Reading(proposal, f"pods metric {metric['name']}", status)

    async def _read_object(self, target: _Target, spec: Object) -> _Reading:
        source = spec["object"]
        metric, described = source["metric"], source["describedObject"]
        try:
            usage = await self._object_usage(target, metric, described)
            proposal, current = self._total(target, source["target"], usage, "object")
        except MetricsError as err:
            raise MetricsError(f"failed to get object metric value: {err}") from err
        shown = {"describedObject": described, "metric": metric, "current": current}
        name = f"{described['kind']} metric {metric['name']}"
        if "averageValue" in current:
            name = f"external metric {metric['name']}({metric.get('selector') or 'nil'})"
        return _Reading(proposal, name, {"type": "Object", "object": shown})

    async def _object_usage(self, target: _Target, metric: Object, described: Object) -> int:
        kind, version = described["kind"], described.get("apiVersion", "")
        found = self.discovery.find_kind(version, kind) if self.discovery else None
        resource = found.gvr.group_resource if found else f"{kind.lower()}s"
        try:
            return await self.client.object(
                metric["name"],
                target.namespace,
                resource,
                described["name"],
                _selector_of(metric),
            )
        except MetricsError as err:
            where = f"{kind} {target.namespace}/{described['name']}"
            text = f"unable to get metric {metric['name']} on {where}: {err}"
            raise MetricsError(text) from err

    async def _read_external(self, target: _Target, spec: Object) -> _Reading:
        source = spec["external"]
        metric = source["metric"]
        name, namespace = metric["name"], target.namespace
        try:
            values = await self.client.external(name, namespace, _selector_of(metric))
            proposal, current = self._total(target, source["target"], sum(values), "external")
        except MetricsError as err:
            text = f"failed to get {name} external metric value: {err}"
            raise MetricsError(text) from err
        status = {"type": "External", "external": {"metric": metric, "current": current}}
        shown = f"external metric {name}({metric.get('selector') or 'nil'})"
        return _Reading(proposal, shown, status)

    def _total(
        self, target: _Target, wanted: Object, usage: int, kind: str
    ) -> tuple[Proposal, Object]:
        """For one figure that all Pods bring about together, as a whole or by each one's part."""
        if wanted.get("averageValue") is not None:
            proposal = self.calculator.by_total_per_pod(
                usage, _milli(wanted["averageValue"]), target.status_replicas, target.tolerances
            )
            return proposal, {"averageValue": str(Quantity.from_milli(proposal.usage))}
        if wanted.get("value") is not None:
            proposal = self.calculator.by_total(
                usage,
                _milli(wanted["value"]),
                target.replicas,
                lambda: self._pods(target),
                target.tolerances,
            )
            return proposal, {"value": str(Quantity.from_milli(proposal.usage))}
        raise MetricsError(
            f"invalid {kind} metric source: neither a value target nor an average value target "
            "was set"
        )


async def _read_unknown(_target: _Target, spec: Object) -> _Reading:
    raise MetricsError(f'unknown metric source type "{spec["type"]}"')


def _judge(
    measured: Measured, failures: list[tuple[str, MetricsError]], total: int, current: int
) -> None:
    if not failures:
        return
    reason, first = failures[0]
    cause = first.__cause__ if isinstance(first.__cause__, MetricsError) else first
    text = f"invalid metrics ({len(failures)} invalid out of {total}), first error is: {first}"
    if len(failures) >= total or measured.replicas < current:
        message = f"the HPA was unable to compute the replica count: {cause}"
        raise MetricFailedError(text, reason, message, measured.statuses)
    measured.failure = text


def _tolerances(hpa: Object, default: float) -> Tolerances:
    def of(direction: str) -> float:
        text = objects.nested(hpa, "spec", "behavior", direction, "tolerance")
        return default if text is None else quantity.parse(str(text)).as_float()

    return Tolerances(of("scaleDown"), of("scaleUp"))


def _milli(text: object) -> int:
    return quantity.parse(str(text)).milli_value()


def _format(resource: str) -> quantity.Format:
    return "BinarySI" if resource == "memory" else "DecimalSI"


def _selector_of(metric: Object) -> str:
    selector = metric.get("selector")
    return str(selectors.from_label_selector(selector)) if selector else ""
