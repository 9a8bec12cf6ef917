"""Keeps pods off nodes that are marked unschedulable."""

# upstream: pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go

import numpy as np

from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import Action, ClusterEvent, EventHint, Resource
from pykube_cp.scheduler.interface import (
    CycleState,
    FilterPlugin,
    Verdicts,
    unresolvable,
    verdicts,
)
from pykube_cp.scheduler.shared.tolerations import UNSCHEDULABLE_TAINT, tolerates
from pykube_cp.scheduler.vectors import Rows

_UNSCHEDULABLE = (unresolvable("node(s) were unschedulable"),)


class NodeUnschedulable(FilterPlugin):
    """By ``spec.unschedulable``; tolerating the taint of that name is enough."""

    name = "NodeUnschedulable"

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        unschedulable = self.handle.snapshot.unschedulable[rows]
        if not unschedulable.any() or tolerates(state.pod.tolerations, UNSCHEDULABLE_TAINT):
            return None
        return verdicts(unschedulable.astype(np.int64), _UNSCHEDULABLE)

    def events_to_register(self) -> tuple[EventHint, ...]:
        node = ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_TAINT)
        pod = ClusterEvent(Resource.TARGET_POD, Action.UPDATE_POD_TOLERATION)
        return EventHint(node, _became_schedulable), EventHint(pod, _tolerates_now)


def _is_unschedulable(node: Object) -> bool:
    return bool((node.get("spec") or {}).get("unschedulable"))


def _became_schedulable(_pod: Object, old: Object | None, new: Object | None) -> bool:
    return (
        new is not None and not _is_unschedulable(new) and (old is None or _is_unschedulable(old))
    )


def _tolerates_now(_pod: Object, _old: Object | None, new: Object | None) -> bool:
    return new is not None and tolerates(new["spec"].get("tolerations") or (), UNSCHEDULABLE_TAINT)
