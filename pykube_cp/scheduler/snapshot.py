"""The state of all nodes, as columns: one vector per property, one element per node.

There is one snapshot, always current: informers change it between scheduling cycles, a cycle has it
to itself. Each node has a *row*, its index in every vector, as long as it or a pod on it is known.
A row may be without node: the node is gone, or not here yet, but pods are bound to it.

Capacities and requests are in milli-cores, bytes or whole units.
"""

# upstream: pkg/scheduler/framework/types.go NodeInfo, pkg/scheduler/backend/cache/cache.go

from collections.abc import Hashable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.labels import LabelColumn, LabelColumns
from pykube_cp.scheduler.memo import ChangeLog, VectorMemo
from pykube_cp.scheduler.node_facts import HostPorts, Images
from pykube_cp.scheduler.pod_index import PodIndex
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.shared.pod_requests import PODS, list_in_units
from pykube_cp.scheduler.vectors import BoolVector, IntVector, Rows, enlarged, zeros

_INITIAL_SIZE = 64
_NO_LABELS: Mapping[str, str] = {}


class Snapshot:
    """Nodes and the pods on them.

    Attributes:
        size: length of every vector; more than there are nodes.
        names, nodes, pods: per row the node's name, the node if there is one, and its pods by uid.
        taint_sets: distinct lists of taints; ``taints`` has the number of each row's.
        node_vectors: memo of what depends on node objects only.
        pod_vectors: memo of what depends on the pods on a node as well.
        nothing: zero everywhere, for resources nobody has; not to be modified.
    """

    def __init__(self, size: int = _INITIAL_SIZE) -> None:
        self.size = size
        self.names = [""] * size
        self.nodes: list[Object | None] = [None] * size
        self.pods: list[dict[str, PodInfo]] = [{} for _ in range(size)]
        self.alive: BoolVector = np.zeros(size, np.bool_)
        self.unschedulable: BoolVector = np.zeros(size, np.bool_)
        self.taints: NDArray[np.int32] = np.zeros(size, np.int32)
        self.taint_sets: list[tuple[Object, ...]] = [()]
        self.pod_count = zeros(size)
        self.non_zero_cpu = zeros(size)
        self.non_zero_memory = zeros(size)
        self.index = PodIndex(size)
        self.images = Images()
        self.host_ports = HostPorts()
        self._allocatable: dict[str, IntVector] = {}
        self._requested: dict[str, IntVector] = {}
        self.nothing: IntVector = zeros(size)
        self._node_labels: list[Mapping[str, str]] = [_NO_LABELS] * size
        self._labels = LabelColumns(self._node_labels, size)
        self._taint_numbers: dict[Hashable, int] = {(): 0}
        self._row_of: dict[str, int] = {}
        self._free = list(reversed(range(size)))
        self._rows: Rows | None = None
        self._node_log = ChangeLog()
        self._pod_log = ChangeLog()
        self.node_vectors = VectorMemo(self._node_log)
        self.pod_vectors = VectorMemo(self._pod_log)

    # Reading.

    @property
    def rows(self) -> Rows:
        """Rows that have a node."""
        if self._rows is None:
            self._rows = np.flatnonzero(self.alive)
        return self._rows

    @property
    def number_of_nodes(self) -> int:
        return len(self.rows)

    def row(self, name: str) -> int | None:
        """The row of a node that exists."""
        row = self._row_of.get(name)
        return row if row is not None and self.alive[row] else None

    def node(self, row: int) -> Object:
        """The node on a row that has one."""
        node = self.nodes[row]
        assert node is not None
        return node

    def label(self, key: str) -> LabelColumn:
        return self._labels.column(key)

    def node_labels(self, row: int) -> Mapping[str, str]:
        return self._node_labels[row]

    def allocatable(self, resource: str) -> IntVector:
        return self._allocatable.get(resource, self.nothing)

    def requested(self, resource: str) -> IntVector:
        return self._requested.get(resource, self.nothing)

    def all_pods(self) -> Iterator[PodInfo]:
        for pods in self.pods:
            yield from pods.values()

    # Nodes.

    def set_node(self, node: Object) -> None:
        """Add a node, or take over a change of it."""
        name = objects.name(node)
        row = self._row_of.get(name)
        if row is None:
            row = self._new_row(name)
        known = self.nodes[row]
        self.nodes[row] = node
        if known is not None and not _differs(known, node):
            return
        if known is None:
            self.alive[row] = True
            self._rows = None
        self._fill(row, node)
        self._changed_node(row)

    def _fill(self, row: int, node: Object) -> None:
        spec = node.get("spec") or {}
        self._set_allocatable(row, objects.nested(node, "status", "allocatable", default={}))
        self.unschedulable[row] = bool(spec.get("unschedulable"))
        self.taints[row] = self._taint_number(spec.get("taints") or ())
        self._set_labels(row, objects.labels(node))
        self.images.set(row, objects.nested(node, "status", "images", default=()))

    def remove_node(self, name: str) -> None:
        """Forget a node; its pods stay until they are removed themselves."""
        row = self.row(name)
        if row is None:
            return
        self.nodes[row] = None
        self.alive[row] = False
        self._rows = None
        self._set_allocatable(row, {})
        self.unschedulable[row] = False
        self.taints[row] = 0
        self._set_labels(row, _NO_LABELS)
        self.images.set(row, ())
        self._changed_node(row)
        self._free_if_unused(row)

    def _set_allocatable(self, row: int, resources: Mapping[str, Any]) -> None:
        amounts = list_in_units(resources)
        for name in amounts:
            if name not in self._allocatable:
                self._allocatable[name] = zeros(self.size)
        for name, column in self._allocatable.items():
            column[row] = amounts.get(name, 0)

    def _taint_number(self, taints: Any) -> int:
        key = tuple((t.get("key"), t.get("value"), t.get("effect")) for t in taints)
        number = self._taint_numbers.get(key)
        if number is None:
            number = self._taint_numbers[key] = len(self.taint_sets)
            self.taint_sets.append(tuple(taints))
        return number

    def _set_labels(self, row: int, labels: Mapping[str, str]) -> None:
        self._node_labels[row] = labels
        self._labels.set(row, labels)

    # Pods.

    def add_pod(self, pod: PodInfo) -> None:
        """Account for a pod that is bound, or assumed to be."""
        row = self._row_of.get(pod.node_name)
        if row is None:
            row = self._new_row(pod.node_name)
        self.put(pod, row)
        self.index.add(pod, row)

    def remove_pod(self, pod: PodInfo) -> None:
        """Undo ``add_pod``."""
        row = self._row_of[pod.node_name]
        self.take(pod, row)
        self.index.remove(pod, row)
        self._free_if_unused(row)

    def put(self, pod: PodInfo, row: int) -> None:
        """As if ``pod`` ran on ``row``; ``take`` must undo it before the cycle ends."""
        self.pods[row][pod.uid] = pod
        self._account(pod, row, 1)
        self.host_ports.add(pod.host_ports, row)

    def take(self, pod: PodInfo, row: int) -> None:
        """As if ``pod`` did not run on ``row``; ``put`` undoes it."""
        del self.pods[row][pod.uid]
        self._account(pod, row, -1)
        self.host_ports.remove(pod.host_ports, row)

    def _account(self, pod: PodInfo, row: int, sign: int) -> None:
        self.pod_count[row] += sign
        self.non_zero_cpu[row] += sign * pod.non_zero_cpu
        self.non_zero_memory[row] += sign * pod.non_zero_memory
        for name, amount in pod.requests.items():
            column = self._requested.get(name)
            if column is None:
                column = self._requested[name] = zeros(self.size)
            column[row] += sign * amount
        self._pod_log.add(row)

    # Rows.

    def _new_row(self, name: str) -> int:
        if not self._free:
            self._enlarge(2 * self.size)
        row = self._row_of[name] = self._free.pop()
        self.names[row] = name
        return row

    def _free_if_unused(self, row: int) -> None:
        if self.nodes[row] is None and not self.pods[row]:
            del self._row_of[self.names[row]]
            self.names[row] = ""
            self._free.append(row)

    def _enlarge(self, size: int) -> None:
        more = size - self.size
        self._free = list(reversed(range(self.size, size)))
        self.size = size
        self.names.extend([""] * more)
        self.nodes.extend([None] * more)
        self.pods.extend({} for _ in range(more))
        self._node_labels.extend([_NO_LABELS] * more)
        for name in _COLUMNS:
            setattr(self, name, enlarged(getattr(self, name), size))
        for columns in (self._allocatable, self._requested):
            for resource, column in columns.items():
                columns[resource] = enlarged(column, size)
        self._labels.enlarge(size)
        self.index.enlarge(size)

    def _changed_node(self, row: int) -> None:
        self._node_log.add(row)
        self._pod_log.add(row)

    # Shorthands for plugins.

    def allowed_pods(self) -> IntVector:
        return self.allocatable(PODS)


_COLUMNS = (
    "alive",
    "unschedulable",
    "taints",
    "pod_count",
    "non_zero_cpu",
    "non_zero_memory",
    "nothing",
)
_RELEVANT = (
    ("metadata", "labels"),
    ("spec", "unschedulable"),
    ("spec", "taints"),
    ("status", "allocatable"),
    ("status", "images"),
    ("status", "declaredFeatures"),
)


def _differs(old: Object, new: Object) -> bool:
    """Whether anything changed that a column holds."""
    return any(objects.nested(old, *path) != objects.nested(new, *path) for path in _RELEVANT)
