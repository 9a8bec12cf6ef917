"""Puts pods near other pods, or away from them."""

# upstream: pkg/scheduler/framework/plugins/interpodaffinity/plugin.go, filtering.go, scoring.go

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

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
from pykube_cp.scheduler.kinds import NAMESPACES
from pykube_cp.scheduler.pod_index import PodClass, TermCounts
from pykube_cp.scheduler.pod_info import PodInfo, is_assigned, nominated_node
from pykube_cp.scheduler.shared.affinity_terms import (
    AffinityTerm,
    WeightedTerm,
    required_terms,
)
from pykube_cp.scheduler.snapshot import Snapshot
from pykube_cp.scheduler.vectors import BoolVector, IntVector, Rows, zeros

_STATUSES = (
    unresolvable("node(s) didn't match pod affinity rules"),
    unschedulable("node(s) didn't match pod anti-affinity rules"),
    unschedulable("node(s) didn't satisfy existing pods anti-affinity rules"),
)
_AFFINITY, _ANTI_AFFINITY, _EXISTING = 1, 2, 3
Terms = tuple[AffinityTerm, ...]


class _Topology:
    """Numbers per topology key and value: matching pods, or scores."""

    __slots__ = ("_by_key", "_snapshot")

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._by_key: dict[str, IntVector] = {}

    def __bool__(self) -> bool:
        return any(bool(numbers.any()) for numbers in self._by_key.values())

    @property
    def keys(self) -> Iterable[str]:
        return self._by_key

    def _numbers(self, key: str) -> IntVector:
        found = self._by_key.get(key)
        if found is None:
            # The last element is for nodes without the label, and stays 0.
            found = self._by_key[key] = zeros(len(self._snapshot.label(key)) + 1)
        return found

    def add_rows(self, key: str, counts: Mapping[int, int], factor: int) -> None:
        """Count a number per row, for the rows given that have a node."""
        rows = np.fromiter(counts.keys(), np.intp, len(counts))
        numbers = np.fromiter(counts.values(), np.int64, len(counts))
        alive = self._snapshot.alive[rows]
        self._add_all(key, rows[alive], numbers[alive] * factor)

    def add_counts(self, key: str, counts: IntVector, factor: int) -> None:
        """Count a number per row of the snapshot."""
        rows = self._snapshot.rows
        rows = rows[counts[rows] != 0]
        self._add_all(key, rows, counts[rows] * factor)

    def _add_all(self, key: str, rows: Rows, numbers: IntVector) -> None:
        totals = self._numbers(key)
        values = self._snapshot.label(key).ids[rows] % len(totals)
        summed = np.bincount(values, weights=numbers, minlength=len(totals))
        totals += summed.astype(np.int64)
        totals[-1] = 0

    def add_row(self, key: str, row: int, number: int) -> None:
        value = int(self._snapshot.label(key).ids[row])
        if value >= 0:
            self._numbers(key)[value] += number

    def on(self, key: str, rows: Rows) -> IntVector:
        """The number of each node's value."""
        found: IntVector = self._numbers(key)[self._snapshot.label(key).ids[rows]]
        return found


@dataclass(slots=True)
class _Filtering:
    """Terms of the pod, and where pods are that matter.

    Attributes:
        existing: pods there already that do not want this one near.
        affinity: pods that match all terms of the pod's affinity.
        anti_affinity: pods that match a term of its anti-affinity.
    """

    namespace_labels: Mapping[str, str]
    affinity_terms: Terms
    anti_affinity_terms: Terms
    existing: _Topology
    affinity: _Topology
    anti_affinity: _Topology


@dataclass(slots=True)
class _Scoring:
    scores: _Topology = field()


class InterPodAffinity(PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin):
    """Required terms filter, preferred ones score; also those of the pods already there."""

    name = "InterPodAffinity"
    follows_pods = True

    def __init__(self, handle: Handle, arguments: Arguments) -> None:
        super().__init__(handle, arguments)
        self._hard_weight: int = arguments.get("hardPodAffinityWeight", 1)
        self._ignore_existing = bool(arguments.get("ignorePreferredTermsOfExistingPods"))

    def _namespace_labels(self, namespace: str) -> Mapping[str, str]:
        found = self.handle.get(NAMESPACES, namespace)
        return objects.labels(found) if found is not None else {}

    def _resolved(self, term: AffinityTerm) -> AffinityTerm:
        if term.namespace_selector is None:
            return term
        return term.resolved(self.handle.list(NAMESPACES))

    # What must hold.

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        pod, snapshot = state.pod, self.handle.snapshot
        filtering = _Filtering(
            self._namespace_labels(pod.namespace),
            tuple(self._resolved(term) for term in pod.required_affinity),
            tuple(self._resolved(term) for term in pod.required_anti_affinity),
            _Topology(snapshot),
            _Topology(snapshot),
            _Topology(snapshot),
        )
        existing = snapshot.index.required_anti_affinity
        for term, _, rows in existing.matching(pod, filtering.namespace_labels):
            filtering.existing.add_rows(term.topology_key, rows, 1)
        if not (pod.required_affinity or pod.required_anti_affinity or filtering.existing):
            return SKIP
        self._count_incoming(filtering)
        state.put(filtering)
        return None

    def _count_incoming(self, filtering: _Filtering) -> None:
        snapshot = self.handle.snapshot
        if filtering.affinity_terms:
            counts = _pods_matching_all(snapshot, filtering.affinity_terms)
            for term in filtering.affinity_terms:
                filtering.affinity.add_counts(term.topology_key, counts, 1)
        for term in filtering.anti_affinity_terms:
            counts = _pods_matching_all(snapshot, (term,))
            filtering.anti_affinity.add_counts(term.topology_key, counts, 1)

    def add_pod(self, state: CycleState, pod: PodInfo, row: int) -> None:
        self._account(state, pod, row, 1)

    def remove_pod(self, state: CycleState, pod: PodInfo, row: int) -> None:
        self._account(state, pod, row, -1)

    def _account(self, state: CycleState, pod: PodInfo, row: int, sign: int) -> None:
        # upstream: preFilterState.updateWithPod
        filtering, incoming = state.get(_Filtering), state.pod
        for term in pod.required_anti_affinity:
            if term.matches(incoming.namespace, incoming.labels, filtering.namespace_labels):
                filtering.existing.add_row(term.topology_key, row, sign)
        if _matches_all(filtering.affinity_terms, pod.namespace, pod.labels):
            for term in filtering.affinity_terms:
                filtering.affinity.add_row(term.topology_key, row, sign)
        for term in filtering.anti_affinity_terms:
            if term.matches(pod.namespace, pod.labels):
                filtering.anti_affinity.add_row(term.topology_key, row, sign)

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        filtering = state.get(_Filtering)
        codes = zeros(len(rows))
        for key in filtering.existing.keys:
            codes[filtering.existing.on(key, rows) > 0] = _EXISTING
        for term in filtering.anti_affinity_terms:
            codes[filtering.anti_affinity.on(term.topology_key, rows) > 0] = _ANTI_AFFINITY
        if filtering.affinity_terms:
            codes[~self._near_enough(filtering, state.pod, rows)] = _AFFINITY
        return verdicts(codes, _STATUSES)

    def _near_enough(self, filtering: _Filtering, pod: PodInfo, rows: Rows) -> BoolVector:
        """Where the pod's affinity holds, or it would be the first of its kind."""
        # upstream: nodeTopologyMatchesAffinity
        labelled: BoolVector = np.ones(len(rows), np.bool_)
        near: BoolVector = np.ones(len(rows), np.bool_)
        for term in filtering.affinity_terms:
            labelled &= self.handle.snapshot.label(term.topology_key).has(rows)
            near &= filtering.affinity.on(term.topology_key, rows) > 0
        first = not filtering.affinity and _matches_all(
            filtering.affinity_terms, pod.namespace, pod.labels
        )
        return labelled if first else labelled & near

    # What should hold.

    def pre_score(self, state: CycleState, rows: Rows) -> Status | None:
        pod, snapshot = state.pod, self.handle.snapshot
        wants = bool(pod.preferred_affinity or pod.preferred_anti_affinity)
        if self._ignore_existing and not wants:
            return SKIP
        scores = _Topology(snapshot)
        self._add_preferred(scores, pod.preferred_affinity, 1)
        self._add_preferred(scores, pod.preferred_anti_affinity, -1)
        namespace_labels = self._namespace_labels(pod.namespace)

        def add_existing(terms: TermCounts, factor: int) -> None:
            for term, weight, counts in terms.matching(pod, namespace_labels):
                scores.add_rows(term.topology_key, counts, weight * factor)

        if self._hard_weight > 0:
            add_existing(snapshot.index.required_affinity, self._hard_weight)
        add_existing(snapshot.index.preferred_affinity, 1)
        add_existing(snapshot.index.preferred_anti_affinity, -1)
        if not scores:
            return SKIP
        state.put(_Scoring(scores))
        return None

    def _add_preferred(self, scores: _Topology, terms: Iterable[WeightedTerm], sign: int) -> None:
        for weighted in terms:
            term = self._resolved(weighted.term)
            counts = _pods_matching_all(self.handle.snapshot, (term,))
            scores.add_counts(term.topology_key, counts, sign * weighted.weight)

    def score(self, state: CycleState, rows: Rows) -> IntVector:
        scores = state.get(_Scoring).scores
        total = zeros(len(rows))
        for key in scores.keys:
            total += scores.on(key, rows)
        return total

    def normalize(self, state: CycleState, scores: IntVector) -> IntVector:
        lowest, highest = int(scores.min()), int(scores.max())
        if lowest == highest:
            return zeros(len(scores))
        scaled = MAX_NODE_SCORE * ((scores - lowest) / (highest - lowest))
        return scaled.astype(np.int64)

    # What may help.

    def events_to_register(self) -> tuple[EventHint, ...]:
        assigned = Action.ADD | Action.UPDATE_POD_LABEL | Action.DELETE
        node = Action.ADD | Action.UPDATE_NODE_LABEL
        return (
            EventHint(ClusterEvent(Resource.ASSIGNED_POD, assigned), self._after_assigned_pod),
            EventHint(ClusterEvent(Resource.TARGET_POD, Action.UPDATE_POD_LABEL)),
            EventHint(ClusterEvent(Resource.NODE, node), _after_node),
        )

    def _after_assigned_pod(self, pod: Object, old: Object | None, new: Object | None) -> bool:
        for other in (old, new):
            if other is not None and not (is_assigned(other) or nominated_node(other)):
                return False
        affinity, anti_affinity = (
            tuple(self._resolved(term) for term in terms) for terms in _required_of(pod)
        )
        if old is not None and new is not None:
            comes_near = _all_match(affinity, new) and not _all_match(affinity, old)
            goes_away = _any_matches(anti_affinity, old) and not _any_matches(anti_affinity, new)
            return comes_near or goes_away
        if new is not None:
            return _all_match(affinity, new)
        assert old is not None
        if _any_matches(anti_affinity, old):
            return True
        theirs = tuple(self._resolved(term) for term in _required_of(old)[1])
        return _any_matches(theirs, pod)


def _pods_matching_all(snapshot: Snapshot, terms: Terms) -> IntVector:
    """Per row the pods that all terms mean."""

    def counted(pods: PodClass) -> bool:
        return _matches_all(terms, pods.namespace, pods.labels)

    key = frozenset((term.namespaces, term.namespace_selector, term.selector) for term in terms)
    return snapshot.index.tally(("affinity", key), counted)


def _matches_all(terms: Terms, namespace: str, labels: Mapping[str, str]) -> bool:
    return bool(terms) and all(term.matches(namespace, labels) for term in terms)


def _required_of(pod: Object) -> tuple[Terms, Terms]:
    affinity, namespace = pod["spec"].get("affinity"), objects.namespace(pod)
    return (
        required_terms(affinity, "podAffinity", namespace),
        required_terms(affinity, "podAntiAffinity", namespace),
    )


def _all_match(terms: Terms, pod: Object) -> bool:
    return _matches_all(terms, objects.namespace(pod), objects.labels(pod))


def _any_matches(terms: Terms, pod: Object) -> bool:
    namespace, labels = objects.namespace(pod), objects.labels(pod)
    return any(term.matches(namespace, labels) for term in terms)


def _after_node(pod: Object, old: Object | None, new: Object | None) -> bool:
    # upstream: isSchedulableAfterNodeChange
    assert new is not None
    affinity, anti_affinity = _required_of(pod)
    after = objects.labels(new)
    if old is None:
        return bool(anti_affinity) or any(term.topology_key in after for term in affinity)
    before = objects.labels(old)
    for term in affinity:
        value = after.get(term.topology_key)
        if value is not None and value != before.get(term.topology_key):
            return True
    for term in anti_affinity:
        value = before.get(term.topology_key)
        if value is not None and value != after.get(term.topology_key):
            return True
    return False
