import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson
import pytest

from pykube_cp.machinery.objects import Object
from pykube_cp.storage import watch_cache
from pykube_cp.storage.interface import Compacted, Delete, Event, FutureRevision, Put, Range
from pykube_cp.storage.memory import MemoryStorage
from pykube_cp.storage.object_store import ObjectStore, renderer
from pykube_cp.storage.watch_cache import (
    Change,
    Entry,
    Index,
    Messages,
    ResourceCache,
    Subscription,
    WatchCache,
    resource_prefix,
)

PODS = "/registry/core/pods/"
GROUP_RESOURCE = ("", "pods")


def pod(name: str, node: str = "", namespace: str = "ns", **labels: str) -> Object:
    meta = {"name": name, "namespace": namespace, "labels": labels}
    return {"metadata": meta, "spec": {"nodeName": node}}


def index(obj: Object) -> Index:
    return obj["metadata"].get("labels"), (obj["spec"]["nodeName"],)


def indexer(data: bytes) -> Index:
    return index(orjson.loads(data))


def key(name: str, namespace: str = "ns") -> str:
    return f"{PODS}{namespace}/{name}"


async def write(storage: MemoryStorage, obj: Object) -> int:
    meta = obj["metadata"]
    path = key(meta["name"], meta["namespace"])
    return (await storage.commit([Put(key=path, render=renderer(obj), expected=None)]))[0]


async def remove(storage: MemoryStorage, obj: Object) -> int:
    path = key(obj["metadata"]["name"], obj["metadata"]["namespace"])
    return (await storage.commit([Delete(key=path, render=renderer(obj), expected=None)]))[0]


async def loaded(caches: WatchCache, indexed: int | None = 0) -> ResourceCache:
    found = caches.cache(PODS, indexer, indexed)
    return found if isinstance(found, ResourceCache) else await found


def names(entries: Sequence[Entry]) -> list[str]:
    return [f"{entry.namespace}/{entry.name}" for entry in entries]


def seen(changes: Sequence[Change]) -> list[tuple[int, str, bool]]:
    return [(change.entry.revision, change.entry.name, change.deleted) for change in changes]


class SlowStorage(MemoryStorage):
    """Ranges are read at once but answered only when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.fails = False

    async def range(self, prefix: str, **options: Any) -> Range:
        found = await super().range(prefix, **options)
        await self.go.wait()
        if self.fails:
            raise OSError("no")
        return found


async def test_a_cache_follows_the_storage() -> None:
    storage = MemoryStorage()
    await write(storage, pod("b"))
    cache = await loaded(WatchCache(storage))
    await write(storage, pod("a"))
    await write(storage, pod("z", namespace="a"))
    await write(storage, pod("c", namespace="ns-2"))
    assert names(cache.entries()) == ["a/z", "ns-2/c", "ns/a", "ns/b"]
    assert names(cache.entries("ns")) == ["ns/a", "ns/b"]
    assert names(cache.entries("ns", key("a") + "\0")) == ["ns/b"]
    assert (cache.count(), cache.count("ns"), cache.count("n"), len(cache)) == (4, 2, 0, 4)
    revision = await remove(storage, pod("b"))
    assert cache.get(key("b")) is None
    assert names(cache.entries("ns")) == ["ns/a"]
    assert cache.changed_at == revision
    entry = cache.get(key("a"))
    assert entry is not None
    assert entry.object()["metadata"]["resourceVersion"] == str(entry.revision)


async def test_writes_during_loading_are_neither_lost_nor_doubled() -> None:
    storage = SlowStorage()
    caches = WatchCache(storage)
    first = await write(storage, pod("kept"))
    await write(storage, pod("gone"))
    loading = asyncio.ensure_future(loaded(caches))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    second = await write(storage, pod("kept", "n1"))
    third = await remove(storage, pod("gone"))
    fourth = await write(storage, pod("new"))
    storage.go.set()
    cache = await loading
    assert names(cache.entries()) == ["ns/kept", "ns/new"]
    changes = cache.recent(first + 1)
    assert changes is not None
    assert seen(changes) == [(second, "kept", False), (third, "gone", True), (fourth, "new", False)]
    assert [None if c.previous is None else c.previous.revision for c in changes] == [
        first,
        first + 1,
        None,
    ]
    assert await loaded(caches) is cache


async def test_everyone_who_asks_early_gets_the_same_cache() -> None:
    storage = SlowStorage()
    caches = WatchCache(storage)
    asking = [asyncio.ensure_future(loaded(caches)) for _ in range(3)]
    await asyncio.sleep(0)
    asking[0].cancel()
    storage.go.set()
    one, two = await asyncio.gather(*asking[1:])
    assert one is two is await loaded(caches)


async def test_a_failed_load_is_tried_again() -> None:
    storage = SlowStorage()
    caches = WatchCache(storage)
    storage.go.set()
    storage.fails = True
    with pytest.raises(OSError, match="no"):
        await loaded(caches)
    storage.fails = False
    await write(storage, pod("a"))
    assert names((await loaded(caches)).entries()) == ["ns/a"]


async def test_resuming_from_the_log() -> None:
    storage = MemoryStorage()
    cache = await loaded(WatchCache(storage))
    start = storage.revision
    one = await write(storage, pod("a", x="1"))
    two = await write(storage, pod("a", x="2"))
    three = await remove(storage, pod("a", x="2"))
    assert seen(cache.recent(start) or []) == [
        (one, "a", False),
        (two, "a", False),
        (three, "a", True),
    ]
    changes = cache.recent(one) or []
    assert seen(changes) == [(two, "a", False), (three, "a", True)]
    assert [change.previous.labels for change in changes if change.previous] == [
        {"x": "1"},
        {"x": "2"},
    ]
    assert cache.recent(three) == []
    assert cache.recent(start - 1) is None


async def test_resuming_from_history_when_the_log_is_too_short(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch_cache, "LOG_MINIMUM", 2)
    monkeypatch.setattr(watch_cache, "LOG_BYTES", 1)
    storage = MemoryStorage()
    cache = await loaded(WatchCache(storage))
    start = storage.revision
    revisions = [await write(storage, pod("a", x=str(number))) for number in range(5)]
    assert cache.recent(revisions[1]) is None
    assert seen(cache.recent(revisions[2]) or []) == [(each, "a", False) for each in revisions[3:]]
    changes = await cache.history(start)
    assert [change.entry.revision for change in changes] == revisions
    assert [change.entry.labels for change in changes] == [{"x": str(each)} for each in range(5)]
    before = [None if c.previous is None else c.previous.labels for c in changes]
    assert before == [None, *({"x": str(each)} for each in range(4))]
    await storage.compact(revisions[1])
    assert len(await cache.history(revisions[1])) == 3
    with pytest.raises(Compacted):
        await cache.history(revisions[0])


async def test_changes_know_what_was_before_for_selectors() -> None:
    """Entering and leaving a selection is judged by the state before, whatever was deleted between."""
    storage = MemoryStorage()
    cache = await loaded(WatchCache(storage))
    changes: list[Change] = []
    cache.subscribe(Subscription(changes.append))
    for obj in (pod("a", x="out"), pod("a", x="in"), pod("a", x="out")):
        await write(storage, obj)
    await remove(storage, pod("a", x="out"))
    await write(storage, pod("a", x="in"))
    told = [
        (
            None if c.previous is None else (c.previous.labels or {})["x"],
            (c.entry.labels or {})["x"],
        )
        for c in changes
    ]
    assert told == [(None, "out"), ("out", "in"), ("in", "out"), ("out", "out"), (None, "in")]


async def test_watchers_hear_only_what_concerns_them() -> None:
    storage = MemoryStorage()
    cache = await loaded(WatchCache(storage))
    heard: dict[str, list[str]] = {}

    def subscribe(who: str, **narrowed: str) -> None:
        names = heard[who] = []
        cache.subscribe(Subscription(lambda change: names.append(change.entry.name), **narrowed))

    subscribe("all")
    subscribe("namespace", namespace="ns")
    subscribe("name", namespace="ns", name="a")
    subscribe("n1", indexed="n1")
    subscribe("n2", indexed="n2")
    subscribe("unassigned", indexed="")
    await write(storage, pod("a"))
    await write(storage, pod("a", "n1"))
    await write(storage, pod("b", "n1", namespace="other"))
    await write(storage, pod("a", "n2"))
    await remove(storage, pod("a", "n2"))
    assert heard == {
        "all": ["a", "a", "b", "a", "a"],
        "namespace": ["a", "a", "a", "a"],
        "name": ["a", "a", "a", "a"],
        "n1": ["a", "b", "a"],
        "n2": ["a", "a"],
        "unassigned": ["a", "a"],
    }


async def test_ending_a_subscription_while_it_is_told() -> None:
    storage = MemoryStorage()
    cache = await loaded(WatchCache(storage))
    heard: list[str] = []
    ends: list[Callable[[], None]] = []

    def once(change: Change) -> None:
        heard.append(change.entry.name)
        ends[0]()

    ends.append(cache.subscribe(Subscription(once)))
    cache.subscribe(Subscription(lambda change: heard.append("other " + change.entry.name)))
    assert cache.watcher_count == 2
    await write(storage, pod("a"))
    await write(storage, pod("b"))
    assert heard == ["a", "other a", "other b"]
    ends[0]()
    assert cache.watcher_count == 1


async def test_a_dropped_cache_is_read_anew() -> None:
    storage = MemoryStorage()
    caches = WatchCache(storage)
    old = await loaded(caches)
    caches.drop(PODS)
    caches.drop(PODS)
    await write(storage, pod("a"))
    new = await loaded(caches)
    assert new is not old
    assert names(new.entries()) == ["ns/a"]
    assert old.entries() == []
    assert caches.sizes() == {PODS: (1, 0)}


async def test_a_cache_dropped_while_it_loads_is_read_anew() -> None:
    storage = SlowStorage()
    caches = WatchCache(storage)
    loading = asyncio.ensure_future(loaded(caches))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    caches.drop(PODS)
    await write(storage, pod("a"))
    anew = asyncio.ensure_future(loaded(caches))
    await asyncio.sleep(0)
    storage.go.set()
    await loading
    assert names((await anew).entries()) == ["ns/a"]
    await write(storage, pod("b"))
    assert names((await loaded(caches)).entries()) == ["ns/a", "ns/b"]


async def test_waiting_for_a_revision() -> None:
    storage = MemoryStorage()
    caches = WatchCache(storage)
    await caches.wait_for(storage.revision, 0)
    waiting = asyncio.ensure_future(caches.wait_for(storage.revision + 2, 5))
    await write(storage, pod("a"))
    await asyncio.sleep(0)
    assert not waiting.done()
    await write(storage, pod("b"))
    await waiting
    with pytest.raises(FutureRevision) as caught:
        await caches.wait_for(storage.revision + 1, 0.001)
    assert caught.value.current == storage.revision
    assert caches._waiters == []


async def test_writers_get_the_entry_that_the_cache_holds() -> None:
    storage = MemoryStorage()
    caches = WatchCache(storage)
    objects = ObjectStore(storage)

    async def create(name: str) -> Entry:
        obj = pod(name, "n1", x="y")
        return await objects.create(key(name), obj, index(obj), group_resource=GROUP_RESOURCE)

    before = await create("early")
    cache = await loaded(caches)
    found = cache.get(key("early"))
    assert found is not None
    assert msgspec.structs.replace(found, message=None) == before
    entry = await create("a")
    assert cache.get(key("a")) is entry
    assert (entry.namespace, entry.name, entry.labels, entry.fields) == (
        "ns",
        "a",
        {"x": "y"},
        ("n1",),
    )


async def test_events_of_other_resources_are_left_alone() -> None:
    storage = MemoryStorage()
    cache = await loaded(WatchCache(storage))
    for path in ("/registry/core/podtemplates/ns/a", "/registry/apps/pods/ns/a"):
        await storage.commit([Put(key=path, render=lambda _: b"{}", expected=None)])
    assert len(cache) == 0
    assert resource_prefix("/registry/core/nodes/a") == "/registry/core/nodes/"


async def test_events_without_notes_are_parsed() -> None:
    """As they come from history, or from another server on the same storage."""
    cache = ResourceCache(MemoryStorage(), PODS, indexer, 0)
    await cache.load()
    data = orjson.dumps(pod("a", "n1", x="y"))
    cache.apply(Event(key("a"), data, 9, 9, False, None, None))
    entry = cache.get(key("a"))
    assert entry is not None
    assert (entry.labels, entry.fields, entry.revision) == ({"x": "y"}, ("n1",), 9)


async def test_messages_are_made_once_and_forgotten_with_their_entry() -> None:
    storage = MemoryStorage()
    caches = WatchCache(storage)
    cache = await loaded(caches)
    made: list[str] = []

    def make(obj: Object) -> bytes:
        made.append(obj["metadata"]["name"])
        return b"a message"

    def current(name: str) -> Entry:
        found = cache.get(key(name))
        assert found is not None
        return found

    await write(storage, pod("a"))
    old = current("a")
    assert [caches.messages.of(old, make) for _ in range(2)] == [b"a message"] * 2
    assert (made, caches.messages.size) == (["a"], 9)
    await write(storage, pod("a"))
    assert caches.messages.size == 0
    assert caches.messages.of(old, make) == b"a message"
    assert (len(made), caches.messages.size) == (2, 0)
    caches.messages.of(current("a"), make)
    assert caches.messages.size == 9
    await remove(storage, pod("a"))
    assert caches.messages.size == 0


async def test_messages_beyond_the_limit_are_not_kept() -> None:
    storage = MemoryStorage()
    cache = await loaded(WatchCache(storage))
    for name in ("a", "b"):
        await write(storage, pod(name))
    kept = Messages(limit=10)
    first, second = cache.entries()
    assert kept.of(first, lambda _obj: b"sixsix") == b"sixsix"
    assert kept.of(second, lambda _obj: b"sixsix") == b"sixsix"
    assert (first.message, second.message, kept.size) == (b"sixsix", b"", 6)


async def test_watchers_get_what_was_written_and_the_log_keeps_only_bytes() -> None:
    storage = MemoryStorage()
    caches = WatchCache(storage)
    cache = await loaded(caches)
    got: list[tuple[Object | None, Object]] = []
    changes: list[Change] = []

    def deliver(change: Change) -> None:
        changes.append(change)
        got.append((change.object, change.entry.object()))

    cache.subscribe(Subscription(deliver))
    objects = ObjectStore(storage)
    obj = pod("a", "n1", x="y")
    entry = await objects.create(key("a"), obj, index(obj), group_resource=GROUP_RESOURCE)
    await objects.delete(
        key("a"), pod("a"), index(obj), entry.revision, group_resource=GROUP_RESOURCE
    )
    assert got[0][0] is obj
    assert got[0][0] == got[0][1]
    assert got[1][0] is None  # what is deleted goes on to the client's answer
    assert [change.object for change in changes] == [None, None]
