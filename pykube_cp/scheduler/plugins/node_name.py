"""A pod that names its node may only go there."""

# upstream: pkg/scheduler/framework/plugins/nodename/node_name.go

import numpy as np

from pykube_cp.scheduler.events import NODE_ADD, EventHint
from pykube_cp.scheduler.interface import (
    SKIP,
    CycleState,
    FilterPlugin,
    PreFilterPlugin,
    Status,
    Verdicts,
    unresolvable,
    verdicts,
)
from pykube_cp.scheduler.vectors import Rows

_OTHER_NODE = (unresolvable("node(s) didn't match the requested node name"),)


class NodeName(PreFilterPlugin, FilterPlugin):
    """By ``spec.nodeName``."""

    name = "NodeName"

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        return {state.pod.node_name} if state.pod.node_name else SKIP

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        row = self.handle.snapshot.row(state.pod.node_name)
        return verdicts((rows != (-1 if row is None else row)).astype(np.int64), _OTHER_NODE)

    def events_to_register(self) -> tuple[EventHint, ...]:
        return (EventHint(NODE_ADD),)
