"""Events about objects, for people to read: never blocks, never raises, never floods.

``event`` only puts an event on a bounded queue; ``run`` writes. On the way they are correlated as
client-go does it: the same event again raises the count of the first one; ten that differ only in
their message become one "(combined from similar events)"; and a source that never stops talking
about an object is held to 25 events at once and one in five minutes after that.
"""

# upstream: client-go tools/record/event.go, tools/record/events_cache.go

import asyncio
import logging
import random
import uuid
from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from pykube_cp.client.interface import Client, PatchType
from pykube_cp.client.work_queue import TokenBucket
from pykube_cp.machinery import clock, errors, names, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

EVENTS = GVR("", "v1", "events")
NORMAL = "Normal"
WARNING = "Warning"

MAX_QUEUED = 1000
MAX_TRIES = 12
RETRY_PAUSE = 10.0
CACHE_SIZE = 4096
AGGREGATE_AFTER = 10
AGGREGATE_SECONDS = 600.0
SPAM_BURST = 25
SPAM_RATE = 1 / 300

T = TypeVar("T")


class _Recent(Generic[T]):
    """A dict that forgets what was not used for longest."""

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self._size = size
        self._items: OrderedDict[tuple[str, ...], T] = OrderedDict()

    def get(self, key: tuple[str, ...]) -> T | None:
        found = self._items.get(key)
        if found is not None:
            self._items.move_to_end(key)
        return found

    def put(self, key: tuple[str, ...], value: T) -> None:
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self._size:
            self._items.popitem(last=False)


@dataclass(slots=True)
class _Similar:
    """Messages of events that are otherwise alike."""

    messages: set[str] = field(default_factory=set)
    last: float = 0.0


@dataclass(frozen=True, slots=True)
class _Written:
    """What is known of an event already written."""

    name: str
    count: int
    first: str


def _subject(event: Object) -> tuple[str, ...]:
    source, about = event["source"], event["involvedObject"]
    return (
        source.get("component", ""),
        source.get("host", ""),
        about.get("kind", ""),
        about.get("namespace", ""),
        about.get("name", ""),
        about.get("uid", ""),
        about.get("apiVersion", ""),
        event["type"],
    )


def _event_key(event: Object) -> tuple[str, ...]:
    field_path = event["involvedObject"].get("fieldPath", "")
    return (*_subject(event), field_path, event["reason"], event["message"])


class Correlator:
    """Decides what becomes of an event: written, added to an earlier one, or dropped."""

    # upstream: events_cache.go EventCorrelator

    def __init__(self) -> None:
        self._similar: _Recent[_Similar] = _Recent()
        self._written: _Recent[_Written] = _Recent()
        self._buckets: _Recent[TokenBucket] = _Recent()

    def correlate(self, event: Object) -> Object | None:
        """The event to write; with a count above one it patches the event of its name."""
        event, key = self._aggregate(event)
        event = self._count(event, key)
        return event if self._may_speak(event) else None

    def _aggregate(self, event: Object) -> tuple[Object, tuple[str, ...]]:
        group = (*_subject(event), event["reason"])
        now = clock.now()
        similar = self._similar.get(group)
        if similar is None or now - similar.last > AGGREGATE_SECONDS:
            similar = _Similar()
        similar.messages.add(event["message"])
        similar.last = now
        self._similar.put(group, similar)
        if len(similar.messages) < AGGREGATE_AFTER:
            return event, _event_key(event)
        similar.messages.pop()
        combined = dict(event)
        combined["message"] = f"(combined from similar events): {event['message']}"
        return combined, group

    def _count(self, event: Object, key: tuple[str, ...]) -> Object:
        earlier = self._written.get(key)
        if earlier is not None:
            event = {
                **event,
                "metadata": {**event["metadata"], "name": earlier.name},
                "firstTimestamp": earlier.first,
                "count": earlier.count + 1,
            }
        self._remember(key, event)
        return event

    def _may_speak(self, event: Object) -> bool:
        subject = _subject(event)
        bucket = self._buckets.get(subject)
        if bucket is None:
            bucket = TokenBucket(SPAM_RATE, SPAM_BURST)
            self._buckets.put(subject, bucket)
        return bucket.try_take()

    def _remember(self, key: tuple[str, ...], event: Object) -> None:
        name, count = event["metadata"]["name"], event["count"]
        self._written.put(key, _Written(name, count, event["firstTimestamp"]))

    def written(self, event: Object) -> None:
        """The server has stored ``event`` like this."""
        if "source" in event and "count" in event:
            self._remember(_event_key(event), event)


def reference(obj: Object) -> Object:
    """``v1.ObjectReference`` of an object."""
    # upstream: client-go tools/reference/ref.go GetReference
    ref: Object = {"kind": obj.get("kind", ""), "apiVersion": obj.get("apiVersion", "")}
    meta = objects.metadata(obj)
    for part in ("namespace", "name", "uid", "resourceVersion"):
        if meta.get(part):
            ref[part] = meta[part]
    return ref


def _event_name(name: str, nanos: int) -> str:
    # upstream: client-go tools/record/util/util.go GenerateEventName
    candidate = f"{name}.{nanos:x}"
    return str(uuid.uuid4()) if names.is_dns1123_subdomain(candidate) else candidate


class Recorder:
    """Records events in the name of one component.

    Attributes:
        pending: events not written yet, oldest first.
    """

    def __init__(self, client: Client, component: str, host: str = "") -> None:
        self.component = component
        self.pending: deque[Object] = deque()
        self._last_nanos = 0
        self._client = client
        self._host = host
        self._correlator = Correlator()
        self._arrived = asyncio.Event()

    def event(
        self,
        obj: Object,
        kind: str,
        reason: str,
        message: str,
        *,
        annotations: Mapping[str, str] | None = None,
        field_path: str = "",
        action: str = "",
        related: Object | None = None,
    ) -> None:
        """Record an event about ``obj``.

        Args:
            obj: the object, or a reference to it (kind, namespace, name, uid at the top level).
            kind: ``Normal`` or ``Warning``.
            reason: one word in CamelCase.
            message: a sentence.
            annotations: of the event.
            field_path: the part of the object concerned: ``spec.containers{web}``.
            action: what was done, one word.
            related: a second object concerned.
        """
        if len(self.pending) >= MAX_QUEUED:
            log.error("too many queued events, dropped %s of %s", reason, objects.key(obj))
            return
        event = self._make(obj, kind, reason, message)
        if annotations:
            event["metadata"]["annotations"] = dict(annotations)
        if field_path:
            event["involvedObject"]["fieldPath"] = field_path
        if action:
            event["action"] = action
        if related is not None:
            event["related"] = reference(related)
        self.pending.append(event)
        self._arrived.set()

    def _make(self, obj: Object, kind: str, reason: str, message: str) -> Object:
        about = reference(obj) if "metadata" in obj else dict(obj)
        now = clock.now()
        # Two events about an object may fall on one reading of the clock, but not on one name.
        self._last_nanos = max(int(now * 1e9), self._last_nanos + 1)
        source = {"component": self.component}
        if self._host:
            source["host"] = self._host
        event: Object = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {
                "name": _event_name(about.get("name", ""), self._last_nanos),
                "namespace": about.get("namespace") or "default",
            },
            "involvedObject": about,
            "reason": reason,
            "message": message,
            "source": source,
            "firstTimestamp": clock.format_time(now),
            "lastTimestamp": clock.format_time(now),
            "count": 1,
            "type": kind,
            "reportingComponent": self.component,
        }
        if self._host:
            event["reportingInstance"] = self._host
        return event

    async def run(self) -> None:
        """Write events until cancelled."""
        while True:
            await self._arrived.wait()
            await self.flush()

    async def flush(self) -> None:
        """Write what is pending now."""
        self._arrived.clear()
        while self.pending:
            event = self._correlator.correlate(self.pending.popleft())
            if event is not None:
                await self._write(event)

    async def _write(self, event: Object) -> None:
        for attempt in range(MAX_TRIES):
            try:
                self._correlator.written(await self._store(event))
                return
            except StatusError as error:
                # The server has judged; it would do so again.
                log.debug("server rejected event %s: %s", event["metadata"]["name"], error)
                return
            except OSError as error:
                log.debug("unable to write event: %s", error)
            except Exception:
                log.exception("unable to write event %s", event["metadata"]["name"])
                return
            pause = RETRY_PAUSE * random.random() if attempt == 0 else RETRY_PAUSE
            await asyncio.sleep(pause)
        log.error("unable to write event (retry limit exceeded): %s", event["message"])

    async def _store(self, event: Object) -> Object:
        namespace = event["metadata"]["namespace"]
        if event["count"] > 1:
            name = event["metadata"]["name"]
            patch = {part: event[part] for part in ("count", "lastTimestamp", "message")}
            try:
                return await self._client.patch(EVENTS, name, patch, PatchType.STRATEGIC, namespace)
            except StatusError as error:
                if not errors.is_not_found(error):
                    raise
        return await self._client.create(EVENTS, event, namespace)
