"""Makes room for important pods at the cost of less important ones."""

# upstream: pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go

from dataclasses import replace

from pykube_cp.scheduler.diagnosis import Diagnosis, NodeStatuses
from pykube_cp.scheduler.events import ASSIGNED_POD_DELETE, EventHint
from pykube_cp.scheduler.eviction import Evictions
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.interface import (
    CLEAR_NOMINATION,
    Arguments,
    Code,
    CycleState,
    NominatingInfo,
    PostFilterPlugin,
    PreEnqueuePlugin,
    Status,
    error_status,
    unresolvable,
    unschedulable,
)
from pykube_cp.scheduler.kinds import POD_DISRUPTION_BUDGETS, PODS
from pykube_cp.scheduler.pod_info import PodInfo, nominated_node
from pykube_cp.scheduler.preemption import (
    NOT_HELPFUL,
    best_candidate,
    find_candidates,
    is_terminating_by_preemption,
    potential_rows,
)

# upstream: pkg/scheduler/apis/config/v1/defaults.go SetDefaults_DefaultPreemptionArgs
_CANDIDATES_PERCENT = 10
_CANDIDATES_LEAST = 100
Outcome = tuple[NominatingInfo | None, Status | None]


class DefaultPreemption(PostFilterPlugin, PreEnqueuePlugin):
    """Nominates the node; the pod gets it in a later attempt, when the victims are gone."""

    name = "DefaultPreemption"

    def __init__(self, handle: Handle, arguments: Arguments) -> None:
        super().__init__(handle, arguments)
        self._percent: int = arguments.get("minCandidateNodesPercentage", _CANDIDATES_PERCENT)
        self._least: int = arguments.get("minCandidateNodesAbsolute", _CANDIDATES_LEAST)
        self._evictions = Evictions(handle, self.name)

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        if not self._evictions.is_running(pod.uid):
            return None
        return unresolvable("waiting for the preemption for this pod to be finished")

    def events_to_register(self) -> tuple[EventHint, ...]:
        # The gate looks again then; whether the pod is tried is up to what rejected it.
        return (EventHint(ASSIGNED_POD_DELETE, lambda _pod, _old, _new: False),)

    def post_filter(self, state: CycleState, statuses: NodeStatuses) -> Outcome:
        nomination, status = self._preempt(state, statuses)
        if status is not None and status.reasons:
            status = replace(status, reasons=(f"preemption: {status.message}",))
        return nomination, status

    def _preempt(self, state: CycleState, statuses: NodeStatuses) -> Outcome:
        pod = self.handle.get(PODS, state.pod.name, state.pod.namespace)
        if pod is None:
            return None, error_status(f'pod "{state.pod.name}" not found')
        objection = self._objection(PodInfo(pod), statuses)
        if objection:
            return None, unschedulable(objection)
        snapshot = self.handle.snapshot
        rows = potential_rows(statuses, snapshot.rows)
        if not len(rows):
            return self._hopeless(NodeStatuses(absent=NOT_HELPFUL))
        candidates, reasons = find_candidates(
            self.handle.profiles[state.pod.scheduler_name],
            state,
            rows,
            self.handle.list(POD_DISRUPTION_BUDGETS),
            offset=self.handle.random.randrange(len(rows)),
            wanted=min(len(rows), max(len(rows) * self._percent // 100, self._least)),
        )
        if not candidates:
            return self._hopeless(reasons)
        best = best_candidate(candidates)
        self._evictions.start(state.pod, best.node, best.victims)
        message = (
            f"found a potential placement for pod on node {best.node}, "
            f"preempting {len(best.victims)} victims"
        )
        return NominatingInfo(best.node), Status(Code.SUCCESS, (message,))

    def _hopeless(self, statuses: NodeStatuses) -> Outcome:
        errors = [status.message for status in statuses.statuses if status.code is Code.ERROR]
        if errors:
            return None, error_status("; ".join(errors))
        number = self.handle.snapshot.number_of_nodes
        return CLEAR_NOMINATION, unschedulable(Diagnosis(statuses).message(number))

    def _objection(self, pod: PodInfo, statuses: NodeStatuses) -> str:
        """Why the pod may not preempt now."""
        # upstream: PodEligibleToPreemptOthers
        if pod.spec.get("preemptionPolicy") == "Never":
            return "not eligible due to preemptionPolicy=Never."
        node = nominated_node(pod.pod)
        row = self.handle.snapshot.row(node) if node else None
        if row is None or statuses.get(row).code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE:
            return ""
        others = self.handle.snapshot.pods[row].values()
        if any(
            other.priority < pod.priority and is_terminating_by_preemption(other.pod)
            for other in others
        ):
            return "not eligible due to a terminating pod on the nominated node."
        return ""
