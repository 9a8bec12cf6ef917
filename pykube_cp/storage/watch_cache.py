"""Current objects and recent changes of each resource, in memory, as encoded bytes.

Reads are answered from here; writes reach it through the storage's events, before their writers are
answered. Per resource there are the live entries by key, a sorted list of keys, and a log of recent
changes for those who resume a watch; what is older comes from the storage's history. Nothing here
parses an object, except to index one that another process or run has written.
"""

import asyncio
from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import msgspec
import orjson

from pykube_cp.machinery import clock
from pykube_cp.machinery.objects import Object
from pykube_cp.storage.interface import Event, FutureRevision, Storage

LOG_SECONDS = 300.0
LOG_BYTES = 64 << 20
LOG_MINIMUM = 100
MESSAGE_BYTES = 128 << 20

Index = tuple[dict[str, str] | None, tuple[str, ...]]
"""What is known of an object without parsing it: labels, and the values of its selectable fields."""

Indexer = Callable[[bytes], Index]
Match = Callable[["Entry"], bool]


class Entry(msgspec.Struct, gc=False, frozen=True):
    """One object in one revision: its bytes and what selects it.

    ``message`` is for its protobuf form, see ``Messages``; None where none is kept.
    """

    key: str
    namespace: str
    name: str
    revision: int
    data: bytes
    labels: dict[str, str] | None
    fields: tuple[str, ...]
    message: bytes | None = None

    def object(self) -> Object:
        """A fresh dict of the object."""
        decoded: Object = orjson.loads(self.data)
        return decoded


class Messages:
    """Protobuf forms of current entries: made when first asked for and kept, up to so many bytes.

    What goes beyond the limit is made anew each time, rather than pushing out what is there: whoever
    lists more than fits would push out everything.
    """

    def __init__(self, limit: int = MESSAGE_BYTES) -> None:
        self._limit = limit
        self.size = 0

    def of(self, entry: Entry, make: Callable[[Object], bytes]) -> bytes:
        if entry.message:
            return entry.message
        message = make(entry.object())
        if entry.message is not None and self.size + len(message) <= self._limit:
            self.size += len(message)
            msgspec.structs.force_setattr(entry, "message", message)
        return message

    def forget(self, entry: Entry) -> None:
        """The entry is no longer current."""
        self.size -= len(entry.message or b"")
        msgspec.structs.force_setattr(entry, "message", None)


class Change(msgspec.Struct):
    """One write. ``frames`` keeps what has been encoded for watchers, by media type and transform.

    ``seen`` is for what those see of it who select nothing. While it is being delivered ``object`` is
    what was written, where that is known, for those who want no bytes; to be read only.

    ``entry`` is the state after the write; of a deletion, the last state with the deletion's revision.
    """

    entry: Entry
    previous: Entry | None
    deleted: bool
    at: float
    frames: dict[Any, bytes]
    seen: Any = None
    object: Object | None = None


class Note:
    """Goes with a write through the storage and brings back the entry that it became.

    ``object`` is what was written, if nobody changes it any more: local watchers need not decode it.
    """

    __slots__ = ("entry", "index", "object")

    def __init__(self, index: Index, obj: Object | None = None) -> None:
        self.index = index
        self.object = obj
        self.entry: Entry | None = None


Deliver = Callable[[Change], None]


class Subscription:
    """A watcher: whom to tell, and about what. ``namespace``, ``name`` and ``indexed`` narrow it."""

    __slots__ = ("deliver", "indexed", "name", "namespace")

    def __init__(
        self, deliver: Deliver, namespace: str = "", name: str = "", indexed: str | None = None
    ) -> None:
        self.deliver = deliver
        self.namespace = namespace
        self.name = name
        self.indexed = indexed

    @property
    def bucket(self) -> tuple[str, ...]:
        """The key under which changes of interest are found."""
        if self.name:
            return ("name", self.namespace, self.name)
        if self.indexed is not None:
            return ("indexed", self.indexed)
        if self.namespace:
            return ("namespace", self.namespace)
        return ()


class ResourceCache:
    """Entries and changes of one resource.

    ``indexed_field`` is the position, among the selectable fields, of the one by which watchers are
    found (``spec.nodeName``), or None.
    """

    def __init__(
        self,
        storage: Storage,
        prefix: str,
        indexer: Indexer,
        indexed_field: int | None = None,
        messages: Messages | None = None,
    ) -> None:
        self.prefix = prefix
        self._storage = storage
        self._messages = messages or Messages()
        self._indexer = indexer
        self._indexed_field = indexed_field
        self._entries: dict[str, Entry] = {}
        self._keys: list[str] = []
        self._log: deque[Change] = deque()
        self._log_bytes = 0
        self._log_from = 0
        self._watchers: dict[tuple[str, ...], list[Subscription]] = {}
        self._early: list[Event] | None = []
        self.changed_at = 0
        self.watcher_count = 0
        self.received = 0

    async def load(self) -> None:
        """Read what is stored; events that arrive meanwhile wait and are applied afterwards."""
        found = await self._storage.range(self.prefix)
        for kv in found.items:
            entry = self._entry(kv.key, kv.value, kv.revision, None, message=b"")
            self._entries[kv.key] = entry
            self.changed_at = max(self.changed_at, kv.revision)
        self._keys = sorted(self._entries)
        self._log_from = found.revision
        early, self._early = self._early or [], None
        for event in early:
            if event.revision > found.revision:
                self._apply(event)

    def __len__(self) -> int:
        return len(self._keys)

    def get(self, key: str) -> Entry | None:
        return self._entries.get(key)

    def entries(self, namespace: str = "", start: str = "") -> list[Entry]:
        """Entries in order of their keys, of one namespace or all, from ``start`` on."""
        entries = self._entries
        return [entries[key] for key in self._keys[slice(*self._bounds(namespace, start))]]

    def count(self, namespace: str = "") -> int:
        first, end = self._bounds(namespace, "")
        return end - first

    def apply(self, event: Event) -> None:
        """Take a write of this resource and tell the watchers."""
        self.received += 1
        if self._early is not None:
            self._early.append(event)
        else:
            self._apply(event)

    def subscribe(self, subscription: Subscription) -> Callable[[], None]:
        """Deliver changes from now on; the answer ends that."""
        bucket = self._watchers.setdefault(subscription.bucket, [])
        bucket.append(subscription)
        self.watcher_count += 1

        def end() -> None:
            if subscription in bucket:
                bucket.remove(subscription)
                self.watcher_count -= 1
                if not bucket and self._watchers.get(subscription.bucket) is bucket:
                    del self._watchers[subscription.bucket]

        return end

    def recent(self, after: int) -> "list[Change] | None":
        """Changes later than ``after``, or None when the log does not reach back so far."""
        if after < self._log_from:
            return None
        first = bisect_right(self._log, after, key=lambda change: change.entry.revision)
        return [self._log[index] for index in range(first, len(self._log))]

    async def history(self, after: int) -> "list[Change]":
        """As ``recent``, from the storage; ``Compacted`` when it is gone there as well."""
        return [
            self._change(
                event,
                None
                if event.previous is None
                else self._entry(event.key, event.previous, event.revision, None),
            )
            for event in await self._storage.history(self.prefix, after)
        ]

    def entry_of(self, key: str, value: bytes, revision: int) -> Entry:
        """An entry of bytes read elsewhere (a list at an old revision)."""
        return self._entry(key, value, revision, None)

    def _bounds(self, namespace: str, start: str) -> tuple[int, int]:
        if not namespace and not start:
            return 0, len(self._keys)
        prefix = f"{self.prefix}{namespace}/" if namespace else self.prefix
        first = bisect_left(self._keys, max(prefix, start))
        return first, bisect_left(self._keys, prefix[:-1] + "0", lo=first)

    def _entry(
        self,
        key: str,
        value: bytes,
        revision: int,
        note: Note | None,
        message: bytes | None = None,
    ) -> Entry:
        labels, fields = note.index if note is not None else self._indexer(value)
        namespace, _, name = key[len(self.prefix) :].rpartition("/")
        entry = Entry(key, namespace, name, revision, value, labels, fields, message)
        if note is not None:
            note.entry = entry
        return entry

    def _change(self, event: Event, previous: Entry | None, message: bytes | None = None) -> Change:
        note = event.note if isinstance(event.note, Note) else None
        entry = self._entry(event.key, event.value, event.revision, note, message)
        obj = note.object if note is not None else None
        return Change(entry, previous, event.deleted, clock.monotonic(), {}, object=obj)

    def _apply(self, event: Event) -> None:
        key = event.key
        previous = self._entries.get(key)
        change = self._change(event, previous, None if event.deleted else b"")
        self.changed_at = event.revision
        if previous is not None:
            self._messages.forget(previous)
        if event.deleted:
            if previous is not None:
                del self._entries[key]
                del self._keys[bisect_left(self._keys, key)]
        else:
            if previous is None:
                insort(self._keys, key)
            self._entries[key] = change.entry
        self._remember(change)
        for subscription in list(self._interested(change)):
            subscription.deliver(change)
        change.object = change.seen = None  # the log keeps bytes only

    def _remember(self, change: Change) -> None:
        log = self._log
        log.append(change)
        self._log_bytes += len(change.entry.data)
        oldest = change.at - LOG_SECONDS
        while len(log) > LOG_MINIMUM and (log[0].at < oldest or self._log_bytes > LOG_BYTES):
            gone = log.popleft()
            self._log_bytes -= len(gone.entry.data)
            self._log_from = gone.entry.revision

    def _interested(self, change: Change) -> Iterator[Subscription]:
        watchers = self._watchers
        if not watchers:
            return
        entry = change.entry
        yield from watchers.get((), ())
        yield from watchers.get(("namespace", entry.namespace), ())
        yield from watchers.get(("name", entry.namespace, entry.name), ())
        if self._indexed_field is None:
            return
        now = entry.fields[self._indexed_field]
        yield from watchers.get(("indexed", now), ())
        if change.previous is not None:
            before = change.previous.fields[self._indexed_field]
            if before != now:
                yield from watchers.get(("indexed", before), ())


class WatchCache:
    """The caches of all resources, made on first use, and the revision they have reached."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.messages = Messages()
        self._caches: dict[str, ResourceCache] = {}
        self._loading: dict[str, asyncio.Task[ResourceCache]] = {}
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []
        storage.listen(self._take)

    @property
    def revision(self) -> int:
        return self.storage.revision

    def cache(
        self, prefix: str, indexer: Indexer, indexed_field: int | None = None
    ) -> "ResourceCache | Awaitable[ResourceCache]":
        """The resource's cache: at once when it is loaded, else an awaitable."""
        if prefix in self._caches and prefix not in self._loading:
            return self._caches[prefix]
        if prefix not in self._loading:
            cache = ResourceCache(self.storage, prefix, indexer, indexed_field, self.messages)
            self._caches[prefix] = cache
            self._loading[prefix] = asyncio.ensure_future(self._load(cache))
        return asyncio.shield(self._loading[prefix])

    def drop(self, prefix: str) -> None:
        """Forget a resource that is no longer served."""
        self._caches.pop(prefix, None)
        self._loading.pop(prefix, None)

    async def wait_for(self, revision: int, timeout: float) -> None:
        """Return once ``revision`` is reached; ``FutureRevision`` when it is not in time."""
        if revision <= self.revision:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((revision, future))
        try:
            async with asyncio.timeout(timeout):
                await future
        except TimeoutError:
            raise FutureRevision(revision, self.revision) from None
        finally:
            self._waiters = [waiter for waiter in self._waiters if waiter[1] is not future]

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Objects and watchers by prefix, for metrics."""
        return {prefix: (len(cache), cache.watcher_count) for prefix, cache in self._caches.items()}

    def received(self) -> dict[str, int]:
        """Writes by prefix that the caches have been told of, for metrics."""
        return {prefix: cache.received for prefix, cache in self._caches.items() if cache.received}

    async def _load(self, cache: ResourceCache) -> ResourceCache:
        try:
            await cache.load()
        except BaseException:
            if self._caches.get(cache.prefix) is cache:
                self.drop(cache.prefix)
            raise
        if self._caches.get(cache.prefix) is cache:
            del self._loading[cache.prefix]
        return cache

    def _take(self, events: Sequence[Event]) -> None:
        for event in events:
            cache = self._caches.get(resource_prefix(event.key))
            if cache is not None:
                cache.apply(event)
        if self._waiters:
            reached = events[-1].revision
            for revision, future in self._waiters:
                if revision <= reached and not future.done():
                    future.set_result(None)


def resource_prefix(key: str) -> str:
    """``/registry/core/pods/`` of ``/registry/core/pods/default/web``."""
    group_end = key.find("/", len("/registry/"))
    return key[: key.find("/", group_end + 1) + 1]
