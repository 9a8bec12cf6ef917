"""Keeps pods out of the queue until all their scheduling gates are removed."""

# upstream: pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go

from pykube_cp.scheduler.events import Action, ClusterEvent, EventHint, Resource
from pykube_cp.scheduler.interface import PreEnqueuePlugin, Status, unresolvable
from pykube_cp.scheduler.pod_info import PodInfo


class SchedulingGates(PreEnqueuePlugin):
    """Gates are removed by whoever set them."""

    name = "SchedulingGates"

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        gates = pod.spec.get("schedulingGates")
        if not gates:
            return None
        names = " ".join(gate["name"] for gate in gates)
        return unresolvable(f"waiting for scheduling gates: [{names}]")

    def events_to_register(self) -> tuple[EventHint, ...]:
        action = Action.UPDATE_POD_SCHEDULING_GATES_ELIMINATED
        return (
            EventHint(
                ClusterEvent(Resource.TARGET_POD, action),
                lambda pod, _old, new: new is not None and _uid(pod) == _uid(new),
            ),
        )


def _uid(pod: dict[str, dict[str, str]]) -> str:
    return pod["metadata"]["uid"]
