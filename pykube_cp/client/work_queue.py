"""A queue of keys for workers: each key once, never worked on twice at a time, retried ever later.

Three sets, as in client-go: a key is *dirty* when it needs work, *processing* while a worker has
it. A key added while it is processed becomes dirty only, and is queued again at ``done``. So
however often a key is added, it waits at most once, and what happened during the work is not lost.
"""

# upstream: client-go util/workqueue/queue.go, delaying_queue.go, default_rate_limiters.go

import asyncio
import itertools
import operator
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pykube_cp.machinery import clock
from pykube_cp.machinery.metrics import Histogram, Metric, Read, Values

BASE_DELAY = 0.005
MAX_DELAY = 1000.0
BUCKET_RATE = 10.0
BUCKET_BURST = 100


class QueueClosedError(Exception):
    """The queue was shut down and is empty."""


class TokenBucket:
    """Hands out reservations: ``rate`` a second on average, ``burst`` at once."""

    # upstream: golang.org/x/time/rate Limiter.reserveN

    __slots__ = ("_burst", "_last", "_rate", "_tokens")

    def __init__(self, rate: float, burst: int) -> None:
        self._rate = rate
        self._burst = float(burst)
        self._tokens = self._burst
        self._last = clock.monotonic()

    def _refill(self) -> None:
        now = clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._last) * self._rate)
        self._last = now

    def reserve(self) -> float:
        """Take one token, if need be from the future; seconds until it is there."""
        self._refill()
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def try_take(self) -> bool:
        """Take one token if there is one now."""
        self._refill()
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class RateLimiter:
    """How long a failed key waits: twice as long each time, and all keys together not too often."""

    # upstream: default_rate_limiters.go DefaultTypedControllerRateLimiter

    def __init__(
        self,
        base: float = BASE_DELAY,
        maximum: float = MAX_DELAY,
        bucket: TokenBucket | None = None,
    ) -> None:
        self._base = base
        self._maximum = maximum
        self._bucket = bucket if bucket is not None else TokenBucket(BUCKET_RATE, BUCKET_BURST)
        self._failures: dict[str, int] = {}

    def when(self, key: str) -> float:
        """Count a failure of ``key``; seconds it should wait."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        # Past this exponent the maximum applies in any case, and floats would overflow.
        backoff = self._base * 2.0 ** min(failures, 60)
        return max(min(backoff, self._maximum), self._bucket.reserve())

    def forget(self, key: str) -> None:
        self._failures.pop(key, None)

    def failures(self, key: str) -> int:
        return self._failures.get(key, 0)


# upstream: component-base metrics/prometheus/workqueue/metrics.go
_BOUNDS = tuple(itertools.accumulate([10.0] * 9, operator.mul, initial=1e-8))
_ADDS = "[BETA] Total number of adds handled by workqueue"
_DEPTH = "[BETA] Current depth of workqueue"
_RETRIES = "[BETA] Total number of retries handled by workqueue"
_WAITED = "[BETA] How long in seconds an item stays in workqueue before being requested."
_WORKED = "[BETA] How long in seconds processing an item from workqueue takes."
_UNFINISHED = (
    "[BETA] How many seconds of work has done that is in progress and hasn't been observed by "
    "work_duration. Large values indicate stuck threads. One can deduce the number of stuck threads "
    "by observing the rate at which this increases."
)
_LONGEST = "[BETA] How many seconds has the longest running processor for workqueue been running."


def _waited() -> Histogram:
    return Histogram("workqueue_queue_duration_seconds", _WAITED, _BOUNDS, ("name",))


def _worked() -> Histogram:
    return Histogram("workqueue_work_duration_seconds", _WORKED, _BOUNDS, ("name",))


@dataclass(slots=True)
class QueueMetrics:
    """What is measured of a queue; ``families`` shows it."""

    name: str = ""
    adds_total: int = 0
    retries_total: int = 0
    waited: Histogram = field(default_factory=_waited)
    worked: Histogram = field(default_factory=_worked)
    _added: dict[str, float] = field(default_factory=dict)
    _started: dict[str, float] = field(default_factory=dict)

    def added(self, key: str) -> None:
        self.adds_total += 1
        self._added.setdefault(key, clock.monotonic())

    def started(self, key: str) -> None:
        now = clock.monotonic()
        self.waited.observe(now - self._added.pop(key, now), self.name)
        self._started[key] = now

    def finished(self, key: str) -> None:
        now = clock.monotonic()
        self.worked.observe(now - self._started.pop(key, now), self.name)

    def longest_running(self) -> float:
        """Seconds that the slowest worker has been busy with its key."""
        return clock.monotonic() - min(self._started.values(), default=clock.monotonic())

    def unfinished(self) -> float:
        """Seconds of work under way, of all workers together."""
        now = clock.monotonic()
        return sum(now - start for start in self._started.values())


class WorkQueue:
    """The queue of one controller. All methods but ``get`` return at once."""

    def __init__(self, name: str = "", limiter: RateLimiter | None = None) -> None:
        self.name = name
        self.metrics = QueueMetrics(name)
        self._limiter = limiter if limiter is not None else RateLimiter()
        self._ready: deque[str] = deque()
        self._urgent: deque[str] = deque()
        self._dirty: set[str] = set()
        self._processing: set[str] = set()
        self._waiting: dict[str, tuple[float, asyncio.TimerHandle]] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._drained: asyncio.Future[None] | None = None
        self._closed = False

    def __len__(self) -> int:
        """Keys that wait for a worker now."""
        return len(self._ready) + len(self._urgent)

    @property
    def is_idle(self) -> bool:
        """Nothing waits and nothing is worked on; delayed keys do not count."""
        return not len(self) and not self._processing

    @property
    def processing(self) -> int:
        return len(self._processing)

    @property
    def delayed(self) -> int:
        """Keys that come back later by themselves."""
        return len(self._waiting)

    @property
    def shutting_down(self) -> bool:
        return self._closed

    def add(self, key: str, *, urgent: bool = False) -> None:
        """Mark ``key`` as needing work; ``urgent`` keys go to workers before the others."""
        if self._closed or key in self._dirty:
            return
        self.metrics.added(key)
        self._dirty.add(key)
        if key not in self._processing:
            self._enqueue(key, urgent=urgent)

    def _enqueue(self, key: str, *, urgent: bool = False) -> None:
        (self._urgent if urgent else self._ready).append(key)
        self._wake_one()

    def _wake_one(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return

    async def get(self) -> str:
        """The next key; ``done`` must be called for it. ``QueueClosedError`` after shut-down."""
        while not len(self):
            if self._closed:
                raise QueueClosedError(self.name)
            await self._wait_for_key()
        key = (self._urgent or self._ready).popleft()
        self._dirty.discard(key)
        self._processing.add(key)
        self.metrics.started(key)
        return key

    async def _wait_for_key(self) -> None:
        getter = asyncio.get_running_loop().create_future()
        self._getters.append(getter)
        try:
            await getter
        except asyncio.CancelledError:
            # A getter that was woken and cancelled at once passes the wake-up on.
            if getter.done() and not getter.cancelled() and len(self):
                self._wake_one()
            raise

    def done(self, key: str) -> None:
        """The work on ``key`` ended; if it was added meanwhile it queues again."""
        self._processing.discard(key)
        self.metrics.finished(key)
        if key in self._dirty:
            self._enqueue(key)
        elif not self._processing and self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def add_after(self, key: str, seconds: float) -> None:
        """Add ``key`` in ``seconds``; of several such requests for a key the earliest counts."""
        if self._closed:
            return
        if seconds <= 0:
            self.add(key)
            return
        due = clock.monotonic() + seconds
        waiting = self._waiting.get(key)
        if waiting is not None:
            if waiting[0] <= due:
                return
            waiting[1].cancel()
        handle = asyncio.get_running_loop().call_later(seconds, self._fall_due, key)
        self._waiting[key] = (due, handle)

    def _fall_due(self, key: str) -> None:
        del self._waiting[key]
        self.add(key)

    def add_rate_limited(self, key: str) -> None:
        """Add ``key`` again after a failure, later each time."""
        self.metrics.retries_total += 1
        self.add_after(key, self._limiter.when(key))

    def forget(self, key: str) -> None:
        """``key`` succeeded: its failures no longer count."""
        self._limiter.forget(key)

    def num_requeues(self, key: str) -> int:
        """Failures of ``key`` since it was last forgotten."""
        return self._limiter.failures(key)

    def shut_down(self) -> None:
        """Take nothing more; workers get what is queued, then ``QueueClosedError``."""
        self._closed = True
        for _, handle in self._waiting.values():
            handle.cancel()
        self._waiting.clear()
        while self._getters:
            self._wake_one()

    async def drain(self) -> None:
        """Shut down and wait until everything queued has been worked on."""
        self.shut_down()
        if not self.is_idle:
            self._drained = asyncio.get_running_loop().create_future()
            await self._drained


def families(queues: Iterable[WorkQueue]) -> list[Metric]:
    """What all these queues measure, under upstream's names."""
    found = list(queues)

    def of_each(kind: str, name: str, text: str, value: Callable[[WorkQueue], float]) -> Metric:
        values: dict[Values, float] = {(queue.name,): value(queue) for queue in found}
        return Read(kind, f"workqueue_{name}", text, lambda: values, ("name",))

    waited, worked = _waited(), _worked()
    for queue in found:
        waited.include(queue.metrics.waited)
        worked.include(queue.metrics.worked)
    return [
        of_each("counter", "adds_total", _ADDS, lambda queue: queue.metrics.adds_total),
        of_each("gauge", "depth", _DEPTH, len),
        of_each("counter", "retries_total", _RETRIES, lambda queue: queue.metrics.retries_total),
        waited,
        worked,
        of_each(
            "gauge",
            "unfinished_work_seconds",
            _UNFINISHED,
            lambda queue: queue.metrics.unfinished(),
        ),
        of_each(
            "gauge",
            "longest_running_processor_seconds",
            _LONGEST,
            lambda queue: queue.metrics.longest_running(),
        ),
    ]
