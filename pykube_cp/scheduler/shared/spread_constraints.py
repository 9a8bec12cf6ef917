"""Topology spread constraints, compiled, with the defaults for pods that have none."""

# upstream: pkg/scheduler/framework/plugins/podtopologyspread/common.go

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.kinds import (
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    SERVICES,
    STATEFUL_SETS,
)
from pykube_cp.scheduler.pod_index import PodClass
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.shared.affinity_terms import (
    LabelsMatch,
    canonical,
    is_empty_selector,
    label_match,
)
from pykube_cp.scheduler.shared.node_affinity import required_affinity
from pykube_cp.scheduler.shared.tolerations import untolerated
from pykube_cp.scheduler.snapshot import Snapshot
from pykube_cp.scheduler.vectors import BoolVector, IntVector, Rows

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
DO_NOT_SCHEDULE, SCHEDULE_ANYWAY = "DoNotSchedule", "ScheduleAnyway"
# upstream: pkg/scheduler/framework/plugins/podtopologyspread/plugin.go systemDefaultConstraints
SYSTEM_DEFAULTS: tuple[Object, ...] = (
    {"topologyKey": HOSTNAME, "whenUnsatisfiable": SCHEDULE_ANYWAY, "maxSkew": 3},
    {"topologyKey": ZONE, "whenUnsatisfiable": SCHEDULE_ANYWAY, "maxSkew": 5},
)


@dataclass(frozen=True, slots=True)
class PodSelection:
    """Which pods count: labels that must be there, and a label selector besides."""

    labels: tuple[tuple[str, str], ...]
    selector: bytes
    is_empty: bool
    match_selector: LabelsMatch

    def matches(self, labels: Mapping[str, str]) -> bool:
        return all(labels.get(name) == value for name, value in self.labels) and (
            self.match_selector(labels)
        )

    def counts(self, snapshot: Snapshot, namespace: str) -> IntVector:
        """Matching pods per row, but none for a selector that asks for nothing."""
        # upstream: countPodsMatchSelector
        if self.is_empty:
            return snapshot.nothing

        def counted(pods: PodClass) -> bool:
            return (
                pods.namespace == namespace and not pods.terminating and self.matches(pods.labels)
            )

        return snapshot.index.tally(("spread", namespace, self.labels, self.selector), counted)


def _selection(labels: Mapping[str, str], selector: Object | None) -> PodSelection:
    return PodSelection(
        tuple(sorted(labels.items())),
        canonical(selector),
        not labels and is_empty_selector(selector),
        label_match(selector),
    )


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint of a pod."""

    topology_key: str
    max_skew: int
    min_domains: int
    honor_affinity: bool
    honor_taints: bool
    selection: PodSelection


def parse_constraints(
    constraints: Iterable[Object], action: str, labels: Mapping[str, str]
) -> list[Constraint]:
    """Those constraints that have this ``whenUnsatisfiable``, for a pod with these labels."""
    return [
        _constraint(one, labels) for one in constraints if one.get("whenUnsatisfiable") == action
    ]


def _constraint(constraint: Object, labels: Mapping[str, str]) -> Constraint:
    keys = constraint.get("matchLabelKeys") or ()
    selector = constraint.get("labelSelector")
    own = {key: labels[key] for key in keys if key in labels} if selector is not None else {}
    return _with_selection(constraint, _selection(own, selector))


def _with_selection(constraint: Object, selection: PodSelection) -> Constraint:
    return Constraint(
        constraint["topologyKey"],
        constraint["maxSkew"],
        constraint.get("minDomains") or 1,
        (constraint.get("nodeAffinityPolicy") or "Honor") == "Honor",
        constraint.get("nodeTaintsPolicy") == "Honor",
        selection,
    )


def default_constraints(
    handle: Handle, pod: PodInfo, defaults: Sequence[Object], action: str
) -> list[Constraint]:
    """Defaults for a pod without constraints: they spread the pods of its Service or owner."""
    chosen = [one for one in defaults if one.get("whenUnsatisfiable") == action]
    if not chosen:
        return []
    selection = _default_selection(handle, pod)
    if selection.is_empty:
        return []
    return [_with_selection(one, selection) for one in chosen]


def _default_selection(handle: Handle, pod: PodInfo) -> PodSelection:
    # upstream: pkg/scheduler/framework/plugins/helper/spread.go DefaultSelector
    labels: dict[str, str] = {}
    for service in handle.list(SERVICES, pod.namespace):
        selector = objects.nested(service, "spec", "selector")
        if selector is not None and selector.items() <= pod.labels.items():
            labels.update(selector)
    owner = objects.controller_of(pod.pod)
    kind = (owner["apiVersion"], owner["kind"]) if owner is not None else ("", "")
    if owner is not None and kind == ("v1", "ReplicationController"):
        controller = handle.get(REPLICATION_CONTROLLERS, owner["name"], pod.namespace)
        labels.update(objects.nested(controller, "spec", "selector", default={}))
    elif owner is not None and kind in _OWNERS:
        found = handle.get(_OWNERS[kind], owner["name"], pod.namespace)
        if found is not None:
            return _selection(labels, found["spec"].get("selector"))
    return _selection(labels, {})


_OWNERS = {("apps/v1", "ReplicaSet"): REPLICA_SETS, ("apps/v1", "StatefulSet"): STATEFUL_SETS}


def included(snapshot: Snapshot, pod: PodInfo, constraint: Constraint, rows: Rows) -> BoolVector:
    """Nodes that take part in the constraint by its inclusion policies."""
    # upstream: topologySpreadConstraint.matchNodeInclusionPolicies
    matched: BoolVector = np.ones(len(rows), np.bool_)
    if constraint.honor_affinity:
        required = required_affinity(pod.pod)
        if required is not None:
            matched &= required.vector(snapshot)[rows]
    if constraint.honor_taints:
        tolerations = pod.tolerations
        table = [untolerated(taints, tolerations) is None for taints in snapshot.taint_sets]
        matched &= np.array(table)[snapshot.taints[rows]]
    return matched


def with_all_keys(snapshot: Snapshot, constraints: Iterable[Constraint], rows: Rows) -> BoolVector:
    """Nodes that have the labels of all constraints."""
    matched: BoolVector = np.ones(len(rows), np.bool_)
    for constraint in constraints:
        matched &= snapshot.label(constraint.topology_key).has(rows)
    return matched


def sums_by_value(
    snapshot: Snapshot, constraint: Constraint, counts: IntVector, rows: Rows
) -> IntVector:
    """Pods on ``rows`` per value of the topology key; the last element is for no value, and 0."""
    column = snapshot.label(constraint.topology_key)
    size = len(column) + 1
    summed = np.bincount(column.ids[rows] % size, weights=counts[rows], minlength=size)
    return summed.astype(np.int64)
