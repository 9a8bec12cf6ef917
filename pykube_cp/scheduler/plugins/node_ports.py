"""Keeps pods off nodes where their host ports are taken."""

# upstream: pkg/scheduler/framework/plugins/nodeports/node_ports.go

import numpy as np

from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import ASSIGNED_POD_DELETE, NODE_ADD, EventHint
from pykube_cp.scheduler.interface import (
    SKIP,
    CycleState,
    FilterPlugin,
    PreFilterPlugin,
    Status,
    Verdicts,
    unschedulable,
    verdicts,
)
from pykube_cp.scheduler.node_facts import conflict
from pykube_cp.scheduler.pod_info import host_ports, is_assigned, nominated_node
from pykube_cp.scheduler.vectors import Rows

_TAKEN = (unschedulable("node(s) didn't have free ports for the requested pod ports"),)


class NodePorts(PreFilterPlugin, FilterPlugin):
    """By ``hostPort``, ``hostIP`` and ``protocol``."""

    name = "NodePorts"

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        return None if state.pod.host_ports else SKIP

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        taken = self.handle.snapshot.host_ports.conflicts(state.pod.host_ports)
        return verdicts(np.isin(rows, taken).astype(np.int64), _TAKEN)

    def events_to_register(self) -> tuple[EventHint, ...]:
        return EventHint(ASSIGNED_POD_DELETE, _frees_ports), EventHint(NODE_ADD)


def _frees_ports(pod: Object, old: Object | None, _new: Object | None) -> bool:
    if old is None or not (is_assigned(old) or nominated_node(old)):
        return False
    return conflict(host_ports(pod), host_ports(old))
