"""The queue of pods that want a node.

A pod is in one of these places:

* *active*: it will be tried; most important first, then oldest;
* *backoff*: it failed and something has changed since, but its pause is not over: 1 s after the
  first failure, twice as long each time, at most 10 s. If nothing is active, a pod that was merely
  rejected need not sit its pause out;
* *unschedulable*: it failed, and nothing that would help has happened; or a plugin gates it;
* *in flight*: it was popped and its fate is open. What happens meanwhile is remembered, so that a
  rejection is weighed against events the attempt could not know.
"""

# upstream: pkg/scheduler/backend/queue/scheduling_queue.go

import asyncio
import logging
import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from pykube_cp.config import SchedulerConfig
from pykube_cp.machinery import clock
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.changes import pod_changes
from pykube_cp.scheduler.events import (
    FORCE_ACTIVATE,
    UNSCHEDULABLE_TIMEOUT,
    ClusterEvent,
    is_covered,
)
from pykube_cp.scheduler.interface import PreEnqueuePlugin, SortKey
from pykube_cp.scheduler.nominator import Nominator
from pykube_cp.scheduler.pod_info import PodInfo, nominated_node
from pykube_cp.scheduler.queue_parts import InFlight, KeyedHeap, QueuedPod, UnschedulablePods
from pykube_cp.scheduler.queueing_hints import QueueingHints, Strategy

log = logging.getLogger(__name__)

_FLUSH_PERIOD = 30.0
_WINDOW = 1.0


class SchedulingQueue:
    """Pods waiting to be scheduled; see the module for its parts."""

    def __init__(
        self,
        sort_key: Callable[[QueuedPod], SortKey],
        hints: QueueingHints,
        pre_enqueue: Mapping[str, Sequence[PreEnqueuePlugin]],
        nominator: Nominator,
        config: SchedulerConfig,
    ) -> None:
        self._hints = hints
        self._pre_enqueue = pre_enqueue
        self._nominator = nominator
        self._config = config
        self._sort_key = sort_key
        self._active: KeyedHeap[QueuedPod] = KeyedHeap(sort_key)
        self._backoff: KeyedHeap[QueuedPod] = KeyedHeap(self._backoff_key)
        self._error_backoff: KeyedHeap[QueuedPod] = KeyedHeap(self._backoff_key)
        self._unschedulable = UnschedulablePods()
        self._in_flight = InFlight()
        self._wakeup = asyncio.Event()
        self._next_flush = clock.now() + _FLUSH_PERIOD

    # For the scheduling loop.

    async def pop(self) -> QueuedPod:
        """The next pod to try; it is in flight until ``done`` or ``add_unschedulable``."""
        while True:
            self._wakeup.clear()
            self._flush()
            queued = self._active.pop() or self._backoff.pop()
            if queued is None:
                await self._wait()
            elif queued.uid in self._in_flight:
                log.error("pod %s is in several places of the scheduler", queued.info.key)
            else:
                queued.attempts += 1
                self._in_flight.start(queued.uid)
                return queued

    def done(self, uid: str) -> None:
        """The attempt succeeded, or the pod is no longer ours."""
        self._in_flight.done(uid)

    def add_unschedulable(self, queued: QueuedPod) -> None:
        """Put a pod back whose attempt failed; its rejectors say why."""
        # upstream: AddUnschedulablePodIfNotPresent
        try:
            if self._find(queued.uid) is not None:
                log.error("pod %s is in the queue already", queued.info.key)
                return
            if queued.rejectors:
                queued.unschedulable_count += 1
                queued.error_count = 0
            else:
                queued.error_count += 1
            queued.timestamp = clock.now()
            queued.backoff_expiration = None
            queued.flush_timestamp = 0.0
            self._requeue(queued, self._strategy_after_attempt(queued))
        finally:
            self.done(queued.uid)

    def _strategy_after_attempt(self, queued: QueuedPod) -> Strategy:
        # upstream: determineSchedulingHintForInFlightPod
        events = self._in_flight.events_since_start(queued.uid)
        if events is None or not queued.rejectors:
            return Strategy.AFTER_BACKOFF
        best = Strategy.SKIP
        for seen in events:
            best = max(best, self._hints.strategy(queued, *seen))
            if best is Strategy.IMMEDIATELY or (best and not queued.pending_plugins):
                break
        return best

    # For pods that come, change and go.

    def add(self, pod: PodInfo) -> None:
        """A pod that is not in the queue."""
        self._nominator.add(pod)
        self._to_active(QueuedPod(pod, clock.now()))

    def update(self, old: Object, new: Object) -> None:
        """A pod without node has changed."""
        pod = PodInfo(new)
        events = pod_changes(old, new, target=True)
        if pod.uid in self._in_flight:
            for event in events:
                self._in_flight.note(event, old, new)
            return
        queued = self._find(pod.uid)
        if queued is None:
            self.add(pod)
            return
        queued.info = pod
        self._nominator.update(pod.uid, nominated_node(old), pod)
        for heap in (self._active, self._backoff, self._error_backoff):
            if pod.uid in heap:
                heap.put(pod.uid, queued)
                return
        for event in events:
            strategy = self._hints.strategy(queued, event, old, new)
            self._unschedulable.remove(queued.uid)
            self._requeue(queued, strategy)
            if queued.uid not in self._unschedulable:
                return

    def delete(self, uid: str) -> None:
        self._nominator.remove(uid)
        self._active.remove(uid)
        self._backoff.remove(uid)
        self._error_backoff.remove(uid)
        self._unschedulable.remove(uid)

    def activate(self, pods: Iterable[PodInfo]) -> None:
        """Try these pods again at once, whatever rejected them."""
        for pod in pods:
            queued = self._unschedulable.remove(pod.uid)
            waited = None
            if queued is None:
                waited = self._backoff.remove(pod.uid) or self._error_backoff.remove(pod.uid)
            if queued is not None:
                self._to_active(queued)
            elif waited is not None:
                self._to_active(waited, from_backoff=True)
            elif pod.uid in self._in_flight:
                self._in_flight.note(FORCE_ACTIVATE, None, pod.pod)

    def move_all(
        self,
        event: ClusterEvent,
        old: Object | None,
        new: Object | None,
        only: Callable[[PodInfo], bool] | None = None,
    ) -> None:
        """Something happened: requeue the unschedulable pods for which it may be the cure."""
        # upstream: MoveAllToActiveOrBackoffQueue
        plugins = self._hints.interested_plugins(event)
        if not plugins:
            return
        for queued in self._unschedulable.rejected_by(plugins):
            if only is None or only(queued.info):
                self._move(queued, event, old, new)
        self._in_flight.note(event, old, new)

    def _move(
        self, queued: QueuedPod, event: ClusterEvent, old: Object | None, new: Object | None
    ) -> None:
        if queued.gated and not event.is_wildcard and not is_covered(event, queued.gating_events):
            return
        strategy = self._hints.strategy(queued, event, old, new)
        if strategy is not Strategy.SKIP:
            self._unschedulable.remove(queued.uid)
            self._requeue(queued, strategy)

    # Moving between the parts.

    def _find(self, uid: str) -> QueuedPod | None:
        return (
            self._active.get(uid)
            or self._backoff.get(uid)
            or self._error_backoff.get(uid)
            or self._unschedulable.get(uid)
        )

    def _requeue(self, queued: QueuedPod, strategy: Strategy) -> None:
        if strategy is Strategy.SKIP:
            self._unschedulable.put(queued)
        elif strategy is Strategy.AFTER_BACKOFF and self._is_backing_off(queued):
            self._to_backoff(queued)
        else:
            self._to_active(queued)

    def _to_active(self, queued: QueuedPod, *, from_backoff: bool = False) -> None:
        if not from_backoff and self._is_gated(queued):
            self._unschedulable.put(queued)
            return
        if queued.initial_attempt is None:
            queued.initial_attempt = clock.now()
        self._active.put(queued.uid, queued)
        self._wakeup.set()

    def _to_backoff(self, queued: QueuedPod) -> None:
        if self._is_gated(queued):
            self._unschedulable.put(queued)
            return
        heap = self._backoff if queued.rejectors else self._error_backoff
        heap.put(queued.uid, queued)
        self._wakeup.set()

    def _is_gated(self, queued: QueuedPod) -> bool:
        # upstream: runPreEnqueuePluginsForPod
        plugins = self._pre_enqueue.get(queued.info.scheduler_name, ())
        for plugin in sorted(plugins, key=lambda one: one.name != queued.gating_plugin):
            if plugin.pre_enqueue(queued.info) is not None:
                queued.unschedulable_plugins.add(plugin.name)
                queued.gating_plugin = plugin.name
                queued.gating_events = self._hints.events_of(plugin.name)
                return True
        queued.gating_plugin = ""
        queued.gating_events = ()
        return False

    # Time.

    def _backoff_key(self, queued: QueuedPod) -> SortKey:
        return (self._backoff_time(queued), *self._sort_key(queued))

    def _is_backing_off(self, queued: QueuedPod) -> bool:
        return self._backoff_time(queued) >= _aligned(clock.now())

    def _backoff_time(self, queued: QueuedPod) -> float:
        # upstream: pkg/scheduler/backend/queue/backoff_queue.go getBackoffTime
        failures = queued.error_count or queued.unschedulable_count
        if not failures or not self._config.pod_max_backoff:
            return 0.0
        if queued.backoff_expiration is None:
            pause = self._config.pod_initial_backoff * 2.0 ** min(failures - 1, 64)
            pause = min(pause, self._config.pod_max_backoff)
            queued.backoff_expiration = _aligned(queued.timestamp + pause)
        return queued.backoff_expiration

    def _flush(self) -> None:
        """Activate pods whose pause is over, and those left unschedulable for too long."""
        for heap in (self._backoff, self._error_backoff):
            while (queued := heap.peek()) is not None and not self._is_backing_off(queued):
                heap.pop()
                self._to_active(queued, from_backoff=True)
        if clock.now() >= self._next_flush:
            self._next_flush = clock.now() + _FLUSH_PERIOD
            self._flush_unschedulable()

    def _flush_unschedulable(self) -> None:
        # upstream: flushUnschedulableEntitiesLeftover
        now = clock.now()
        for queued in self._unschedulable:
            if now - max(queued.timestamp, queued.flush_timestamp) > (
                self._config.unschedulable_flush
            ):
                queued.flush_timestamp = now
                self._move(queued, UNSCHEDULABLE_TIMEOUT, None, None)

    async def _wait(self) -> None:
        """Until something is queued, or the next pause or flush is due."""
        due = self._next_flush
        queued = self._error_backoff.peek()
        if queued is not None:
            due = min(due, self._backoff_time(queued) + _WINDOW)
        try:
            async with asyncio.timeout(max(0.0, due - clock.now())):
                await self._wakeup.wait()
        except TimeoutError:
            pass

    def pending(self) -> dict[str, int]:
        """Number of pods in each part, as ``scheduler_pending_pods`` counts them."""
        gated = sum(queued.gated for queued in self._unschedulable)
        return {
            "active": len(self._active),
            "backoff": len(self._backoff) + len(self._error_backoff),
            "unschedulable": len(self._unschedulable) - gated,
            "gated": gated,
        }


def _aligned(moment: float) -> float:
    """The start of the second, so that pods whose pauses end close together keep their order."""
    return math.floor(moment / _WINDOW) * _WINDOW
