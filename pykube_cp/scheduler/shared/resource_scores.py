"""Scoring nodes by how full they are, by the strategies of NodeResourcesFit."""

# upstream: pkg/scheduler/framework/plugins/noderesources/resource_allocation.go,
# least_allocated.go, most_allocated.go, requested_to_capacity_ratio.go

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.interface import MAX_NODE_SCORE
from pykube_cp.scheduler.shared.pod_requests import (
    CPU,
    DEFAULT_REQUESTS,
    MEMORY,
    in_units,
    is_scalar,
    pod_requests,
)
from pykube_cp.scheduler.shared.scores import broken_line
from pykube_cp.scheduler.snapshot import Snapshot
from pykube_cp.scheduler.vectors import IntVector, Rows, zeros


@dataclass(frozen=True, slots=True)
class ResourceWeight:
    """A resource that counts for the score."""

    name: str
    weight: int = 1


DEFAULT_RESOURCES = (ResourceWeight(CPU), ResourceWeight(MEMORY))


def resource_weights(resources: Sequence[Object] | None) -> tuple[ResourceWeight, ...]:
    """A ``resources`` argument; CPU and memory if there is none."""
    if not resources:
        return DEFAULT_RESOURCES
    return tuple(ResourceWeight(one["name"], one.get("weight") or 1) for one in resources)


@dataclass(frozen=True, slots=True)
class Usage:
    """One resource on some nodes: what they have, what is taken without and with the pod."""

    weight: int
    allocatable: IntVector
    allocated: IntVector
    requested: IntVector


def requests_to_score(
    pod: Object, resources: Sequence[ResourceWeight], *, non_zero: bool
) -> tuple[int, ...]:
    """What the pod requests of each; with ``non_zero`` at least something per container."""
    if non_zero:
        # The scorer of NodeResourcesFit is made without its plugin's features.
        # upstream: pkg/scheduler/framework/plugins/noderesources/fit.go getScorer
        amounts = pod_requests(pod, use_status=False, non_missing=DEFAULT_REQUESTS, pod_level=False)
    else:
        amounts = pod_requests(pod, use_status=True)
    units = in_units(amounts)
    return tuple(units.get(resource.name, 0) for resource in resources)


def usages(
    snapshot: Snapshot,
    rows: Rows,
    resources: Sequence[ResourceWeight],
    requests: Sequence[int],
    *,
    non_zero: bool,
) -> list[Usage]:
    """How full the nodes would be; resources that do not matter to the pod are left out."""
    found = []
    for resource, request in zip(resources, requests, strict=True):
        if not request and is_scalar(resource.name):
            continue
        allocated = snapshot.requested(resource.name)
        if non_zero and resource.name == CPU:
            allocated = snapshot.non_zero_cpu
        elif non_zero and resource.name == MEMORY:
            allocated = snapshot.non_zero_memory
        taken = allocated[rows]
        capacity = snapshot.allocatable(resource.name)[rows]
        found.append(Usage(resource.weight, capacity, taken, taken + request))
    return found


Strategy: TypeAlias = Callable[[Sequence[Usage], int], IntVector]
_Part: TypeAlias = Callable[[IntVector, IntVector], IntVector]


def _weighted_mean(usage: Sequence[Usage], size: int, part: _Part) -> IntVector:
    total, weights = zeros(size), zeros(size)
    for one in usage:
        present = one.allocatable != 0
        capacity = np.where(present, one.allocatable, 1)
        total += np.where(present, part(one.requested, capacity) * one.weight, 0)
        weights += np.where(present, one.weight, 0)
    return np.where(weights > 0, total // np.maximum(weights, 1), 0)


def least_allocated(usage: Sequence[Usage], size: int) -> IntVector:
    """The emptier the better."""

    def part(requested: IntVector, capacity: IntVector) -> IntVector:
        return np.where(
            requested > capacity, 0, (capacity - requested) * MAX_NODE_SCORE // capacity
        )

    return _weighted_mean(usage, size, part)


def most_allocated(usage: Sequence[Usage], size: int) -> IntVector:
    """The fuller the better."""

    def part(requested: IntVector, capacity: IntVector) -> IntVector:
        used: IntVector = np.minimum(requested, capacity) * MAX_NODE_SCORE // capacity
        return used

    return _weighted_mean(usage, size, part)


def requested_to_capacity_ratio(shape: Sequence[Object]) -> Strategy:
    """As good as the point on a given curve."""
    line = broken_line(shape)
    table = np.array([line(utilization) for utilization in range(101)], np.int64)

    def strategy(usage: Sequence[Usage], size: int) -> IntVector:
        total, weights = zeros(size), zeros(size)
        for one in usage:
            capacity = np.maximum(one.allocatable, 1)
            percent = np.minimum(one.requested * 100 // capacity, 100)
            score = np.where(one.allocatable != 0, table[percent], 0)
            counted = np.where(score > 0, one.weight, 0)
            total += score * counted
            weights += counted
        mean = np.floor(total / np.maximum(weights, 1) + 0.5)
        return np.where(weights > 0, mean, 0).astype(np.int64)

    return strategy


def scoring_strategy(argument: Mapping[str, Any]) -> Strategy:
    """The strategy of a ``scoringStrategy`` argument; ``ValueError`` if there is none such."""
    kind = argument.get("type") or "LeastAllocated"
    if kind == "RequestedToCapacityRatio":
        return requested_to_capacity_ratio(argument["requestedToCapacityRatio"]["shape"])
    strategies: dict[str, Strategy] = {
        "LeastAllocated": least_allocated,
        "MostAllocated": most_allocated,
    }
    if kind not in strategies:
        raise ValueError(f"scoring strategy {kind} is not supported")
    return strategies[kind]
