"""Orders the queue: important pods first, then those that wait longest."""

# upstream: pkg/scheduler/framework/plugins/queuesort/priority_sort.go

from pykube_cp.scheduler.interface import QueueSortPlugin, SortKey
from pykube_cp.scheduler.queue_parts import QueuedPod


class PrioritySort(QueueSortPlugin):
    """By ``spec.priority``."""

    name = "PrioritySort"

    def sort_key(self, queued: QueuedPod) -> SortKey:
        return -queued.info.priority, queued.timestamp
