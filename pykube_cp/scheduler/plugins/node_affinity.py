"""Node selectors and node affinity, required and preferred."""

# upstream: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go

import numpy as np

from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import Action, ClusterEvent, EventHint, Resource
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.interface import (
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
    verdicts,
)
from pykube_cp.scheduler.shared.node_affinity import (
    node_selector,
    preference_vector,
    preferred_terms,
    required_affinity,
    required_terms,
)
from pykube_cp.scheduler.shared.scores import scaled_to_best
from pykube_cp.scheduler.vectors import IntVector, Rows, zeros

_STATUSES = (
    unresolvable("node(s) didn't match Pod's node affinity/selector"),
    unresolvable("node(s) didn't match scheduler-enforced node affinity"),
)
_CONFLICT = unresolvable("pod affinity terms conflict")


class NodeAffinity(PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin):
    """Also enforces the ``addedAffinity`` argument, on all pods of the profile."""

    name = "NodeAffinity"

    def __init__(self, handle: Handle, arguments: Arguments) -> None:
        super().__init__(handle, arguments)
        added = arguments.get("addedAffinity") or {}
        required = added.get("requiredDuringSchedulingIgnoredDuringExecution")
        self._added_selector = None if required is None else node_selector(required)
        self._added_preferred: list[Object] = (
            added.get("preferredDuringSchedulingIgnoredDuringExecution") or []
        )

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        pod = state.pod.pod
        if required_affinity(pod) is None and self._added_selector is None:
            return SKIP
        names = _named_nodes(required_terms(pod))
        return _CONFLICT if names is not None and not names else names

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        snapshot = self.handle.snapshot
        required = required_affinity(state.pod.pod)
        codes = zeros(len(rows))
        if required is not None:
            codes[~required.vector(snapshot)[rows]] = 1
        if self._added_selector is not None:
            codes[~self._added_selector.matches(snapshot, rows)] = 2
        return verdicts(codes, _STATUSES)

    def pre_score(self, state: CycleState, rows: Rows) -> Status | None:
        return None if preferred_terms(state.pod.pod) or self._added_preferred else SKIP

    def score(self, state: CycleState, rows: Rows) -> IntVector:
        snapshot = self.handle.snapshot
        scores: IntVector = preference_vector(snapshot, preferred_terms(state.pod.pod))[rows]
        if self._added_preferred:
            scores = scores + preference_vector(snapshot, self._added_preferred)[rows]
        return np.asarray(scores)

    def normalize(self, state: CycleState, scores: IntVector) -> IntVector:
        return scaled_to_best(scores, reverse=False)

    def events_to_register(self) -> tuple[EventHint, ...]:
        event = ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL)
        return (EventHint(event, self._matches_now),)

    def _matches_now(self, pod: Object, old: Object | None, new: Object | None) -> bool:
        assert new is not None
        labels = new["metadata"].get("labels") or {}
        if self._added_selector is not None and not self._added_selector.matches_labels(
            labels, new["metadata"]["name"]
        ):
            return False
        required = required_affinity(pod)
        if required is None:
            return old is None
        return required.matches_node(new) and (old is None or not required.matches_node(old))


def _named_nodes(terms: list[Object]) -> set[str] | None:
    """Names of the only nodes that can match, if every term says some."""
    if not terms:
        return None
    names: set[str] = set()
    for term in terms:
        wanted = [
            set(field.get("values") or ())
            for field in term.get("matchFields") or ()
            if field["key"] == "metadata.name" and field.get("operator") == "In"
        ]
        if not wanted:
            return None
        names |= set.intersection(*wanted)
    return names
