"""Finding a node for one pod: filter, make room if nothing fits, score, choose.

All nodes are looked at, not a sample: whole vectors cost less than choosing which nodes to skip.
"""

# upstream: pkg/scheduler/schedule_one.go schedulePod, findNodesThatFitPod

from dataclasses import dataclass

import numpy as np

from pykube_cp.scheduler.diagnosis import Diagnosis, FitError, NoNodesError
from pykube_cp.scheduler.interface import CycleState, Status, unresolvable
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.profile import PreFilterOutcome, Profile
from pykube_cp.scheduler.vectors import NO_ROWS, Rows, as_rows

# upstream: pkg/scheduler/schedule_one.go minFeasibleNodesToFind
_FEWEST_TO_SCORE = 100


@dataclass(slots=True)
class Cycle:
    """The algorithm for the pods of one profile.

    Attributes:
        percentage: share of all nodes that is enough to choose from; 0 and 100 mean all.
    """

    profile: Profile
    percentage: int = 0
    _start: int = 0

    def schedule(self, state: CycleState) -> str:
        """The name of the best node; ``FitError`` or ``NoNodesError`` if there is none."""
        snapshot = self.profile.handle.snapshot
        if not snapshot.number_of_nodes:
            raise NoNodesError
        diagnosis = Diagnosis()
        rows = self._feasible(state, diagnosis)
        if not len(rows):
            raise FitError(snapshot.number_of_nodes, diagnosis)
        if len(rows) == 1:
            return snapshot.names[int(rows[0])]
        return snapshot.names[self._best(state, rows)]

    def _best(self, state: CycleState, rows: Rows) -> int:
        scores = self.profile.run_scores(state, rows)
        best = rows[scores == scores.max()]
        return int(best[self.profile.handle.random.randrange(len(best))])

    def _feasible(self, state: CycleState, diagnosis: Diagnosis) -> Rows:
        outcome = self.profile.run_pre_filters(state)
        diagnosis.unschedulable_plugins |= outcome.limiting_plugins
        if outcome.rejection is not None:
            diagnosis.node_statuses.absent = outcome.rejection
            diagnosis.pre_filter_message = outcome.rejection.message
            diagnosis.note(outcome.rejection)
            return NO_ROWS
        nominated = self._nominated_row(state.pod)
        if nominated is not None:
            found = find_feasible(self.profile, state, as_rows([nominated]), Diagnosis())
            if len(found):
                return found
        rows = self._candidates(outcome, diagnosis)
        return self._enough(find_feasible(self.profile, state, rows, diagnosis))

    def _nominated_row(self, pod: PodInfo) -> int | None:
        node = pod.nominated_node
        return self.profile.handle.snapshot.row(node) if node else None

    def _candidates(self, outcome: PreFilterOutcome, diagnosis: Diagnosis) -> Rows:
        snapshot = self.profile.handle.snapshot
        if outcome.node_names is None:
            return snapshot.rows
        names = " ".join(sorted(outcome.limiting_plugins))
        diagnosis.node_statuses.absent = unresolvable(f"node(s) didn't satisfy plugin(s) [{names}]")
        found = (snapshot.row(name) for name in outcome.node_names)
        return as_rows(sorted(row for row in found if row is not None))

    def _enough(self, rows: Rows) -> Rows:
        """As many of the nodes that fit as the configuration wants scored, in turn."""
        if not 0 < self.percentage < 100:
            return rows
        total = self.profile.handle.snapshot.number_of_nodes
        wanted = max(_FEWEST_TO_SCORE, total * self.percentage // 100)
        if len(rows) <= wanted:
            return rows
        self._start = (self._start + wanted) % len(rows)
        return np.roll(rows, -self._start)[:wanted]


def find_feasible(profile: Profile, state: CycleState, rows: Rows, diagnosis: Diagnosis) -> Rows:
    """Nodes among ``rows`` on which the pod fits; why not the others goes into ``diagnosis``."""
    handle = profile.handle
    special: dict[int, list[PodInfo]] = {}
    for node, pods in handle.nominator.nodes_against(state.pod).items():
        row = handle.snapshot.row(node)
        if row is not None and (rows == row).any():
            special[row] = pods
    plain = rows if not special else np.setdiff1d(rows, as_rows(list(special)))
    feasible, rejections = profile.run_filters(state, plain)
    for row, pods in special.items():
        status = check_row(profile, state, row, pods)
        if status is None:
            feasible = np.append(feasible, row)
        else:
            diagnosis.node_statuses.set_row(row, status)
    if not len(feasible):
        for rejection in rejections:
            diagnosis.node_statuses.add_verdicts(
                rejection.rows, rejection.verdicts, rejection.plugin
            )
        for status in diagnosis.node_statuses.statuses:
            diagnosis.note(status)
    return feasible


def check_row(
    profile: Profile, state: CycleState, row: int, nominated: list[PodInfo]
) -> Status | None:
    """None if the pod fits on one node, both with the pods nominated there and without them.

    With them, because they will come; without, because they may not, and the pod may need them.
    """
    # upstream: pkg/scheduler/framework/runtime/framework.go RunFilterPluginsWithNominatedPods
    rows = as_rows([row])
    if nominated:
        for pod in nominated:
            profile.put(state, pod, row)
        try:
            status = _first_rejection(profile, state, rows)
        finally:
            for pod in nominated:
                profile.take(state, pod, row)
        if status is not None:
            return status
    return _first_rejection(profile, state, rows)


def _first_rejection(profile: Profile, state: CycleState, rows: Rows) -> Status | None:
    _, rejections = profile.run_filters(state, rows)
    if not rejections:
        return None
    first = rejections[0]
    return first.verdicts.status(int(first.verdicts.codes[0])).by(first.plugin)
