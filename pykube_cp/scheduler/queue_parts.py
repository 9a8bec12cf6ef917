"""The pieces the scheduling queue is made of."""

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, NamedTuple, TypeVar

from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import ClusterEvent
from pykube_cp.scheduler.interface import SortKey
from pykube_cp.scheduler.pod_info import PodInfo

_Item = TypeVar("_Item")


@dataclass(slots=True, eq=False)
class QueuedPod:
    """A pod in the queue and how it fared so far.

    Attributes:
        timestamp: when it came into the queue, or failed last.
        backoff_expiration: when it may be tried again; computed when first asked for.
        unschedulable_count, error_count: attempts that ended so; errors only those in a row.
        unschedulable_plugins, pending_plugins: who rejected it last.
        gating_plugin: who keeps it from being queued at all, with the events it waits for.
    """

    # upstream: pkg/scheduler/framework/types.go QueuedPodInfo, QueueingParams

    info: PodInfo
    timestamp: float
    attempts: int = 0
    initial_attempt: float | None = None
    backoff_expiration: float | None = None
    flush_timestamp: float = 0.0
    unschedulable_count: int = 0
    error_count: int = 0
    unschedulable_plugins: set[str] = field(default_factory=set)
    pending_plugins: set[str] = field(default_factory=set)
    gating_plugin: str = ""
    gating_events: tuple[ClusterEvent, ...] = ()

    @property
    def uid(self) -> str:
        return self.info.uid

    @property
    def gated(self) -> bool:
        return bool(self.gating_plugin)

    @property
    def rejectors(self) -> set[str]:
        return self.unschedulable_plugins | self.pending_plugins

    def clear_rejectors(self) -> None:
        self.unschedulable_plugins = set()
        self.pending_plugins = set()
        self.gating_plugin = ""
        self.gating_events = ()


class KeyedHeap(Generic[_Item]):
    """A heap of items that can also be found, replaced and removed by id."""

    def __init__(self, sort_key: Callable[[_Item], SortKey]) -> None:
        self._sort_key = sort_key
        self._heap: list[tuple[SortKey, int, str]] = []
        self._items: dict[str, tuple[int, _Item]] = {}
        self._serial = count()

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, uid: str) -> bool:
        return uid in self._items

    def __iter__(self) -> Iterator[_Item]:
        return (item for _, item in self._items.values())

    def get(self, uid: str) -> _Item | None:
        found = self._items.get(uid)
        return None if found is None else found[1]

    def put(self, uid: str, item: _Item) -> None:
        """Add; or sort in anew what is there already."""
        serial = next(self._serial)
        self._items[uid] = (serial, item)
        heapq.heappush(self._heap, (self._sort_key(item), serial, uid))
        if len(self._heap) > 64 + 2 * len(self._items):
            self._heap = [entry for entry in self._heap if self._is_current(entry)]
            heapq.heapify(self._heap)

    def remove(self, uid: str) -> _Item | None:
        found = self._items.pop(uid, None)
        return None if found is None else found[1]

    def peek(self) -> _Item | None:
        while self._heap and not self._is_current(self._heap[0]):
            heapq.heappop(self._heap)
        return self._items[self._heap[0][2]][1] if self._heap else None

    def pop(self) -> _Item | None:
        item = self.peek()
        if item is not None:
            del self._items[heapq.heappop(self._heap)[2]]
        return item

    def _is_current(self, entry: tuple[SortKey, int, str]) -> bool:
        found = self._items.get(entry[2])
        return found is not None and found[0] == entry[1]


class SeenEvent(NamedTuple):
    """Something that happened while a pod was being scheduled."""

    event: ClusterEvent
    old: Object | None
    new: Object | None


class InFlight:
    """Pods being scheduled, and what has happened since each of them was popped."""

    # upstream: pkg/scheduler/backend/queue/active_queue.go inFlightPods, inFlightEvents

    def __init__(self) -> None:
        self._base = 0
        self._events: list[SeenEvent] = []
        self._since: dict[str, int] = {}

    def __contains__(self, uid: str) -> bool:
        return uid in self._since

    def __len__(self) -> int:
        return len(self._since)

    def start(self, uid: str) -> None:
        self._since[uid] = self._base + len(self._events)

    def note(self, event: ClusterEvent, old: Object | None, new: Object | None) -> None:
        if self._since:
            self._events.append(SeenEvent(event, old, new))

    def events_since_start(self, uid: str) -> list[SeenEvent] | None:
        """None if the pod is not in flight."""
        start = self._since.get(uid)
        return None if start is None else self._events[start - self._base :]

    def done(self, uid: str) -> None:
        """The attempt is over; events that nobody else has to see are dropped."""
        if self._since.pop(uid, None) is None:
            return
        # Pods start in order, so the first one left is the one that needs the oldest events.
        end = self._base + len(self._events)
        oldest = next(iter(self._since.values()), end)
        del self._events[: oldest - self._base]
        self._base = oldest


class UnschedulablePods:
    """Pods that wait for an event, also found by the plugins that rejected them."""

    def __init__(self) -> None:
        self._pods: dict[str, QueuedPod] = {}
        self._by_plugin: dict[str, dict[str, QueuedPod]] = {}
        self._plugins_of: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return len(self._pods)

    def __contains__(self, uid: str) -> bool:
        return uid in self._pods

    def __iter__(self) -> Iterator[QueuedPod]:
        return iter(list(self._pods.values()))

    def get(self, uid: str) -> QueuedPod | None:
        return self._pods.get(uid)

    def put(self, pod: QueuedPod) -> None:
        self.remove(pod.uid)
        self._pods[pod.uid] = pod
        self._plugins_of[pod.uid] = pod.rejectors
        for plugin in pod.rejectors:
            self._by_plugin.setdefault(plugin, {})[pod.uid] = pod

    def remove(self, uid: str) -> QueuedPod | None:
        pod = self._pods.pop(uid, None)
        for plugin in self._plugins_of.pop(uid, ()):
            pods = self._by_plugin[plugin]
            del pods[uid]
            if not pods:
                del self._by_plugin[plugin]
        return pod

    def rejected_by(self, plugins: set[str]) -> list[QueuedPod]:
        """Pods that at least one of ``plugins`` rejected, oldest first."""
        found: dict[str, QueuedPod] = {}
        for plugin in plugins:
            found.update(self._by_plugin.get(plugin, {}))
        return [pod for uid, pod in self._pods.items() if uid in found] if found else []
