"""What the scheduler makes of changes in the cluster: node state, the queue, another chance."""

# upstream: pkg/scheduler/eventhandlers.go

from collections.abc import Callable, Collection

from pykube_cp.client.informer import Informers
from pykube_cp.machinery import objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.cache import PodCache
from pykube_cp.scheduler.changes import node_changes, pod_changes
from pykube_cp.scheduler.events import (
    ASSIGNED_POD_ADD,
    ASSIGNED_POD_DELETE,
    NODE_ADD,
    NODE_DELETE,
    Action,
    ClusterEvent,
    Resource,
)
from pykube_cp.scheduler.kinds import (
    CSI_DRIVERS,
    CSI_NODES,
    CSI_STORAGE_CAPACITIES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STORAGE_CLASSES,
    VOLUME_ATTACHMENTS,
)
from pykube_cp.scheduler.pod_info import (
    PodInfo,
    is_assigned,
    is_terminal,
    nominated_node,
    scheduler_name,
)
from pykube_cp.scheduler.queue import SchedulingQueue
from pykube_cp.scheduler.snapshot import Snapshot
from pykube_cp.scheduler.waiting_pods import WaitingPods

_OTHERS: dict[GVR, Resource] = {
    CSI_DRIVERS: Resource.CSI_DRIVER,
    CSI_NODES: Resource.CSI_NODE,
    CSI_STORAGE_CAPACITIES: Resource.CSI_STORAGE_CAPACITY,
    PERSISTENT_VOLUMES: Resource.PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIMS: Resource.PERSISTENT_VOLUME_CLAIM,
    STORAGE_CLASSES: Resource.STORAGE_CLASS,
    VOLUME_ATTACHMENTS: Resource.VOLUME_ATTACHMENT,
}


class EventHandlers:
    """Handlers of the scheduler's informers."""

    def __init__(
        self,
        snapshot: Snapshot,
        cache: PodCache,
        queue: SchedulingQueue,
        waiting: WaitingPods,
        profiles: Collection[str],
    ) -> None:
        self._snapshot = snapshot
        self._cache = cache
        self._queue = queue
        self._waiting = waiting
        self._profiles = profiles

    def register(self, informers: Informers) -> None:
        """Nodes first, so that pods find theirs."""
        informers.of(NODES).on(self.add_node, self.update_node, self.delete_node)
        for gvr, resource in _OTHERS.items():
            informers.of(gvr).on(*self._moving(resource))
        informers.of(PODS).on(self.add_pod, self.update_pod, self.delete_pod)

    def _moving(
        self, resource: Resource
    ) -> tuple[
        Callable[[Object], None], Callable[[Object, Object], None], Callable[[Object], None]
    ]:
        add, update, delete = (
            ClusterEvent(resource, action) for action in (Action.ADD, Action.UPDATE, Action.DELETE)
        )
        return (
            lambda obj: self._queue.move_all(add, None, obj),
            lambda old, new: self._queue.move_all(update, old, new),
            lambda obj: self._queue.move_all(delete, obj, None),
        )

    # Nodes.

    def add_node(self, node: Object) -> None:
        self._snapshot.set_node(node)
        self._queue.move_all(NODE_ADD, None, node)

    def update_node(self, old: Object, new: Object) -> None:
        self._snapshot.set_node(new)
        for event in node_changes(old, new):
            self._queue.move_all(event, old, new)

    def delete_node(self, node: Object) -> None:
        self._queue.move_all(NODE_DELETE, node, None)
        self._snapshot.remove_node(objects.name(node))

    # Pods. One that has ended takes nothing any more, so it counts as deleted.

    def add_pod(self, pod: Object) -> None:
        if is_terminal(pod):
            return
        if is_assigned(pod):
            self._add_assigned(pod)
        elif self._is_ours(pod):
            self._queue.add(PodInfo(pod))

    def update_pod(self, old: Object, new: Object) -> None:
        if is_terminal(old):
            self.add_pod(new)
        elif is_terminal(new):
            self.delete_pod(old)
        elif is_assigned(old):
            self._update_assigned(old, new)
        elif is_assigned(new):
            self._add_assigned(new)
            if self._is_ours(old):
                self._queue.delete(objects.uid(old))
        elif self._is_ours(old):
            self._update_unscheduled(old, new)

    def delete_pod(self, pod: Object) -> None:
        if is_terminal(pod):
            return
        if is_assigned(pod):
            self._cache.remove(objects.uid(pod))
            self._queue.move_all(ASSIGNED_POD_DELETE, pod, None)
        elif self._is_ours(pod):
            self._delete_unscheduled(pod)

    def _is_ours(self, pod: Object) -> bool:
        return scheduler_name(pod) in self._profiles

    def _add_assigned(self, pod: Object) -> None:
        self._cache.set(PodInfo(pod))
        self._queue.move_all(ASSIGNED_POD_ADD, None, pod)

    def _update_assigned(self, old: Object, new: Object) -> None:
        self._cache.set(PodInfo(new))
        for event in pod_changes(old, new, target=False):
            self._queue.move_all(event, old, new)

    def _update_unscheduled(self, old: Object, new: Object) -> None:
        # upstream: updatePodInSchedulingQueue
        if self._cache.is_assumed(objects.uid(new)):
            if objects.is_deleting(new) and not objects.is_deleting(old):
                self._forget_deleted(new)
            return
        self._queue.update(old, new)
        nominated = nominated_node(old)
        if nominated and nominated != nominated_node(new):
            self._left_nomination(old)

    def _delete_unscheduled(self, pod: Object) -> None:
        # upstream: deletePodFromSchedulingQueue
        self._queue.delete(objects.uid(pod))
        if self._cache.is_assumed(objects.uid(pod)):
            self._forget_deleted(pod)
        elif nominated_node(pod):
            self._left_nomination(pod)

    def _left_nomination(self, pod: Object) -> None:
        """As if a pod had left the node; but only those for which it counted may profit."""
        priority = PodInfo(pod).priority
        self._queue.move_all(
            ASSIGNED_POD_DELETE, pod, None, lambda other: other.priority <= priority
        )

    def _forget_deleted(self, pod: Object) -> None:
        """A pod is deleted while it is being bound; what it was to take is free at once."""
        # upstream: handleAssumedPodDeletion
        assumed = self._cache.get(objects.uid(pod))
        if assumed is None:
            return
        if not self._waiting.reject(assumed.uid, "removed"):
            self._cache.forget(assumed.uid)
        self._queue.move_all(ASSIGNED_POD_DELETE, assumed.pod, None)
