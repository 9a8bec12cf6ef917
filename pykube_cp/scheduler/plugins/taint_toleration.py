"""Keeps pods off nodes with taints they do not tolerate, and away from those with milder ones."""

# upstream: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import Action, ClusterEvent, EventHint, Resource
from pykube_cp.scheduler.interface import (
    CycleState,
    FilterPlugin,
    PreScorePlugin,
    ScorePlugin,
    Status,
    Verdicts,
    unresolvable,
    verdicts,
)
from pykube_cp.scheduler.shared.scores import scaled_to_best
from pykube_cp.scheduler.shared.tolerations import tolerates, untolerated
from pykube_cp.scheduler.vectors import IntVector, Rows

_UNTOLERATED = (unresolvable("node(s) had untolerated taint(s)"),)


@dataclass(frozen=True, slots=True)
class _Tolerated:
    """The pod's tolerations that concern taints by preference."""

    tolerations: list[Object]


class TaintToleration(FilterPlugin, PreScorePlugin, ScorePlugin):
    """Nodes have few different lists of taints: each is judged once, then looked up per node."""

    name = "TaintToleration"

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        tolerations = state.pod.tolerations
        return verdicts(
            self._per_node(rows, lambda taints: untolerated(taints, tolerations) is not None),
            _UNTOLERATED,
        )

    def _per_node(self, rows: Rows, judge: Callable[[tuple[Object, ...]], int]) -> IntVector:
        snapshot = self.handle.snapshot
        table = np.array([judge(taints) for taints in snapshot.taint_sets], np.int64)
        judged: IntVector = table[snapshot.taints[rows]]
        return judged

    def pre_score(self, state: CycleState, rows: Rows) -> Status | None:
        state.put(
            _Tolerated(
                [
                    toleration
                    for toleration in state.pod.tolerations
                    if (toleration.get("effect") or "PreferNoSchedule") == "PreferNoSchedule"
                ]
            )
        )
        return None

    def score(self, state: CycleState, rows: Rows) -> IntVector:
        tolerations = state.get(_Tolerated).tolerations
        return self._per_node(rows, lambda taints: _intolerable(taints, tolerations))

    def normalize(self, state: CycleState, scores: IntVector) -> IntVector:
        return scaled_to_best(scores, reverse=True)

    def events_to_register(self) -> tuple[EventHint, ...]:
        node = ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_TAINT)
        pod = ClusterEvent(Resource.TARGET_POD, Action.UPDATE_POD_TOLERATION)
        return EventHint(node, _tolerates_node_now), EventHint(pod, _is_same_pod)


def _intolerable(taints: tuple[Object, ...], tolerations: list[Object]) -> int:
    return sum(
        taint.get("effect") == "PreferNoSchedule" and not tolerates(tolerations, taint)
        for taint in taints
    )


def _is_repelled(pod: Object, node: Object) -> bool:
    taints = objects.nested(node, "spec", "taints", default=())
    return untolerated(taints, pod["spec"].get("tolerations") or ()) is not None


def _tolerates_node_now(pod: Object, old: Object | None, new: Object | None) -> bool:
    was_repelled = old is None or _is_repelled(pod, old)
    return new is not None and was_repelled and not _is_repelled(pod, new)


def _is_same_pod(pod: Object, _old: Object | None, new: Object | None) -> bool:
    return new is not None and objects.uid(pod) == objects.uid(new)
