"""Writing conditions and the nominated node into the status of pods."""

# upstream: pkg/scheduler/util/utils.go PatchPodStatus, pkg/api/v1/pod/util.go UpdatePodCondition

from pykube_cp.client.interface import Client, PatchType
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.interface import NominatingInfo
from pykube_cp.scheduler.kinds import PODS
from pykube_cp.scheduler.pod_info import nominated_node
from pykube_cp.scheduler.shared.retry import with_retries


def pod_condition(pod: Object, kind: str, status: str, reason: str, message: str) -> Object | None:
    """The condition with the times it is to have; None if the pod has it already."""
    conditions: list[Object] = objects.nested(pod, "status", "conditions", default=[])
    known: Object = next((one for one in conditions if one.get("type") == kind), {})
    condition: Object = {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": clock.timestamp(),
    }
    generation = objects.metadata(pod).get("generation")
    if generation:
        condition["observedGeneration"] = generation
    if known.get("status") == status:
        condition["lastTransitionTime"] = known.get("lastTransitionTime")
        if (known.get("reason"), known.get("message")) == (reason, message):
            return None
    return condition


async def patch_pod_status(
    client: Client,
    pod: Object,
    condition: Object | None = None,
    nomination: NominatingInfo | None = None,
) -> None:
    """Set a condition and, with ``nomination``, the nominated node, unless all is so already."""
    status: Object = {}
    if nomination is not None and nomination.node_name != nominated_node(pod):
        status["nominatedNodeName"] = nomination.node_name or None
    if condition is not None:
        status["conditions"] = [condition]
    if not status:
        return
    await with_retries(
        lambda: client.patch(
            PODS,
            objects.name(pod),
            {"status": status},
            PatchType.STRATEGIC,
            objects.namespace(pod),
            subresource="status",
        ),
        on_conflict=True,
    )
