"""Spreads pods evenly over zones, nodes or whatever label says where a node is."""

# upstream: pkg/scheduler/framework/plugins/podtopologyspread/plugin.go, filtering.go, scoring.go

import math
from dataclasses import dataclass

import numpy as np

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import Action, ClusterEvent, EventHint, Resource
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.interface import (
    MAX_NODE_SCORE,
    SKIP,
    Arguments,
    CycleState,
    FilterPlugin,
    PreFilterPlugin,
    PreScorePlugin,
    ScorePlugin,
    Status,
    Verdicts,
    unresolvable,
    unschedulable,
    verdicts,
)
from pykube_cp.scheduler.pod_info import PodInfo, is_assigned, nominated_node
from pykube_cp.scheduler.shared.spread_constraints import (
    DO_NOT_SCHEDULE,
    HOSTNAME,
    SCHEDULE_ANYWAY,
    SYSTEM_DEFAULTS,
    Constraint,
    default_constraints,
    included,
    parse_constraints,
    sums_by_value,
    with_all_keys,
)
from pykube_cp.scheduler.vectors import BoolVector, FloatVector, IntVector, Rows, zeros

_MISMATCH = "node(s) didn't match pod topology spread constraints"
_STATUSES = (unresolvable(f"{_MISMATCH} (missing required label)"), unschedulable(_MISMATCH))
_MISSING_LABEL, _SKEWED = 1, 2


@dataclass(slots=True)
class _Domains:
    """What the filter needs of one constraint.

    Attributes:
        sums: matching pods per value of the topology key.
        present: which values occur on nodes that take part.
        eligible: which rows take part.
        self_match: 1 if the pod itself counts.
    """

    constraint: Constraint
    sums: IntVector
    present: BoolVector
    eligible: BoolVector
    self_match: int

    @property
    def minimum(self) -> int:
        """Pods in the emptiest domain; none if there are fewer domains than asked for."""
        if int(self.present.sum()) < self.constraint.min_domains:
            return 0
        return int(self.sums[self.present].min())


@dataclass(slots=True)
class _Filtering:
    domains: list[_Domains]


@dataclass(slots=True)
class _Scoring:
    """What the score needs.

    Attributes:
        ignored: nodes, of those that fit, that lack a label.
        sums: per constraint matching pods per value, or per row for host names.
        weights: per constraint what a pod counts; less where there are few domains.
    """

    constraints: list[Constraint]
    ignored: BoolVector
    sums: list[IntVector]
    weights: list[float]


class PodTopologySpread(PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin):
    """Constraints that must hold filter, those that should hold score."""

    name = "PodTopologySpread"
    follows_pods = True

    def __init__(self, handle: Handle, arguments: Arguments) -> None:
        super().__init__(handle, arguments)
        self._system_defaults = (arguments.get("defaultingType") or "System") == "System"
        self._defaults = (
            SYSTEM_DEFAULTS
            if self._system_defaults
            else tuple(arguments.get("defaultConstraints") or ())
        )

    def _constraints(self, pod: PodInfo, action: str) -> list[Constraint]:
        own = pod.spec.get("topologySpreadConstraints")
        if own:
            return parse_constraints(own, action, pod.labels)
        return default_constraints(self.handle, pod, self._defaults, action)

    # Constraints that must hold.

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        pod, snapshot = state.pod, self.handle.snapshot
        constraints = self._constraints(pod, DO_NOT_SCHEDULE)
        if not constraints:
            return SKIP
        rows = snapshot.rows
        labelled = with_all_keys(snapshot, constraints, rows)
        state.put(_Filtering([self._domains(pod, one, rows, labelled) for one in constraints]))
        return None

    def _domains(
        self, pod: PodInfo, constraint: Constraint, rows: Rows, labelled: BoolVector
    ) -> _Domains:
        snapshot = self.handle.snapshot
        taking_part = rows[labelled & included(snapshot, pod, constraint, rows)]
        column = snapshot.label(constraint.topology_key)
        counts = constraint.selection.counts(snapshot, pod.namespace)
        present: BoolVector = np.zeros(len(column) + 1, np.bool_)
        present[column.ids[taking_part]] = True
        eligible: BoolVector = np.zeros(snapshot.size, np.bool_)
        eligible[taking_part] = True
        return _Domains(
            constraint,
            sums_by_value(snapshot, constraint, counts, taking_part),
            present,
            eligible,
            int(constraint.selection.matches(pod.labels)),
        )

    def add_pod(self, state: CycleState, pod: PodInfo, row: int) -> None:
        self._account(state, pod, row, 1)

    def remove_pod(self, state: CycleState, pod: PodInfo, row: int) -> None:
        self._account(state, pod, row, -1)

    def _account(self, state: CycleState, pod: PodInfo, row: int, sign: int) -> None:
        # upstream: updateWithPod
        if pod.namespace != state.pod.namespace:
            return
        for domains in state.get(_Filtering).domains:
            constraint = domains.constraint
            if domains.eligible[row] and constraint.selection.matches(pod.labels):
                value = self.handle.snapshot.label(constraint.topology_key).ids[row]
                domains.sums[value] += sign

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        codes = zeros(len(rows))
        for domains in state.get(_Filtering).domains:
            constraint = domains.constraint
            ids = self.handle.snapshot.label(constraint.topology_key).ids[rows]
            most = constraint.max_skew - domains.self_match + domains.minimum
            found = np.where(ids < 0, _MISSING_LABEL, (domains.sums[ids] > most) * _SKEWED)
            codes = np.where(codes == 0, found, codes)
        return verdicts(codes, _STATUSES)

    # Constraints that should hold.

    def pre_score(self, state: CycleState, rows: Rows) -> Status | None:
        pod, snapshot = state.pod, self.handle.snapshot
        constraints = self._constraints(pod, SCHEDULE_ANYWAY)
        if not constraints:
            return SKIP
        all_needed = bool(pod.spec.get("topologySpreadConstraints")) or not self._system_defaults
        ignored: BoolVector = np.zeros(len(rows), np.bool_)
        counted = snapshot.rows
        if all_needed:
            ignored = ~with_all_keys(snapshot, constraints, rows)
            counted = counted[with_all_keys(snapshot, constraints, counted)]
        scoring = _Scoring(constraints, ignored, [], [])
        for constraint in constraints:
            self._prepare(pod, constraint, rows[~ignored], counted, scoring)
        state.put(scoring)
        return None

    def _prepare(
        self, pod: PodInfo, constraint: Constraint, rows: Rows, counted: Rows, scoring: _Scoring
    ) -> None:
        snapshot = self.handle.snapshot
        counts = constraint.selection.counts(snapshot, pod.namespace)
        if constraint.topology_key == HOSTNAME:
            scoring.sums.append(counts)
            scoring.weights.append(_weight(len(rows)))
            return
        taking_part = counted[included(snapshot, pod, constraint, counted)]
        scoring.sums.append(sums_by_value(snapshot, constraint, counts, taking_part))
        ids = snapshot.label(constraint.topology_key).ids[rows]
        # Nodes without the label count as one more domain.
        scoring.weights.append(_weight(len(np.unique(ids))))

    def score(self, state: CycleState, rows: Rows) -> IntVector:
        snapshot, scoring = self.handle.snapshot, state.get(_Scoring)
        total: FloatVector = np.zeros(len(rows))
        parts = zip(scoring.constraints, scoring.sums, scoring.weights, strict=True)
        for constraint, sums, weight in parts:
            ids = snapshot.label(constraint.topology_key).ids[rows]
            counts = sums[rows if constraint.topology_key == HOSTNAME else ids]
            total += np.where(ids < 0, 0.0, counts * weight + (constraint.max_skew - 1))
        return np.floor(total + 0.5).astype(np.int64)

    def normalize(self, state: CycleState, scores: IntVector) -> IntVector:
        ignored = state.get(_Scoring).ignored
        counted = scores[~ignored]
        highest = int(counted.max(initial=0))
        if highest == 0:
            return np.where(ignored, 0, MAX_NODE_SCORE)
        lowest = int(counted.min())
        scaled = MAX_NODE_SCORE * (highest + lowest - scores) // highest
        return np.where(ignored, 0, scaled)

    # What may help.

    def events_to_register(self) -> tuple[EventHint, ...]:
        assigned = Action.ADD | Action.UPDATE_POD_LABEL | Action.DELETE
        target = Action.UPDATE_POD_TOLERATION | Action.UPDATE_POD_LABEL
        node = Action.ADD | Action.DELETE | Action.UPDATE_NODE_LABEL | Action.UPDATE_NODE_TAINT
        return (
            EventHint(ClusterEvent(Resource.ASSIGNED_POD, assigned), self._after_assigned_pod),
            EventHint(ClusterEvent(Resource.TARGET_POD, target), self._after_own_change),
            EventHint(ClusterEvent(Resource.NODE, node), self._after_node),
        )

    def _hard(self, pod: Object) -> list[Constraint]:
        return self._constraints(PodInfo(pod), DO_NOT_SCHEDULE)

    def _after_assigned_pod(self, pod: Object, old: Object | None, new: Object | None) -> bool:
        changed = [other for other in (old, new) if other is not None]
        for other in changed:
            if not (is_assigned(other) or nominated_node(other)):
                return False
            if objects.namespace(other) != objects.namespace(pod):
                return False
        constraints = self._hard(pod)
        if old is not None and new is not None:
            return _matches_differently(constraints, old, new)
        labels = objects.labels(changed[0])
        return any(one.selection.matches(labels) for one in constraints)

    def _after_own_change(self, pod: Object, old: Object | None, new: Object | None) -> bool:
        assert old is not None
        assert new is not None
        constraints = self._hard(pod)
        tolerations = old["spec"].get("tolerations") or [], new["spec"].get("tolerations") or []
        if tolerations[0] != tolerations[1] and any(one.honor_taints for one in constraints):
            return True
        return _matches_differently(constraints, old, new)

    def _after_node(self, pod: Object, old: Object | None, new: Object | None) -> bool:
        constraints = self._hard(pod)
        before = old is not None and _has_keys(old, constraints)
        after = new is not None and _has_keys(new, constraints)
        if old is None or new is None:
            return before or after
        if before != after:
            return True
        return after and (
            any(_value(old, one) != _value(new, one) for one in constraints)
            or objects.nested(old, "spec", "taints") != objects.nested(new, "spec", "taints")
        )


def _weight(domains: int) -> float:
    return math.log(domains + 2)


def _matches_differently(constraints: list[Constraint], old: Object, new: Object) -> bool:
    before, after = objects.labels(old), objects.labels(new)
    return before != after and any(
        one.selection.matches(before) != one.selection.matches(after) for one in constraints
    )


def _value(node: Object, constraint: Constraint) -> str | None:
    return objects.labels(node).get(constraint.topology_key)


def _has_keys(node: Object, constraints: list[Constraint]) -> bool:
    return all(_value(node, constraint) is not None for constraint in constraints)
