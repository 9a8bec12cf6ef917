"""How fast nodes of a zone may be evicted, by how much of the zone is disturbed."""
# upstream: pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go RateLimitedTimedQueue

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pykube_cp.client.work_queue import TokenBucket


class ZoneState(StrEnum):
    """How much of a zone is not ready."""

    INITIAL = "Initial"
    NORMAL = "Normal"
    FULL_DISRUPTION = "FullDisruption"
    PARTIAL_DISRUPTION = "PartialDisruption"


class Mode(StrEnum):
    """What has happened to the cluster as a whole since the last look."""

    ORDINARY = "ordinary"
    ENTERS_DISRUPTION = "enters disruption"
    LEAVES_DISRUPTION = "leaves disruption"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvictionRates:
    """Nodes per second, and where the smaller rate begins."""

    ordinary: float = 0.1
    reduced: float = 0.01
    large_cluster: int = 50
    unhealthy_share: float = 0.55

    def of_zone(self, state: ZoneState, size: int) -> float:
        """The rate in a zone of ``size`` nodes; in small disturbed zones nothing is evicted."""
        if state is ZoneState.PARTIAL_DISRUPTION:
            return self.reduced if size > self.large_cluster else 0.0
        return self.ordinary

    def state_of_zone(self, ready: Sequence[bool]) -> ZoneState:
        # upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go ComputeZoneState
        not_ready = len(ready) - sum(ready)
        if not_ready and not_ready == len(ready):
            return ZoneState.FULL_DISRUPTION
        if not_ready > 2 and not_ready / len(ready) >= self.unhealthy_share:
            return ZoneState.PARTIAL_DISRUPTION
        return ZoneState.NORMAL


class EvictionQueue:
    """Nodes of a zone that wait for their taint.

    A node that had its turn is not taken again until it was removed.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._bucket = TokenBucket(rate or 1.0, 1)
        self._waiting: dict[str, None] = {}
        self._known: set[str] = set()

    def add(self, node: str) -> bool:
        """Queue a node unless it is or was here; True if it was added."""
        if node in self._known:
            return False
        self._known.add(node)
        self._waiting[node] = None
        return True

    def remove(self, node: str) -> bool:
        """Forget a node; True if it was here."""
        self._waiting.pop(node, None)
        known = node in self._known
        self._known.discard(node)
        return known

    def is_empty(self) -> bool:
        return not self._waiting

    def set_rate(self, rate: float) -> None:
        """Nodes per second from now on; 0 stops."""
        if rate == self._rate:
            return
        bucket = TokenBucket(rate or 1.0, 1)
        # Changing the rate must not grant an extra turn.
        if not self._accept():
            bucket.try_take()
        self._rate, self._bucket = rate, bucket

    def _accept(self) -> bool:
        return self._rate > 0 and self._bucket.try_take()

    async def drain(self, action: Callable[[str], Awaitable[bool]]) -> None:
        """Call ``action`` for waiting nodes as far as the rate allows; False puts a node last."""
        while self._waiting and self._accept():
            node = next(iter(self._waiting))
            del self._waiting[node]
            if not await action(node) and node in self._known:
                self._waiting[node] = None


class Zones:
    """The zones' states and queues."""

    def __init__(self, rates: EvictionRates) -> None:
        self.rates = rates
        self.queues: dict[str, EvictionQueue] = {}
        self._states: dict[str, ZoneState] = {}

    def queue_of(self, zone: str) -> EvictionQueue:
        """The zone's queue, made at the first sight of the zone."""
        queue = self.queues.get(zone)
        if queue is None:
            queue = self.queues[zone] = EvictionQueue(self.rates.ordinary)
        self._states.setdefault(zone, ZoneState.INITIAL)
        return queue

    def observe(self, readiness: Mapping[str, Sequence[bool]]) -> Mode:
        """Take in which nodes of each zone are ready, and set the rates accordingly.

        When no node of any zone is ready the fault is more likely here than with them all:
        evictions stop until one is ready again.
        """
        # upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go handleDisruption
        states = {zone: self.rates.state_of_zone(ready) for zone, ready in readiness.items()}
        known = {zone: self._states.get(zone, ZoneState.INITIAL) for zone in states}
        is_down, was_down = _all_disrupted(states.values()), _all_disrupted(known.values())
        if is_down and was_down:
            self._states = known
            return Mode.ORDINARY
        self._states = states
        for zone, state in states.items():
            if is_down:
                self.queue_of(zone).set_rate(0)
            elif was_down or state is not known[zone]:
                rate = self.rates.of_zone(state, len(readiness[zone]))
                self.queue_of(zone).set_rate(rate)
        if is_down:
            return Mode.ENTERS_DISRUPTION
        return Mode.LEAVES_DISRUPTION if was_down else Mode.ORDINARY


def _all_disrupted(states: Iterable[ZoneState]) -> bool:
    return all(state is ZoneState.FULL_DISRUPTION for state in states)
