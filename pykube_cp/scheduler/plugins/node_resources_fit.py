"""Nodes must have what the pod requests, and emptier ones are better."""

# upstream: pkg/scheduler/framework/plugins/noderesources/fit.go

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import ASSIGNED_POD_DELETE, Action, ClusterEvent, EventHint
from pykube_cp.scheduler.events import Resource as Kind
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.interface import (
    Arguments,
    Code,
    CycleState,
    FilterPlugin,
    PreFilterPlugin,
    PreScorePlugin,
    ScorePlugin,
    Status,
    Verdicts,
)
from pykube_cp.scheduler.pod_info import PodInfo, is_assigned, nominated_node
from pykube_cp.scheduler.shared.pod_requests import (
    PODS,
    Amounts,
    in_units,
    is_extended,
    list_in_units,
    pod_requests,
)
from pykube_cp.scheduler.shared.resource_scores import (
    requests_to_score,
    resource_weights,
    scoring_strategy,
    usages,
)
from pykube_cp.scheduler.vectors import IntVector, Rows

_STATUS_FIELDS = ("containerStatuses", "initContainerStatuses", "resources", "allocatedResources")
_TOO_MANY_PODS = 1
_UNRESOLVABLE = 1 << 62
Requests = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the pod requests, also as key of what is computed from it."""

    requests: Requests


@dataclass(frozen=True, slots=True)
class _ToScore:
    requests: tuple[int, ...]


class NodeResourcesFit(PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin):
    """A verdict is a set of bits: one per resource that is short, one if that will always be so."""

    name = "NodeResourcesFit"

    def __init__(self, handle: Handle, arguments: Arguments) -> None:
        super().__init__(handle, arguments)
        self._ignored = frozenset(arguments.get("ignoredResources") or ())
        self._ignored_groups = frozenset(arguments.get("ignoredResourceGroups") or ())
        strategy = arguments.get("scoringStrategy") or {}
        self._resources = resource_weights(strategy.get("resources"))
        self._strategy = scoring_strategy(strategy)

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        state.put(_Wanted(tuple(sorted(_requests(state.pod).items()))))
        return None

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        snapshot, requests = self.handle.snapshot, state.get(_Wanted).requests
        if len(rows) == 1:
            codes = self._codes(requests, rows)
        else:
            codes = snapshot.pod_vectors.get(
                (self.name, requests), snapshot.size, lambda rows: self._codes(requests, rows)
            )[rows]
        if not codes.any():
            return None
        return Verdicts(codes, _explain(requests))

    def _codes(self, requests: Requests, rows: Rows) -> IntVector:
        # upstream: fitsRequest
        snapshot = self.handle.snapshot
        codes = (snapshot.pod_count[rows] >= snapshot.allowed_pods()[rows]).astype(np.int64)
        for place, (name, amount) in enumerate(requests, 1):
            if not amount or self._is_ignored(name):
                continue
            allocatable = snapshot.allocatable(name)[rows]
            short = amount > allocatable - snapshot.requested(name)[rows]
            if short.any():
                codes[short] |= 1 << place
                codes[short & (amount > allocatable)] |= _UNRESOLVABLE
        return codes

    def _is_ignored(self, name: str) -> bool:
        return is_extended(name) and (
            name in self._ignored or name.partition("/")[0] in self._ignored_groups
        )

    def pre_score(self, state: CycleState, rows: Rows) -> Status | None:
        requests = requests_to_score(state.pod.pod, self._resources, non_zero=True)
        state.put(_ToScore(requests))
        return None

    def score(self, state: CycleState, rows: Rows) -> IntVector:
        snapshot, requests = self.handle.snapshot, state.get(_ToScore).requests

        def scores(rows: Rows) -> IntVector:
            usage = usages(snapshot, rows, self._resources, requests, non_zero=True)
            return self._strategy(usage, len(rows))

        # The plugin is part of the key because profiles may score differently.
        key = (self.name, "score", id(self), requests)
        scored: IntVector = snapshot.pod_vectors.get(key, snapshot.size, scores)[rows]
        return scored

    def events_to_register(self) -> tuple[EventHint, ...]:
        node = ClusterEvent(Kind.NODE, Action.ADD | Action.UPDATE_NODE_ALLOCATABLE)
        assigned = ClusterEvent(Kind.ASSIGNED_POD, Action.UPDATE_POD_SCALE_DOWN)
        target = ClusterEvent(Kind.TARGET_POD, Action.UPDATE_POD_SCALE_DOWN)
        return (
            EventHint(ASSIGNED_POD_DELETE, _left_a_node),
            EventHint(node, _has_room_now),
            EventHint(assigned, _shrank),
            EventHint(target),
        )


def _requests(pod: PodInfo) -> Amounts:
    """By the spec alone: what nodes have granted to the pod does not matter before it has one."""
    status = pod.pod.get("status") or {}
    if not any(status.get(name) for name in _STATUS_FIELDS):
        return pod.requests
    return in_units(pod_requests(pod.pod, use_status=False))


def _explain(requests: Requests) -> Callable[[int], Status]:
    def status(code: int) -> Status:
        reasons = ["Too many pods"] if code & _TOO_MANY_PODS else []
        for place, (name, _) in enumerate(requests, 1):
            if code >> place & 1:
                reasons.append(f"Insufficient {name}")
        resolvable = not code & _UNRESOLVABLE
        return Status(
            Code.UNSCHEDULABLE if resolvable else Code.UNSCHEDULABLE_AND_UNRESOLVABLE,
            tuple(reasons),
        )

    return status


def _left_a_node(_pod: Object, old: Object | None, _new: Object | None) -> bool:
    return old is not None and bool(is_assigned(old) or nominated_node(old))


def _allocatable(node: Object) -> Amounts:
    return list_in_units(objects.nested(node, "status", "allocatable", default={}))


def _has_room_now(pod: Object, old: Object | None, new: Object | None) -> bool:
    """Whether the empty node would do, and has more than before of something the pod wants."""
    # upstream: isSchedulableAfterNodeChange, haveAnyRequestedResourcesIncreased
    assert new is not None
    wanted = in_units(pod_requests(pod, use_status=False))
    after = _allocatable(new)
    fits = after.get(PODS, 0) >= 1 and all(
        amount <= after.get(name, 0) for name, amount in wanted.items() if amount
    )
    if not fits or old is None:
        return fits
    before = _allocatable(old)
    return any(
        after.get(name, 0) > before.get(name, 0)
        for name in (PODS, *(name for name, amount in wanted.items() if amount))
    )


def _shrank(pod: Object, old: Object | None, new: Object | None) -> bool:
    """Whether a running pod now requests less of something that this pod wants."""
    # upstream: haveEnoughRelevantResourcesDecreased
    if old is None or new is None or not is_assigned(new):
        return False
    before = in_units(pod_requests(old, use_status=True))
    after = in_units(pod_requests(new, use_status=True))
    wanted = in_units(pod_requests(pod, use_status=True))
    return any(
        amount and before.get(name, 0) > after.get(name, 0) for name, amount in wanted.items()
    )
