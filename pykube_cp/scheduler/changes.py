"""What the change of a pod or a node amounts to, for those who wait for something to change."""

# upstream: pkg/scheduler/framework/events.go

from collections.abc import Iterator

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import Action, ClusterEvent, Resource
from pykube_cp.scheduler.pod_info import is_assigned
from pykube_cp.scheduler.shared.pod_requests import Amounts, pod_requests


def pod_changes(old: Object, new: Object, *, target: bool) -> list[ClusterEvent]:
    """Events that an updated pod stands for; ``target`` if it is itself the one that waits."""
    # upstream: PodSchedulingPropertiesChange
    if is_assigned(new):
        resource = Resource.ASSIGNED_POD
    else:
        resource = Resource.TARGET_POD if target else Resource.UNSCHEDULED_POD
    actions = list(_pod_actions(old, new)) or [Action.UPDATE]
    return [ClusterEvent(resource, action) for action in actions]


def _pod_actions(old: Object, new: Object) -> Iterator[Action]:
    if objects.labels(old) != objects.labels(new):
        yield Action.UPDATE_POD_LABEL
    yield from _scaling(old, new)
    if _gates(old) and not _gates(new):
        yield Action.UPDATE_POD_SCHEDULING_GATES_ELIMINATED
    if len(_tolerations(old)) != len(_tolerations(new)):
        yield Action.UPDATE_POD_TOLERATION
    if _claims(old) != _claims(new):
        yield Action.UPDATE_POD_GENERATED_RESOURCE_CLAIM


def _scaling(old: Object, new: Object) -> Iterator[Action]:
    if _resources_of(old) == _resources_of(new):
        return
    before, after = pod_requests(old, use_status=True), pod_requests(new, use_status=True)
    if _has_less(after, before):
        yield Action.UPDATE_POD_SCALE_DOWN
    if _has_less(before, after):
        yield Action.UPDATE_POD_SCALE_UP


def _has_less(one: Amounts, other: Amounts) -> bool:
    return any(name not in one or one[name] < amount for name, amount in other.items())


def _resources_of(pod: Object) -> tuple[object, ...]:
    """Everything that ``pod_requests`` looks at; compared because most updates leave it alone."""
    spec, status = pod["spec"], pod.get("status") or {}
    return (
        [container.get("resources") for container in spec.get("containers") or ()],
        [container.get("resources") for container in spec.get("initContainers") or ()],
        spec.get("resources"),
        spec.get("overhead"),
        status.get("containerStatuses"),
        status.get("initContainerStatuses"),
        status.get("resources"),
        status.get("allocatedResources"),
        [
            condition.get("reason")
            for condition in status.get("conditions") or ()
            if condition.get("type") == "PodResizePending"
        ],
    )


def _gates(pod: Object) -> list[Object]:
    return pod["spec"].get("schedulingGates") or []


def _tolerations(pod: Object) -> list[Object]:
    return pod["spec"].get("tolerations") or []


def _claims(pod: Object) -> tuple[object, object]:
    status = pod.get("status") or {}
    return status.get("resourceClaimStatuses"), status.get("extendedResourceClaimStatus")


def node_changes(old: Object, new: Object) -> list[ClusterEvent]:
    """Events that an updated node stands for; none if it matters to no pod."""
    # upstream: NodeSchedulingPropertiesChange
    return [ClusterEvent(Resource.NODE, action) for action in _node_actions(old, new)]


def _node_actions(old: Object, new: Object) -> Iterator[Action]:
    before, after = old.get("spec") or {}, new.get("spec") or {}
    if before.get("unschedulable") and not after.get("unschedulable"):
        yield Action.UPDATE_NODE_TAINT
    if _status(old, "allocatable") != _status(new, "allocatable"):
        yield Action.UPDATE_NODE_ALLOCATABLE
    if objects.labels(old) != objects.labels(new):
        yield Action.UPDATE_NODE_LABEL
    if (before.get("taints") or []) != (after.get("taints") or []):
        yield Action.UPDATE_NODE_TAINT
    if _conditions(old) != _conditions(new):
        yield Action.UPDATE_NODE_CONDITION
    if objects.annotations(old) != objects.annotations(new):
        yield Action.UPDATE_NODE_ANNOTATION
    if before.get("podPreemptionPolicy") != after.get("podPreemptionPolicy"):
        yield Action.UPDATE_NODE_PREEMPTION_POLICY
    if (_status(old, "declaredFeatures") or []) != (_status(new, "declaredFeatures") or []):
        yield Action.UPDATE_NODE_DECLARED_FEATURE


def _status(node: Object, field: str) -> object:
    return objects.nested(node, "status", field)


def _conditions(node: Object) -> dict[str, str]:
    conditions: list[Object] = objects.nested(node, "status", "conditions", default=[])
    return {condition["type"]: condition.get("status", "") for condition in conditions}
