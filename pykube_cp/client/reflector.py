"""List and watch: the machine that keeps an informer current.

    STREAM --------- end of initial events, then changes ---------> WATCH
      | not supported, or broken off early                            | ended: again, from where
      v                                                               |        it stopped
    LIST ----------- all objects as of one version ---------------> WATCH
      ^                                                               |
      +------- version gone (410), or an error that may lie in it ----+

Whatever fails is tried again after a pause that grows from 0.8 s to 30 s, with jitter, and starts
over once nothing failed for two minutes. Nothing but cancellation ends it.
"""

# upstream: client-go tools/cache/reflector.go Reflector.ListAndWatchWithContext

import logging
import random
from asyncio import sleep
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from pykube_cp.client.interface import Client, EventType, WatchEvent
from pykube_cp.machinery import clock, errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

BACKOFF_INITIAL = 0.8
BACKOFF_MAXIMUM = 30.0
BACKOFF_RESET = 120.0
MIN_WATCH_SECONDS = 300
MAX_WATCH_SECONDS = 600
PAGE_SIZE = 500
INITIAL_EVENTS_END = "k8s.io/initial-events-end"
_SHORT_WATCH = 1.0


class State(Enum):
    """Where the reflector is."""

    STREAM = "waits for a watch to send all objects there are, and then follows it"
    LIST = "asks for all objects"
    WATCH = "follows changes after the version it has come to"


class Sink(Protocol):
    """Who wants to know: an informer."""

    def replace(self, items: Iterable[Object], /) -> None:
        """These are all objects."""
        ...

    def apply(self, event: WatchEvent, /) -> None:
        """One of them changed."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a resource are followed."""

    label_selector: str = ""
    field_selector: str = ""


class Backoff:
    """Pauses that double while failures keep coming."""

    def __init__(self) -> None:
        self._next = BACKOFF_INITIAL
        self._last = clock.monotonic()

    def step(self) -> float:
        """Seconds to pause now; up to twice the nominal pause, so that clients do not align."""
        now = clock.monotonic()
        if now - self._last > BACKOFF_RESET:
            self._next = BACKOFF_INITIAL
        self._last = now
        pause = self._next
        self._next = min(pause * 2, BACKOFF_MAXIMUM)
        return pause * (1 + random.random())


class ShortWatchError(Exception):
    """A watch ended at once without an event: to ask again at once would be a busy loop."""


class Reflector:
    """Keeps ``sink`` current with one resource while ``run`` runs.

    Attributes:
        resource_version: how far it has come, empty before the first list.
        state: where it is; for logs and tests.
    """

    def __init__(
        self, client: Client, gvr: GVR, sink: Sink, namespace: str, selection: Selection
    ) -> None:
        self.resource_version = ""
        self.state = State.STREAM
        self._client = client
        self._gvr = gvr
        self._sink = sink
        self._namespace = namespace
        self._selection = selection
        self._backoff = Backoff()
        self._version_unavailable = False
        self._streams = True

    async def run(self) -> None:
        """Follow the resource until cancelled."""
        while True:
            try:
                self.state = await self._step()
            except (StatusError, OSError, ShortWatchError) as error:
                self.state = self._after(error)
                log.debug("%s: %s, then %s", self._gvr.group_resource, error, self.state.name)
                await sleep(self._backoff.step())
            except Exception:
                log.exception("reflector of %s", self._gvr.group_resource)
                self.state = self._from_scratch()
                await sleep(self._backoff.step())

    async def _step(self) -> State:
        if self.state is State.STREAM:
            return await self._stream()
        if self.state is State.LIST:
            return await self._list()
        return await self._watch()

    def _from_scratch(self) -> State:
        return State.STREAM if self._streams else State.LIST

    def _after(self, error: Exception) -> State:
        """Where to go on after a failure."""
        if self.state is not State.WATCH:
            return self._from_scratch()
        if isinstance(error, StatusError) and not _keeps_version(error):
            return self._from_scratch()
        return State.WATCH

    def _list_version(self) -> str:
        """The version a list must have reached: any at first, later none older than known."""
        # upstream: reflector.go relistResourceVersion
        if self._version_unavailable:
            return ""
        return self.resource_version or "0"

    def _open(
        self, version: str, *, initial_events: bool
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        return self._client.watch(
            self._gvr,
            self._namespace,
            resource_version=version,
            label_selector=self._selection.label_selector,
            field_selector=self._selection.field_selector,
            send_initial_events=True if initial_events else None,
            timeout_seconds=random.randint(MIN_WATCH_SECONDS, MAX_WATCH_SECONDS),
        )

    # STREAM

    async def _stream(self) -> State:
        version = "" if self._version_unavailable else self.resource_version
        try:
            async with self._open(version, initial_events=True) as events:
                if not await self._receive_all(events):
                    return State.LIST
                self._version_unavailable = False
                self.state = State.WATCH
                await self._follow(events)
        except StatusError as error:
            if self.state is State.WATCH:
                raise
            # Unlike a broken connection, this server will refuse the next time as well.
            self._streams = not errors.is_invalid(error)
            return State.LIST
        return State.WATCH

    async def _receive_all(self, events: AsyncIterator[WatchEvent]) -> bool:
        """Take in the initial events; False if they end without the bookmark that closes them."""
        found: dict[str, Object] = {}
        async for event in events:
            if event.type is EventType.DELETED:
                found.pop(objects.key(event.object), None)
            elif event.type is not EventType.BOOKMARK:
                found[objects.key(event.object)] = event.object
            elif objects.annotations(event.object).get(INITIAL_EVENTS_END) == "true":
                self._sink.replace(found.values())
                self.resource_version = objects.resource_version(event.object)
                return True
        return False

    # LIST

    async def _list(self) -> State:
        try:
            version, items = await self._pages(self._list_version())
        except StatusError as error:
            if not (
                errors.is_gone_or_expired(error) or errors.is_too_large_resource_version(error)
            ):
                raise
            self._version_unavailable = True
            version, items = await self._pages("")
        self._version_unavailable = False
        self._sink.replace(items)
        self.resource_version = version
        return State.WATCH

    async def _pages(self, version: str) -> tuple[str, list[Object]]:
        """All objects; in pages where the list may have to come from storage."""
        limit = 0 if version else PAGE_SIZE
        items: list[Object] = []
        continue_ = ""
        while True:
            page = await self._client.list(
                self._gvr,
                self._namespace,
                label_selector=self._selection.label_selector,
                field_selector=self._selection.field_selector,
                resource_version="" if continue_ else version,
                limit=limit,
                continue_=continue_,
            )
            items.extend(page.items)
            continue_ = page.continue_
            if not continue_:
                return page.resource_version, items

    # WATCH

    async def _watch(self) -> State:
        started = clock.monotonic()
        async with self._open(self.resource_version, initial_events=False) as events:
            received = await self._follow(events)
        if not received and clock.monotonic() - started < _SHORT_WATCH:
            raise ShortWatchError(
                "Unexpected watch close - watch lasted less than a second and no items received"
            )
        return State.WATCH

    async def _follow(self, events: AsyncIterator[WatchEvent]) -> int:
        """Take in changes until the watch ends; how many there were."""
        received = 0
        async for event in events:
            received += 1
            if event.type is not EventType.BOOKMARK:
                self._sink.apply(event)
            self.resource_version = objects.resource_version(event.object)
        return received


def _keeps_version(error: StatusError) -> bool:
    """Whether to go on watching from the same version: the server is busy, not we are wrong."""
    return (
        errors.is_too_many_requests(error) or errors.is_internal_error(error) or error.code >= 502
    )
