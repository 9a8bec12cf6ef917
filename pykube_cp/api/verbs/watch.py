"""Follow a collection: what is there, then every change, in order, with bookmarks.

Initial state and changes come from the watch cache in one turn of the loop, so nothing lies between
them. Changes are delivered straight from the write that caused them; only a watch that resumes
further back than the cache's log reads the storage first.
"""

import asyncio
import random
from collections.abc import Callable

from pykube_cp.api.list_options import ListOptions, parse
from pykube_cp.api.request import Watched, WatchResult
from pykube_cp.api.scope import Scope
from pykube_cp.api.selection import Selection, select
from pykube_cp.api.versions import wait_for
from pykube_cp.machinery import errors
from pykube_cp.storage.interface import Compacted
from pykube_cp.storage.watch_cache import Change, Entry, ResourceCache, Subscription, WatchCache

MINIMUM_SECONDS = 1800
BOOKMARK_SECONDS = 60.0

Deliver = Callable[[Watched], bool]


async def handle(scope: Scope) -> WatchResult:
    """A watch; errors that are known before the first event are raised here."""
    options = parse(scope.request.query, watch=True)
    selection = select(scope.request.query, scope.resource, scope.name)
    cache = await scope.store.cache()
    watcher = Watcher(scope, options, selection, cache)
    return WatchResult(scope.resource, watcher.run, is_list=watcher.begins_with_list)


class Watcher:
    """One watch. States: replaying (live changes wait in ``_backlog``), then live."""

    def __init__(
        self, scope: Scope, options: ListOptions, selection: Selection, cache: ResourceCache
    ) -> None:
        self._caches: WatchCache = scope.services.caches
        self._options = options
        self._selection = selection
        self._cache = cache
        self._namespace = scope.namespace or selection.namespace
        self._cluster_scoped = not scope.resource.namespaced
        self._sees_all = selection.matches is None
        self._backlog: list[Change] | None = []
        self._sent = 0
        self._stop: asyncio.Future[None] | None = None
        self._deliver: Deliver = _nobody

    @property
    def begins_with_list(self) -> bool:
        """Whether it sends all there is first, and says where that ends."""
        return bool(self._options.send_initial_events and self._options.allow_bookmarks)

    async def run(self, deliver: Deliver) -> None:
        """Deliver until time is up or the reader is gone."""
        self._deliver = deliver
        self._stop = asyncio.get_running_loop().create_future()
        end = self._cache.subscribe(self._subscription())
        try:
            await self._begin()
            await self._live()
        finally:
            end()

    def _subscription(self) -> Subscription:
        name = self._selection.name
        if name and not (self._namespace or self._cluster_scoped):
            name = ""
        return Subscription(self._take, self._namespace, name, self._selection.indexed)

    async def _begin(self) -> None:
        options = self._options
        if options.send_initial_events:
            if options.version:
                await wait_for(self._caches, options.version)
            self._initial_state(self._caches.revision)
        else:
            after = options.version or self._caches.revision
            await self._replay(after)
        backlog, self._backlog = self._backlog or [], None
        for change in backlog:
            self._take(change)

    def _initial_state(self, revision: int) -> None:
        for entry in self._cache.entries(self._namespace):
            if self._matches(entry) and not self._send(Watched("ADDED", entry)):
                return
        self._sent = revision
        if self.begins_with_list:
            self._send(Watched("BOOKMARK", None, revision, initial_events_end=True))

    async def _replay(self, after: int) -> None:
        changes = self._cache.recent(after)
        if changes is None:
            try:
                changes = await self._cache.history(after)
            except Compacted as error:
                raise errors.resource_expired(
                    f"too old resource version: {error.revision} ({error.compacted})"
                ) from None
        self._sent = after
        for change in changes:
            self._pass(change)

    async def _live(self) -> None:
        assert self._stop is not None
        seconds = self._options.timeout_seconds or 0
        if seconds <= 0:
            seconds = int(MINIMUM_SECONDS * (1.0 + random.random()))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not self._stop.done():
            left = deadline - loop.time()
            if left <= 0:
                return
            pause = min(left, BOOKMARK_SECONDS * (0.9 + 0.2 * random.random()))
            await asyncio.wait([self._stop], timeout=pause)
            if self._options.allow_bookmarks and not self._stop.done():
                self._send(Watched("BOOKMARK", None, self._caches.revision))

    # Called for each change of the resource that may concern this watch.

    def _take(self, change: Change) -> None:
        if self._backlog is not None:
            self._backlog.append(change)
        else:
            self._pass(change)

    def _pass(self, change: Change) -> None:
        revision = change.entry.revision
        if revision <= self._sent or not self._concerns(change):
            return
        self._sent = revision
        watched = _as_all_see(change) if self._sees_all else self._as_seen(change)
        if watched is not None:
            self._send(watched)

    def _as_seen(self, change: Change) -> Watched | None:
        """What this watcher sees of a change: objects come and go with the selector."""
        was = change.previous is not None and self._matches(change.previous)
        if change.deleted:
            return Watched("DELETED", change.entry, frames=change.frames) if was else None
        if self._matches(change.entry):
            return _present("MODIFIED" if was else "ADDED", change)
        if was:
            stamp = change.entry.revision
            return Watched("DELETED", change.previous, stamp, frames=change.frames)
        return None

    def _matches(self, entry: Entry) -> bool:
        matches = self._selection.matches
        return matches is None or matches(entry)

    def _concerns(self, change: Change) -> bool:
        return not self._namespace or change.entry.namespace == self._namespace

    def _send(self, watched: Watched) -> bool:
        if self._deliver(watched):
            return True
        if self._stop is not None and not self._stop.done():
            self._stop.set_result(None)
        return False


def _as_all_see(change: Change) -> Watched | None:
    """What those see who select nothing; the same for all of them."""
    seen: Watched | None = change.seen
    if seen is None and (change.previous is not None or not change.deleted):
        kind = "DELETED" if change.deleted else "MODIFIED" if change.previous else "ADDED"
        seen = change.seen = _present(kind, change)
    return seen


def _present(kind: str, change: Change) -> Watched:
    return Watched(kind, change.entry, frames=change.frames, object=change.object)


def _nobody(watched: Watched) -> bool:
    del watched
    return False
