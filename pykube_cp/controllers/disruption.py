"""Counts how many pods of each PodDisruptionBudget may be evicted."""

# upstream: pkg/controller/disruption/disruption.go

from collections.abc import Iterable, Sequence

from pykube_cp.controllers.interface import Controller, ControllerContext, Queue, Result, Watch
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.conditions import (
    find_condition,
    set_status_condition,
    update_pod_condition,
)
from pykube_cp.controllers.shared.kinds import (
    DEPLOYMENTS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    STATEFUL_SETS,
)
from pykube_cp.controllers.shared.pod_scale import ExpectedScale
from pykube_cp.controllers.shared.selection import selector_of
from pykube_cp.controllers.shared.templates import int_or_percent
from pykube_cp.machinery import clock, errors, objects
from pykube_cp.machinery.objects import Object

_DELETION_TIMEOUT = 120.0
_STALE_DISRUPTION_SECONDS = 120.0
_STALE_QUEUE = "stale-disruption"
_ALLOWED = "DisruptionAllowed"
_COUNTS = ("currentHealthy", "desiredHealthy", "expectedPods", "disruptionsAllowed")


# Who has to be looked at


def _pod_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    pod = new if new is not None else old
    if pod is None:
        return ()
    if new is not None and (left := _stale_disruption_after(new)) is not None:
        ctx.queues[_STALE_QUEUE].add_after(objects.key(new), left)
    budgets = _budgets_of(ctx, pod)
    if len(budgets) > 1:
        message = (
            f'Pod "{objects.namespace(pod)}"/"{objects.name(pod)}" matches multiple '
            f'PodDisruptionBudgets.  Chose "{objects.name(budgets[0])}" arbitrarily.'
        )
        ctx.recorder.event(pod, "Warning", "MultiplePodDisruptionBudgets", message)
    keys = [objects.key(budget) for budget in budgets[:1]]
    if old is not None and new is not None and objects.labels(old) != objects.labels(new):
        keys += [objects.key(budget) for budget in _budgets_of(ctx, old)]
    return keys


def _budgets_of(ctx: ControllerContext, pod: Object) -> list[Object]:
    labels = objects.labels(pod)
    return [
        budget
        for budget in ctx.lister(POD_DISRUPTION_BUDGETS).list(objects.namespace(pod))
        if selector_of(budget).matches(labels)
    ]


# Budgets


async def _reconcile(ctx: ControllerContext, key: str) -> Result | None:
    budget = ctx.lister(POD_DISRUPTION_BUDGETS).get(key)
    if budget is None:
        return None
    try:
        return await _sync(ctx, budget)
    except Exception as error:
        if errors.is_conflict(error):
            raise
        await _fail_safe(ctx, budget, error)
        return None


async def _sync(ctx: ControllerContext, budget: Object) -> Result | None:
    pods = ctx.lister(PODS).select(selector_of(budget).selector, objects.namespace(budget))
    if not pods:
        ctx.recorder.event(budget, "Normal", "NoPods", "No matching pods found")
    try:
        expected, desired, unmanaged = await _expected(ctx, budget, pods)
    except Exception as error:
        message = f"Failed to calculate the number of expected pods: {error}"
        ctx.recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", message)
        raise
    if unmanaged:
        _report_unmanaged(ctx, budget)
    now = clock.now()
    disrupted, recheck = _disrupted_pods(ctx, budget, pods, now)
    healthy = _count_healthy(pods, disrupted, now)
    allowed = max(0, healthy - desired) if expected > 0 else 0
    counts = dict(zip(_COUNTS, (healthy, desired, expected, allowed), strict=True))
    await _write_status(ctx, budget, counts, disrupted)
    return None if recheck is None else Result(requeue_after=max(0.001, recheck - now))


def _report_unmanaged(ctx: ControllerContext, budget: Object) -> None:
    selector = _go_text(objects.nested(budget, "spec", "selector", default={}))
    message = (
        f"Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be "
        "unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may "
        "result in undefined behavior. To account for these pods please set "
        '".spec.minAvailable" field of the PDB to an integer value.'
    )
    ctx.recorder.event(budget, "Warning", "UnmanagedPods", message)


def _go_text(selector: Object) -> str:
    """A LabelSelector as Go prints it."""
    labels = "".join(f"{k}: {v}," for k, v in sorted((selector.get("matchLabels") or {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{found['key']},Operator:{found['operator']},"
        f"Values:[{' '.join(found.get('values') or [])}],}},"
        for found in selector.get("matchExpressions") or []
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


async def _expected(
    ctx: ControllerContext, budget: Object, pods: Sequence[Object]
) -> tuple[int, int, list[str]]:
    """``(expected pods, desired healthy pods, pods without controller)``."""
    # upstream: disruption.go getExpectedPodCount
    scale: ExpectedScale = ctx.state
    spec = budget["spec"]
    if spec.get("maxUnavailable") is not None:
        expected, unmanaged = await scale.of(pods)
        most = int_or_percent(spec["maxUnavailable"], expected, round_up=True)
        return expected, max(0, expected - most), unmanaged
    minimum = spec.get("minAvailable")
    if isinstance(minimum, int):
        return len(pods), minimum, []
    if minimum is None:
        return 0, 0, []
    expected, unmanaged = await scale.of(pods)
    return expected, int_or_percent(minimum, expected, round_up=True), unmanaged


def _disrupted_pods(
    ctx: ControllerContext, budget: Object, pods: Sequence[Object], now: float
) -> tuple[dict[str, str], float | None]:
    """Evictions that were granted and are still to be seen; and when the first of them lapses."""
    # upstream: disruption.go buildDisruptedPodMap
    granted = objects.nested(budget, "status", "disruptedPods", default={})
    kept: dict[str, str] = {}
    recheck: float | None = None
    for pod in pods:
        name = objects.name(pod)
        if name not in granted or objects.is_deleting(pod):
            continue
        lapses = clock.parse_time(granted[name]) + _DELETION_TIMEOUT
        if lapses < now:
            namespace = objects.namespace(budget)
            message = f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
            ctx.recorder.event(pod, "Warning", "NotDeleted", message)
            continue
        kept[name] = granted[name]
        recheck = lapses if recheck is None else min(recheck, lapses)
    return kept, recheck


def _count_healthy(pods: Sequence[Object], disrupted: dict[str, str], now: float) -> int:
    def is_healthy(pod: Object) -> bool:
        granted = disrupted.get(objects.name(pod))
        if granted is not None and clock.parse_time(granted) + _DELETION_TIMEOUT > now:
            return False
        return not objects.is_deleting(pod) and pod_state.is_ready(pod)

    return sum(map(is_healthy, pods))


async def _write_status(
    ctx: ControllerContext, budget: Object, counts: dict[str, int], disrupted: dict[str, str]
) -> None:
    # upstream: disruption.go updatePdbStatus
    before = budget.get("status") or {}
    generation = budget["metadata"].get("generation", 0)
    status: Object = {**counts, "observedGeneration": generation}
    if disrupted:
        status["disruptedPods"] = disrupted
    status["conditions"] = objects.deep_copy(before.get("conditions") or [])
    allowed = counts["disruptionsAllowed"] > 0
    reason = "SufficientPods" if allowed else "InsufficientPods"
    _set_allowed(status, allowed=allowed, reason=reason)
    if not _is_same(before, status):
        await _update(ctx, budget, status)


def _is_same(before: Object, status: Object) -> bool:
    """As it was, but for the time and generation of the condition."""
    current = find_condition(before.get("conditions") or [], _ALLOWED)
    wanted = find_condition(status["conditions"], _ALLOWED)
    if current is None or wanted is None:
        return False
    same_condition = all(current.get(key) == wanted.get(key) for key in ("status", "reason"))
    fields = (*_COUNTS, "observedGeneration", "disruptedPods")
    return same_condition and all(before.get(name) == status.get(name) for name in fields)


def _set_allowed(status: Object, *, allowed: bool, reason: str, message: str = "") -> None:
    condition: Object = {
        "type": _ALLOWED,
        "status": "True" if allowed else "False",
        "observedGeneration": status.get("observedGeneration", 0),
        "lastTransitionTime": clock.timestamp(),
        "reason": reason,
        "message": message,
    }
    set_status_condition(status.setdefault("conditions", []), condition)


async def _fail_safe(ctx: ControllerContext, budget: Object, error: Exception) -> None:
    """Nothing may be evicted while it is not known what runs."""
    status: Object = objects.deep_copy(budget.get("status") or {})
    for name in _COUNTS:
        status.setdefault(name, 0)
    status["disruptionsAllowed"] = 0
    _set_allowed(status, allowed=False, reason="SyncFailed", message=str(error))
    await _update(ctx, budget, status)


async def _update(ctx: ControllerContext, budget: Object, status: Object) -> None:
    written = objects.deep_copy({**budget, "status": status})
    await ctx.client.update(POD_DISRUPTION_BUDGETS, written, subresource="status")


# Pods that were to be disrupted and were not


def _stale_disruption_after(pod: Object) -> float | None:
    """Seconds until the mark of a disruption that did not happen lapses."""
    # upstream: disruption.go nonTerminatingPodHasStaleDisruptionCondition
    if objects.is_deleting(pod) or pod_state.is_terminal(pod):
        return None
    condition = pod_state.condition(pod, "DisruptionTarget")
    if condition is None or condition.get("status") != "True":
        return None
    if condition.get("reason") == "TerminationByKubelet":
        return None
    since = clock.parse_time(condition["lastTransitionTime"])
    return max(0.0, since + _STALE_DISRUPTION_SECONDS - clock.now())


async def _reconcile_stale(ctx: ControllerContext, key: str) -> Result | None:
    pod = ctx.lister(PODS).get(key)
    left = _stale_disruption_after(pod) if pod is not None else None
    if pod is None or left is None:
        return None
    if left > 0:
        return Result(requeue_after=left)
    updated = objects.deep_copy(pod)
    condition = {
        "type": "DisruptionTarget",
        "status": "False",
        "observedGeneration": pod["metadata"].get("generation", 0),
        "lastTransitionTime": clock.timestamp(),
    }
    if update_pod_condition(updated["status"], condition):
        await ctx.client.update(PODS, updated, subresource="status")
    return None


CONTROLLER = Controller(
    name="disruption-controller",
    identity="disruption-controller",
    event_source="controllermanager",
    aliases=("disruption",),
    watches=(
        Watch(POD_DISRUPTION_BUDGETS),
        Watch(PODS, changed=_pod_changed),
    ),
    reads=(DEPLOYMENTS, REPLICA_SETS, REPLICATION_CONTROLLERS, STATEFUL_SETS),
    setup=ExpectedScale,
    reconcile=_reconcile,
    queues=(Queue(_STALE_QUEUE, _reconcile_stale),),
)
