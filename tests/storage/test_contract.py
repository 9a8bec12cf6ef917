import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pykube_cp.storage import sqlite
from pykube_cp.storage.interface import ABSENT, Closed, Conflict, Storage, StorageFailure
from pykube_cp.storage.memory import MemoryStorage
from pykube_cp.storage.sqlite import SqliteStorage
from tests.contracts import storage as contract
from tests.contracts.storage import P, Recorder, delete, keys_of, put, write

Check = Callable[[Storage], Awaitable[None]]


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteStorage]:
    storage = SqliteStorage(path, synchronous="NORMAL")
    await storage.start()
    try:
        yield storage
    finally:
        await storage.close()


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
async def test_memory(check: Check) -> None:
    storage = MemoryStorage()
    await storage.start()
    await check(storage)
    await storage.close()


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
async def test_sqlite(check: Check, tmp_path: Path) -> None:
    async with opened(tmp_path / "db" / "state.db") as storage:
        await check(storage)


async def test_sqlite_keeps_everything_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with opened(path) as storage:
        one, two = await write(storage, P + "a", P + "a")
        await storage.commit([put(P + "timed", expires_at=7.0)])
        before = await storage.history("", 0)
        revision = storage.revision
    async with opened(path) as storage:
        assert (storage.revision, storage.compacted) == (revision, 0)
        assert await storage.history("", 0) == before
        found = await storage.get(P + "a")
        assert found is not None
        assert (found.revision, found.create_revision) == (two, one)
        assert keys_of(await storage.range(P, revision=one)) == [P + "a"]
        assert [kv.key for kv in await storage.expired(8.0, 9)] == [P + "timed"]
        with pytest.raises(Conflict):
            await storage.commit([put(P + "a", expected=one)])


@pytest.mark.parametrize("batch", [1, 1000])
async def test_sqlite_never_gives_a_revision_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(sqlite, "_COMPACT_BATCH", batch)
    path = tmp_path / "state.db"
    async with opened(path) as storage:
        await write(storage, P + "a")
        (last,) = await storage.commit([delete(P + "a")])
        await storage.compact(last)
        assert (await storage.range("")).items == []
    async with opened(path) as storage:
        assert (storage.revision, storage.compacted) == (last, last)
        with pytest.raises(Conflict):
            await storage.commit([put(P + "a", expected=last)])
        told = (await storage.range(P)).revision
    async with opened(path) as storage:
        assert storage.revision == told
        assert (await write(storage, P + "a"))[0] > told


async def test_sqlite_survives_the_death_of_its_process(tmp_path: Path) -> None:
    """Database and log are copied while writes go on: what had been acknowledged is in the copy."""
    path, copy = tmp_path / "state.db", tmp_path / "copy" / "state.db"
    copy.parent.mkdir()
    acknowledged: list[int] = []
    known: list[int] = []

    async def writer(storage: SqliteStorage, number: int) -> None:
        for _ in range(20):
            acknowledged.extend(await storage.commit([put(P + f"{number}"), put(P + "shared")]))

    async def die() -> None:
        while len(acknowledged) < 60:  # noqa: ASYNC110 - the writers say nothing
            await asyncio.sleep(0)
        known.extend(acknowledged)
        for suffix in ("", "-wal"):
            shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")

    async with opened(path) as storage:
        await asyncio.gather(die(), *(writer(storage, each) for each in range(4)))
    async with opened(copy) as storage:
        events = await storage.history("", 0)
        kept = [event.revision for event in events]
        assert set(known) <= set(kept)
        assert storage.revision == kept[-1]
        shared = [event for event in events if event.key == P + "shared"]
        assert len(shared) * 2 == len(kept), "both writes of a commit or neither"
        assert (await write(storage, P + "next"))[0] > kept[-1]


async def test_sqlite_commits_together_what_arrives_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path / "state.db") as storage:
        sizes: list[int] = []
        write_batch = storage._write_batch

        def counted(batch: list[sqlite._Transaction]) -> None:
            sizes.append(len(batch))
            write_batch(batch)

        monkeypatch.setattr(storage, "_write_batch", counted)
        heard = Recorder(storage)
        await asyncio.gather(*(write(storage, P + str(number)) for number in range(100)))
        assert sum(sizes) == 100
        assert len(sizes) <= 3
        assert len(heard.batches) == len(sizes)


async def test_sqlite_conflicts_do_not_harm_neighbours(tmp_path: Path) -> None:
    async with opened(tmp_path / "state.db") as storage:
        heard = Recorder(storage)
        outcomes = await asyncio.gather(
            storage.commit([put(P + "a", expected=ABSENT)]),
            storage.commit([put(P + "b"), put(P + "a", expected=ABSENT)]),
            storage.commit([put(P + "c")]),
            storage.commit([put(P + "a", expected=99)]),
            return_exceptions=True,
        )
        assert [isinstance(each, Conflict) for each in outcomes] == [False, True, False, True]
        assert keys_of(await storage.range(P)) == [P + "a", P + "c"]
        assert [event.key for event in heard.events] == [P + "a", P + "c"]
        assert storage.revision == heard.revisions[-1]
        await heard.judge(storage)


async def test_sqlite_failures_are_told_and_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path / "state.db") as storage:
        (now,) = await write(storage, P + "a")
        # A key that SQLite cannot take: the whole batch fails, but everyone is answered.
        outcomes = await asyncio.gather(
            write(storage, P + "\ud800"), write(storage, P + "b"), return_exceptions=True
        )
        assert [type(each) for each in outcomes] == [StorageFailure] * 2
        assert storage.revision == now
        assert keys_of(await storage.range(P)) == [P + "a"]
        assert (await write(storage, P + "b"))[0] > now


async def test_sqlite_survives_a_writer_that_goes_away(tmp_path: Path) -> None:
    async with opened(tmp_path / "state.db") as storage:
        leaving = asyncio.ensure_future(write(storage, P + "a"))
        staying = asyncio.ensure_future(write(storage, P + "b"))
        await asyncio.sleep(0)
        leaving.cancel()
        await staying
        assert keys_of(await storage.range(P)) == [P + "a", P + "b"]


async def test_sqlite_is_closed_once_it_is(tmp_path: Path) -> None:
    storage = SqliteStorage(tmp_path / "state.db")
    await storage.start()
    writing = asyncio.ensure_future(write(storage, P + "a"))
    await asyncio.sleep(0)
    await storage.close()
    assert await writing
    for call in (
        storage.commit([put(P + "a")]),
        storage.get(P + "a"),
        storage.range(P),
        storage.history(P, 0),
        storage.compact(storage.revision),
        storage.expired(1.0, 1),
    ):
        with pytest.raises(Closed):
            await call
    await storage.close()


async def test_sqlite_refuses_files_of_later_releases(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    async with opened(path) as storage:
        storage._write_connection.execute("PRAGMA user_version = 99")
    later = SqliteStorage(path)
    with pytest.raises(StorageFailure, match="schema version 99"):
        await later.start()
    later._writer.shutdown()
    later._reader.shutdown()
