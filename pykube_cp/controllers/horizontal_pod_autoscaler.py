"""Scales workloads by figures of their Pods, of other objects, or from outside the cluster."""
# upstream: pkg/controller/podautoscaler/horizontal.go HorizontalController

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.autoscaler_metrics import (
    Measured,
    MetricFailedError,
    MetricReader,
)
from pykube_cp.controllers.shared.conditions import is_true
from pykube_cp.controllers.shared.discovery import ApiResource, Discovery, DiscoveryError, discover
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.controllers.shared.pod_metrics import MetricsClient
from pykube_cp.controllers.shared.replica_calculator import ReplicaCalculator
from pykube_cp.controllers.shared.scaling_limits import History, Range
from pykube_cp.machinery import clock, objects, selectors
from pykube_cp.machinery.errors import StatusError, is_conflict
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

AUTOSCALERS = GVR("autoscaling", "v2", "horizontalpodautoscalers")
_UPDATE_ATTEMPTS = 5
_GET_SCALE_FAILED = "the HPA controller was unable to get the target's current scale: "


class AutoscalingError(Exception):
    """An autoscaler cannot do its work now; the text says why."""


@dataclass(slots=True)
class State:
    """What the controller remembers.

    Attributes:
        histories: by autoscaler.
        selectors: autoscaler -> what it scales, to notice two that scale the same Pods.
    """

    reader: MetricReader
    histories: dict[str, History] = field(default_factory=dict)
    selectors: "dict[str, selectors.Selector]" = field(default_factory=dict)
    discovery: Discovery | None = None


@dataclass(slots=True)
class _Decision:
    """How many replicas there shall be, why, and what was measured."""

    replicas: int
    reason: str = ""
    metrics: list[Object] = field(default_factory=list)
    failure: str = ""


def _set_up(ctx: ControllerContext) -> State:
    calculator = ReplicaCalculator(
        cpu_initialization_period=ctx.config.autoscaler_cpu_initialization_period,
        initial_readiness_delay=ctx.config.autoscaler_initial_readiness_delay,
    )
    return State(
        MetricReader(
            client=MetricsClient(ctx.client),
            calculator=calculator,
            pods=ctx.lister(PODS),
            tolerance=ctx.config.autoscaler_tolerance,
        )
    )


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    state: State = ctx.state
    autoscaler = ctx.lister(AUTOSCALERS).get(key)
    if autoscaler is None:
        state.histories.pop(key, None)
        state.selectors.pop(key, None)
        return None
    try:
        await _autoscale(ctx, objects.deep_copy(autoscaler), autoscaler)
    except (AutoscalingError, StatusError) as err:
        log.info("autoscaler %s: %s", key, err)
    return Result(requeue_after=ctx.config.autoscaler_sync_period)


async def _autoscale(ctx: ControllerContext, hpa: Object, before: Object) -> None:
    # upstream: pkg/controller/podautoscaler/horizontal.go reconcileAutoscaler
    state: State = ctx.state
    target, scale = await _get_scale(ctx, hpa, before)
    text = "the HPA controller was able to get the target's current scale"
    set_condition(hpa, "AbleToScale", "True", "SucceededGetScale", text)
    current = objects.nested(scale, "spec", "replicas", default=0)
    history = state.histories.setdefault(objects.key(hpa), History())
    history.begin(current)
    try:
        decision = await _decide(ctx, hpa, scale, history)
    except MetricFailedError as err:
        set_condition(hpa, "ScalingActive", "False", err.reason, err.message)
        _set_status(hpa, current, None, err.statuses, rescaled=False)
        await _write_status(ctx, hpa, before)
        ctx.recorder.event(hpa, "Warning", "FailedComputeMetricsReplicas", str(err))
        raise AutoscalingError(
            f"failed to compute desired number of replicas based on listed metrics: {err}"
        ) from err
    rescaled = decision.replicas != current
    if rescaled:
        await _rescale(ctx, hpa, before, target, scale, decision)
        history.record_step(hpa["spec"].get("behavior"), current, decision.replicas)
        _mark_zero(hpa, current, decision.replicas)
    _set_status(hpa, current, decision.replicas, decision.metrics, rescaled=rescaled)
    await _write_status(ctx, hpa, before)
    if decision.failure:
        raise AutoscalingError(decision.failure)


# --- the target


async def _get_scale(ctx: ControllerContext, hpa: Object, before: Object) -> tuple[GVR, Object]:
    reference = hpa["spec"]["scaleTargetRef"]
    try:
        resource = await _resource_of(ctx, reference)
        scale = await ctx.client.get(
            resource.gvr, reference["name"], objects.namespace(hpa), subresource="scale"
        )
    except (AutoscalingError, StatusError, DiscoveryError) as err:
        ctx.recorder.event(hpa, "Warning", "FailedGetScale", str(err))
        text = f"{_GET_SCALE_FAILED}{err}"
        set_condition(hpa, "AbleToScale", "False", "FailedGetScale", text)
        await _write_status(ctx, hpa, before)
        raise AutoscalingError(f"failed to query scale subresource: {err}") from err
    return resource.gvr, scale


async def _resource_of(ctx: ControllerContext, reference: Object) -> ApiResource:
    """The resource of a kind; asks again for what the server has when it is not known."""
    state: State = ctx.state
    kind, version = reference["kind"], reference.get("apiVersion", "")
    found = state.discovery.find_kind(version, kind) if state.discovery else None
    if found is None:
        state.discovery = await discover(ctx.client)
        state.reader.discovery = state.discovery
        found = state.discovery.find_kind(version, kind)
    if found is None:
        # upstream: apimachinery pkg/api/meta/errors.go NoKindMatchError
        raise AutoscalingError(f'no matches for kind "{kind}" in group "{_group(version)}"')
    return found


def _group(api_version: str) -> str:
    return api_version.rpartition("/")[0]


async def _rescale(
    ctx: ControllerContext,
    hpa: Object,
    before: Object,
    target: GVR,
    scale: Object,
    decision: _Decision,
) -> None:
    current = objects.nested(scale, "spec", "replicas", default=0)
    try:
        await _update_scale(ctx, target, scale, decision.replicas)
    except StatusError as err:
        text = f"New size: {decision.replicas}; reason: {decision.reason}; error: {err}"
        ctx.recorder.event(hpa, "Warning", "FailedRescale", text)
        text = f"the HPA controller was unable to update the target scale: {err}"
        set_condition(hpa, "AbleToScale", "False", "FailedUpdateScale", text)
        _set_status(hpa, current, None, decision.metrics, rescaled=False)
        await _write_status(ctx, hpa, before)
        raise AutoscalingError(f"failed to rescale: {err}") from err
    text = f"the HPA controller was able to update the target scale to {decision.replicas}"
    set_condition(hpa, "AbleToScale", "True", "SucceededRescale", text)
    text = f"New size: {decision.replicas}; reason: {decision.reason}"
    ctx.recorder.event(hpa, "Normal", "SuccessfulRescale", text)


async def _update_scale(ctx: ControllerContext, target: GVR, scale: Object, replicas: int) -> None:
    name, namespace = objects.name(scale), objects.namespace(scale)
    for attempt in range(_UPDATE_ATTEMPTS):
        wanted = objects.deep_copy(scale)
        wanted["spec"] = {"replicas": replicas}
        try:
            await ctx.client.update(target, wanted, subresource="scale")
        except StatusError as err:
            if not is_conflict(err) or attempt == _UPDATE_ATTEMPTS - 1:
                raise
        else:
            return
        scale = await ctx.client.get(target, name, namespace, subresource="scale")


# --- the decision


async def _decide(
    ctx: ControllerContext, hpa: Object, scale: Object, history: History
) -> _Decision:
    spec = hpa["spec"]
    current = objects.nested(scale, "spec", "replicas", default=0)
    minimum = 1 if spec.get("minReplicas") is None else spec["minReplicas"]
    maximum = spec["maxReplicas"]
    if current == 0 and not _may_leave_zero(hpa, minimum):
        text = "scaling is disabled since the replica count of the target is zero"
        set_condition(hpa, "ScalingActive", "False", "ScalingDisabled", text)
        return _Decision(0)
    if current > maximum:
        return _Decision(maximum, "Current number of replicas above Spec.MaxReplicas")
    if 0 < current < minimum:
        return _Decision(minimum, "Current number of replicas below Spec.MinReplicas")
    measured = await _measure(ctx, hpa, scale)
    reason = ""
    if measured.replicas > current:
        reason = f"{measured.metric} above target"
    elif measured.replicas < current:
        reason = "All metrics below target"
    replicas = _limit(ctx, hpa, measured.replicas, Range(current, minimum, maximum), history)
    if current == 0 and replicas < minimum:
        replicas = minimum
        reason = reason or "Current number of replicas below Spec.MinReplicas"
    return _Decision(replicas, reason, measured.statuses, measured.failure)


def _may_leave_zero(hpa: Object, minimum: int) -> bool:
    """Whether it was this autoscaler that has scaled to zero, and it can tell when to return."""
    conditions = objects.nested(hpa, "status", "conditions", default=[])
    if not is_true(conditions, "ScaledToZero"):
        return False
    return minimum != 0 or _has_outside_metric(hpa)


def _has_outside_metric(hpa: Object) -> bool:
    """Whether a figure does not come from the Pods, so that it is there without any."""
    kinds = {metric["type"] for metric in hpa["spec"].get("metrics") or ()}
    return bool(kinds & {"Object", "External"})


def _mark_zero(hpa: Object, before: int, after: int) -> None:
    is_ours = before > 0 and after == 0 and _has_outside_metric(hpa)
    if is_ours and hpa["spec"].get("minReplicas") == 0:
        text = "the HPA controller scaled the workload to zero"
        set_condition(hpa, "ScaledToZero", "True", "ScaledToZero", text)
    else:
        text = "the HPA controller did not scale the workload to zero"
        set_condition(hpa, "ScaledToZero", "False", "NotScaledToZero", text)


async def _measure(ctx: ControllerContext, hpa: Object, scale: Object) -> Measured:
    state: State = ctx.state
    selector = _selector(ctx, hpa, objects.nested(scale, "status", "selector", default=""))
    measured = await state.reader.measure(ctx.recorder, hpa, scale, selector)
    text = f"the HPA was able to successfully calculate a replica count from {measured.metric}"
    set_condition(hpa, "ScalingActive", "True", "ValidMetricFound", text)
    return measured


def _selector(ctx: ControllerContext, hpa: Object, text: str) -> selectors.Selector:
    """What the target selects; nobody else may scale the same Pods."""
    # upstream: pkg/controller/podautoscaler/horizontal.go validateAndParseSelector
    state: State = ctx.state
    if not text:
        ctx.recorder.event(hpa, "Warning", "SelectorRequired", "selector is required")
        message = "the HPA target's scale is missing a selector"
        raise MetricFailedError("selector is required", "InvalidSelector", message)
    try:
        selector = selectors.parse(text)
    except ValueError as err:
        message = f"couldn't convert selector into a corresponding internal selector object: {err}"
        ctx.recorder.event(hpa, "Warning", "InvalidSelector", message)
        raise MetricFailedError(message, "InvalidSelector", message) from err
    state.selectors[objects.key(hpa)] = selector
    rivals = _rivals(ctx, hpa, selector)
    if len(rivals) > 1:
        names = " ".join(rivals[:2])
        message = f"pods by selector {text} are controlled by more than one HPA (e.g. [{names}])"
        ctx.recorder.event(hpa, "Warning", "AmbiguousSelector", message)
        raise MetricFailedError(message, "AmbiguousSelector", message)
    return selector


def _rivals(ctx: ControllerContext, hpa: Object, selector: selectors.Selector) -> list[str]:
    """Autoscalers of Pods of this one, itself included."""
    state: State = ctx.state
    namespace = objects.namespace(hpa)
    pods = ctx.lister(PODS).select(selector, namespace)
    return [
        key
        for key, other in state.selectors.items()
        if objects.split_key(key)[0] == namespace
        and any(other.matches(objects.labels(pod)) for pod in pods)
    ]


def _limit(
    ctx: ControllerContext, hpa: Object, desired: int, within: Range, history: History
) -> int:
    window = ctx.config.autoscaler_downscale_stabilization
    behavior = hpa["spec"].get("behavior")
    if behavior is None:
        limited = history.limit(desired, within, window)
    else:
        limited = history.limit_by_behavior(desired, within, behavior, window)
    set_condition(hpa, "AbleToScale", "True", *limited.able)
    set_condition(hpa, "ScalingLimited", str(limited.is_limited), *limited.limit)
    return limited.replicas


# --- the status


def set_condition(hpa: Object, kind: str, status: str, reason: str, message: str) -> None:
    """Set a condition in place; its time changes with its status only."""
    conditions = hpa.setdefault("status", {}).setdefault("conditions", [])
    found = next((item for item in conditions if item["type"] == kind), None)
    if found is None:
        found = {"type": kind}
        conditions.append(found)
    if found.get("status") != status:
        found["lastTransitionTime"] = clock.timestamp()
    found.update(status=status, reason=reason, message=message)


def _set_status(
    hpa: Object, current: int, desired: int | None, metrics: list[Object], *, rescaled: bool
) -> None:
    status = hpa["status"]
    status["currentReplicas"] = current
    status["desiredReplicas"] = status.get("desiredReplicas", 0) if desired is None else desired
    status["currentMetrics"] = metrics
    if not metrics:
        status["currentMetrics"] = None
    status["observedGeneration"] = objects.metadata(hpa).get("generation", 0)
    if rescaled:
        status["lastScaleTime"] = clock.timestamp()


async def _write_status(ctx: ControllerContext, hpa: Object, before: Object) -> None:
    wanted = {name: value for name, value in hpa["status"].items() if value is not None}
    if wanted == {k: v for k, v in (before.get("status") or {}).items() if v is not None}:
        return
    try:
        await ctx.client.update(AUTOSCALERS, hpa, subresource="status")
    except StatusError as err:
        ctx.recorder.event(hpa, "Warning", "FailedUpdateStatus", str(err))
        raise


def _changed(_ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    """Changes of the spec; all else waits for the next round."""
    if old is not None and new is not None:
        generations = {objects.metadata(item).get("generation") for item in (old, new)}
        if len(generations) == 1:
            return ()
    item = new or old
    return (objects.key(item),) if item else ()


CONTROLLER = Controller(
    name="horizontal-pod-autoscaler-controller",
    aliases=("horizontalpodautoscaling",),
    identity="horizontal-pod-autoscaler",
    event_source="horizontal-pod-autoscaler",
    watches=(Watch(AUTOSCALERS, changed=_changed),),
    reads=(PODS,),
    reconcile=reconcile,
    workers=5,
    setup=_set_up,
)
