"""What may happen in a cluster that makes a rejected pod schedulable after all.

A plugin registers the events that may change its mind; the queue moves a pod only on events that
one of the plugins that rejected it cares about.
"""

# upstream: kube-scheduler framework/types.go ActionType, EventResource, ClusterEvent

from collections.abc import Callable, Iterable
from enum import IntFlag, StrEnum
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from pykube_cp.machinery.objects import Object


class Action(IntFlag):
    """What was done to an object; the order of the bits is upstream's."""

    NONE = 0
    ADD = 1 << 0
    DELETE = 1 << 1
    UPDATE_NODE_ALLOCATABLE = 1 << 2
    UPDATE_NODE_LABEL = 1 << 3
    UPDATE_NODE_TAINT = 1 << 4
    UPDATE_NODE_CONDITION = 1 << 5
    UPDATE_NODE_ANNOTATION = 1 << 6
    UPDATE_NODE_DECLARED_FEATURE = 1 << 7
    UPDATE_NODE_PREEMPTION_POLICY = 1 << 8
    UPDATE_POD_LABEL = 1 << 9
    UPDATE_POD_SCALE_DOWN = 1 << 10
    UPDATE_POD_SCALE_UP = 1 << 11
    UPDATE_POD_TOLERATION = 1 << 12
    UPDATE_POD_SCHEDULING_GATES_ELIMINATED = 1 << 13
    UPDATE_POD_GENERATED_RESOURCE_CLAIM = 1 << 14
    ALL = (1 << 15) - 1
    UPDATE = ALL & ~(ADD | DELETE)


class Resource(StrEnum):
    """What an event is about; pods by the state they are in."""

    POD = "Pod"
    ASSIGNED_POD = "AssignedPod"
    UNSCHEDULED_POD = "UnscheduledPod"
    TARGET_POD = "TargetPod"
    NODE = "Node"
    PERSISTENT_VOLUME = "PersistentVolume"
    PERSISTENT_VOLUME_CLAIM = "PersistentVolumeClaim"
    CSI_NODE = "storage.k8s.io/CSINode"
    CSI_DRIVER = "storage.k8s.io/CSIDriver"
    VOLUME_ATTACHMENT = "storage.k8s.io/VolumeAttachment"
    CSI_STORAGE_CAPACITY = "storage.k8s.io/CSIStorageCapacity"
    STORAGE_CLASS = "storage.k8s.io/StorageClass"
    WILDCARD = "*"


_PODS = frozenset({Resource.ASSIGNED_POD, Resource.UNSCHEDULED_POD, Resource.TARGET_POD})


class ClusterEvent(NamedTuple):
    """Something that happened, or that a plugin waits for; ``label`` only tells wildcards apart."""

    resource: Resource
    action: Action
    label: str = ""

    @property
    def is_wildcard(self) -> bool:
        return self.resource is Resource.WILDCARD and self.action == Action.ALL

    def covers(self, incoming: "ClusterEvent") -> bool:
        """Whether who waits for this event is concerned by ``incoming``."""
        return _covers(self, incoming)


@lru_cache(maxsize=4096)
def _covers(awaited: ClusterEvent, incoming: ClusterEvent) -> bool:
    # upstream: pkg/scheduler/framework/types.go MatchClusterEvents
    if awaited.is_wildcard:
        return True
    same_resource = awaited.resource in {Resource.WILDCARD, incoming.resource} or (
        awaited.resource is Resource.POD and incoming.resource in _PODS
    )
    return (
        same_resource
        and bool(awaited.action & incoming.action)
        and incoming.action.value <= awaited.action.value
    )


Hint: TypeAlias = Callable[[Object, Object | None, Object | None], bool]


class EventHint(NamedTuple):
    """An event a plugin waits for, and whether a given one is worth another attempt for a pod.

    ``worthwhile(pod, old, new)`` gets the object before and after, None where there is none.
    Without it every such event is worth it, and also if it raises: better a pod tried in vain than
    one forgotten.
    """

    event: ClusterEvent
    worthwhile: Hint | None = None


ASSIGNED_POD_ADD = ClusterEvent(Resource.ASSIGNED_POD, Action.ADD)
ASSIGNED_POD_DELETE = ClusterEvent(Resource.ASSIGNED_POD, Action.DELETE)
NODE_ADD = ClusterEvent(Resource.NODE, Action.ADD)
NODE_DELETE = ClusterEvent(Resource.NODE, Action.DELETE)
UNSCHEDULABLE_TIMEOUT = ClusterEvent(Resource.WILDCARD, Action.ALL, "UnschedulableTimeout")
FORCE_ACTIVATE = ClusterEvent(Resource.WILDCARD, Action.ALL, "ForceActivate")

EVERY_EVENT = tuple(
    EventHint(ClusterEvent(resource, Action.ALL))
    for resource in Resource
    if resource not in {Resource.POD, Resource.WILDCARD, Resource.VOLUME_ATTACHMENT}
)


def is_covered(event: ClusterEvent, awaited: Iterable[ClusterEvent]) -> bool:
    return any(one.covers(event) for one in awaited)
