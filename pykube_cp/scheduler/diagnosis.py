"""Why a pod did not fit: per node a status, and the sentence that users read."""

# upstream: pkg/scheduler/framework/types.go Diagnosis, FitError

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from pykube_cp.scheduler.interface import Code, Status, Verdicts
from pykube_cp.scheduler.vectors import NO_ROWS, Rows, as_rows

NO_NODES_AVAILABLE = "no nodes available to schedule pods"
_NOT_TRIED = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE)


@dataclass(slots=True)
class NodeStatuses:
    """Statuses of nodes, many rows to one status; ``absent`` is that of all other nodes."""

    absent: Status = _NOT_TRIED
    _groups: list[tuple[Rows, Status]] = field(default_factory=list)

    def add(self, rows: Rows, status: Status) -> None:
        self._groups.append((rows, status))

    def add_verdicts(self, rows: Rows, verdicts: Verdicts, plugin: str) -> None:
        """One group for each code that is not 0."""
        codes = verdicts.codes
        for code in np.unique(codes).tolist():
            if code:
                self.add(rows[codes == code], verdicts.status(code).by(plugin))

    def set_row(self, row: int, status: Status) -> None:
        self.add(as_rows([row]), status)

    @property
    def statuses(self) -> Iterator[Status]:
        return (status for _, status in self._groups)

    def __len__(self) -> int:
        return sum(len(rows) for rows, _ in self._groups)

    def get(self, row: int) -> Status:
        for rows, status in self._groups:
            if (rows == row).any():
                return status
        return self.absent

    def rows_with(self, code: Code, all_rows: Rows) -> Rows:
        """Nodes whose status has this code."""
        # upstream: pkg/scheduler/framework/interface.go NodeToStatus.NodesForStatusCode
        if self.absent.code is code:
            others = [rows for rows, status in self._groups if status.code is not code]
            return np.setdiff1d(all_rows, np.concatenate([NO_ROWS, *others]))
        found = [rows for rows, status in self._groups if status.code is code]
        return np.sort(np.concatenate([NO_ROWS, *found]))

    def reasons(self, number_of_nodes: int) -> Counter[str]:
        """How many nodes each reason applies to."""
        counts: Counter[str] = Counter()
        for rows, status in self._groups:
            for reason in status.reasons:
                counts[reason] += len(rows)
        left = number_of_nodes - len(self)
        if left > 0:
            for reason in self.absent.reasons:
                counts[reason] += left
        return counts


@dataclass(slots=True)
class Diagnosis:
    """All that is known about a pod that fits nowhere."""

    node_statuses: NodeStatuses = field(default_factory=NodeStatuses)
    unschedulable_plugins: set[str] = field(default_factory=set)
    pending_plugins: set[str] = field(default_factory=set)
    pre_filter_message: str = ""
    post_filter_message: str = ""

    def note(self, status: Status) -> None:
        """Remember which plugin rejected, for the queue."""
        if not status.plugin:
            return
        if status.is_rejected:
            self.unschedulable_plugins.add(status.plugin)
        if status.code is Code.PENDING:
            self.pending_plugins.add(status.plugin)

    def message(self, number_of_nodes: int) -> str:
        """``0/3 nodes are available: 1 Insufficient cpu, 2 ...``, as events and conditions say."""
        # upstream: pkg/scheduler/framework/types.go FitError.Error
        parts = [f"0/{number_of_nodes} nodes are available:"]
        if self.pre_filter_message:
            parts.append(f"{self.pre_filter_message}.")
        else:
            counts = self.node_statuses.reasons(number_of_nodes)
            lines = sorted(f"{number} {reason}" for reason, number in counts.items())
            if lines:
                parts.append(f"{', '.join(lines)}.")
        if self.post_filter_message:
            parts.append(self.post_filter_message)
        return " ".join(parts)


class FitError(Exception):
    """The pod fits on no node."""

    def __init__(self, number_of_nodes: int, diagnosis: Diagnosis) -> None:
        super().__init__()
        self.number_of_nodes = number_of_nodes
        self.diagnosis = diagnosis

    def __str__(self) -> str:
        return self.diagnosis.message(self.number_of_nodes)


class NoNodesError(Exception):
    """There is not a single node."""

    def __init__(self) -> None:
        super().__init__(NO_NODES_AVAILABLE)
