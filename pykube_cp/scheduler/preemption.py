"""Finding pods whose removal would make room: few, unimportant ones, without breaking budgets."""

# upstream: pkg/scheduler/framework/preemption/preemption.go,
# pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.cycle import check_row
from pykube_cp.scheduler.diagnosis import NodeStatuses
from pykube_cp.scheduler.interface import (
    Code,
    CycleState,
    Status,
    error_status,
    unresolvable,
)
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.profile import Profile
from pykube_cp.scheduler.shared.affinity_terms import is_empty_selector, label_match
from pykube_cp.scheduler.vectors import Rows

NO_VICTIMS = unresolvable("No preemption victims found for incoming pod")
NOT_HELPFUL = unresolvable("Preemption is not helpful for scheduling")
_LOWEST_PRIORITY = 2**31


@dataclass(frozen=True, slots=True)
class Candidate:
    """A node, the pods that would have to go, most important first, and budgets broken by it."""

    node: str
    victims: list[PodInfo]
    violations: int


def importance(pod: PodInfo) -> tuple[int, float]:
    """Sorts the most important first: by priority, then by how long it runs."""
    # upstream: pkg/scheduler/framework/preemption/util.go MoreImportantVictim
    return -pod.priority, pod.start_time


def find_candidates(
    profile: Profile,
    state: CycleState,
    rows: Rows,
    budgets: Sequence[Object],
    *,
    offset: int,
    wanted: int,
) -> tuple[list[Candidate], NodeStatuses]:
    """Candidates among ``rows``, until there are enough; and why the others are none."""
    # upstream: DryRunPreemption
    clean: list[Candidate] = []
    violating: list[Candidate] = []
    statuses = NodeStatuses(absent=NOT_HELPFUL)
    for place in range(len(rows)):
        row = int(rows[(offset + place) % len(rows)])
        found = _dry_run(profile, state, row, budgets)
        if isinstance(found, Status):
            statuses.set_row(row, found)
            continue
        (violating if found.violations else clean).append(found)
        if clean and len(clean) + len(violating) >= wanted:
            break
    return clean + violating, statuses


def _dry_run(
    profile: Profile, state: CycleState, row: int, budgets: Sequence[Object]
) -> Candidate | Status:
    """Take everything less important off the node; if the pod fits then, put back what one can."""
    # upstream: SelectVictimsOnNode
    handle = profile.handle
    name = handle.snapshot.names[row]
    pods = handle.snapshot.pods[row].values()
    removed = {pod.uid: pod for pod in pods if pod.priority < state.pod.priority}
    if not removed:
        return NO_VICTIMS
    nominated = handle.nominator.nodes_against(state.pod).get(name, [])
    victims = sorted(removed.values(), key=importance)
    for pod in victims:
        profile.take(state, pod, row)
    try:
        status = check_row(profile, state, row, nominated)
        if status is not None:
            return status
        violating, others = split_by_budget(victims, budgets)
        violations = 0
        for pod in (*violating, *others):
            profile.put(state, pod, row)
            if check_row(profile, state, row, nominated) is None:
                del removed[pod.uid]
                continue
            profile.take(state, pod, row)
            violations += pod in violating
    finally:
        for pod in removed.values():
            profile.put(state, pod, row)
    if not removed:
        return error_status(f'expected at least one victim pod on node "{name}"')
    return Candidate(name, sorted(removed.values(), key=importance), violations)


def split_by_budget(
    pods: Sequence[PodInfo], budgets: Sequence[Object]
) -> tuple[list[PodInfo], list[PodInfo]]:
    """Pods whose eviction, in this order, would break a PodDisruptionBudget; and the others."""
    # upstream: pkg/scheduler/framework/preemption/util.go FilterVictimsWithPDBViolation
    allowed = [_allowed(budget) for budget in budgets]

    def breaks_budget(pod: PodInfo) -> bool:
        for place, budget in enumerate(budgets):
            if not _protects(budget, pod):
                continue
            allowed[place] -= 1
            if allowed[place] < 0:
                return True
        return False

    violating: list[PodInfo] = []
    others: list[PodInfo] = []
    for pod in pods:
        (violating if breaks_budget(pod) else others).append(pod)
    return violating, others


def _allowed(budget: Object) -> int:
    number: int = objects.nested(budget, "status", "disruptionsAllowed", default=0)
    return number


def _protects(budget: Object, pod: PodInfo) -> bool:
    if not pod.labels or objects.namespace(budget) != pod.namespace:
        return False
    selector = objects.nested(budget, "spec", "selector")
    if is_empty_selector(selector) or not label_match(selector)(pod.labels):
        return False
    # Those evicted already have been subtracted from what the budget allows.
    return pod.name not in objects.nested(budget, "status", "disruptedPods", default={})


def best_candidate(candidates: Sequence[Candidate]) -> Candidate:
    """The one that does least harm: each measure decides among those equal by the ones before."""
    # upstream: pickOneNodeForPreemption
    left = list(candidates)
    for harm in _HARMS:
        if len(left) == 1:
            break
        harms = [harm(candidate) for candidate in left]
        least = min(harms)
        left = [one for one, value in zip(left, harms, strict=True) if value == least]
    return left[0]


def _latest_start(candidate: Candidate) -> float:
    """Of the most important victims the one that runs longest; better if that is not long."""
    # upstream: pkg/scheduler/util/utils.go GetEarliestPodStartTime
    highest = max(pod.priority for pod in candidate.victims)
    return -min(pod.start_time for pod in candidate.victims if pod.priority == highest)


_HARMS: tuple[Callable[[Candidate], float], ...] = (
    lambda candidate: candidate.violations,
    lambda candidate: candidate.victims[0].priority,
    lambda candidate: sum(pod.priority + _LOWEST_PRIORITY for pod in candidate.victims),
    lambda candidate: len(candidate.victims),
    _latest_start,
)


def potential_rows(statuses: NodeStatuses, rows: Rows) -> Rows:
    """Nodes on which removing pods may help."""
    return statuses.rows_with(Code.UNSCHEDULABLE, rows)


def is_terminating_by_preemption(pod: Object) -> bool:
    # upstream: pkg/scheduler/framework/preemption/util.go PodTerminatingByPreemption
    if not objects.is_deleting(pod):
        return False
    for condition in objects.nested(pod, "status", "conditions", default=()):
        if condition.get("type") == "DisruptionTarget":
            return bool(
                condition.get("status") == "True"
                and condition.get("reason") == "PreemptionByScheduler"
            )
    return False
