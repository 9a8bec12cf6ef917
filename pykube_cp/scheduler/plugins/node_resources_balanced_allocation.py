"""Prefers nodes whose resources would be used up evenly."""

# upstream: pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.interface import (
    MAX_NODE_SCORE,
    SKIP,
    Arguments,
    CycleState,
    PreScorePlugin,
    ScorePlugin,
    Status,
)
from pykube_cp.scheduler.shared.resource_scores import (
    Usage,
    requests_to_score,
    resource_weights,
    usages,
)
from pykube_cp.scheduler.vectors import FloatVector, IntVector, Rows

_HALF = MAX_NODE_SCORE // 2


@dataclass(frozen=True, slots=True)
class _Requests:
    requests: tuple[int, ...]


class NodeResourcesBalancedAllocation(PreScorePlugin, ScorePlugin):
    """Compares the balance with the pod to the balance without it."""

    name = "NodeResourcesBalancedAllocation"

    def __init__(self, handle: Handle, arguments: Arguments) -> None:
        super().__init__(handle, arguments)
        self._resources = resource_weights(arguments.get("resources"))

    def pre_score(self, state: CycleState, rows: Rows) -> Status | None:
        requests = requests_to_score(state.pod.pod, self._resources, non_zero=False)
        if not any(requests):
            return SKIP
        state.put(_Requests(requests))
        return None

    def score(self, state: CycleState, rows: Rows) -> IntVector:
        snapshot, requests = self.handle.snapshot, state.get(_Requests).requests

        def scores(rows: Rows) -> IntVector:
            usage = usages(snapshot, rows, self._resources, requests, non_zero=False)
            after = _balance([(one.requested, one) for one in usage], len(rows))
            before = _balance([(one.allocated, one) for one in usage], len(rows))
            # Halved towards zero, as Go divides.
            gain = np.fix((_HALF + after - before) / 2).astype(np.int64)
            return _HALF + gain

        key = (self.name, id(self), requests)
        scored: IntVector = snapshot.pod_vectors.get(key, snapshot.size, scores)[rows]
        return scored


def _balance(used: Sequence[tuple[IntVector, Usage]], size: int) -> IntVector:
    """100 if all resources are used to the same share, less the more the shares differ."""
    shares = np.zeros((len(used), size))
    present = np.zeros((len(used), size), np.bool_)
    for place, (amounts, usage) in enumerate(used):
        present[place] = usage.allocatable != 0
        shares[place] = np.minimum(amounts / np.maximum(usage.allocatable, 1), 1.0)
    shares[~present] = 0.0
    return ((1 - _deviation(shares, present)) * MAX_NODE_SCORE).astype(np.int64)


def _deviation(
    shares: FloatVector, present: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
) -> FloatVector:
    """The standard deviation of the shares that are there, per node."""
    number = present.sum(axis=0)
    if len(shares) == 2:
        both: FloatVector = np.where(number == 2, np.abs(shares[0] - shares[1]) / 2, 0.0)
        return both
    counted = np.maximum(number, 1)
    mean = shares.sum(axis=0) / counted
    squares = (np.where(present, shares - mean, 0.0) ** 2).sum(axis=0)
    deviation: FloatVector = np.sqrt(squares / counted)
    return deviation
