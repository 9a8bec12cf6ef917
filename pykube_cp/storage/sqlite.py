"""Storage in one SQLite file: embedded, durable before the answer, one commit for many writes.

A single thread owns the writing connection. Transactions that arrive while a commit runs wait in a
list and share the next one, so a burst of a hundred writers costs one fsync instead of a hundred. A
second connection, read-only, serves reads from another thread without waiting for the writer.

Revisions are handed out on the event loop, in order of arrival, and the writer keeps that order. A
transaction that fails its condition leaves its revisions unused: a gap, which the contract allows.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw

from pykube_cp.storage.broadcast import Broadcast
from pykube_cp.storage.interface import (
    Closed,
    Compacted,
    Conflict,
    Event,
    FutureRevision,
    KeyValue,
    Listener,
    Operation,
    Put,
    Range,
    StorageFailure,
)

SCHEMA_VERSION = 1
_COMPACT_BATCH = 1000

# log holds every version; live names the current one of each key.
_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (
    revision INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    create_revision INTEGER NOT NULL,
    previous INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    value BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS log_by_key ON log (key, revision);
CREATE TABLE IF NOT EXISTS live (
    key TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    create_revision INTEGER NOT NULL,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS live_by_expiry ON live (expires_at) WHERE expires_at > 0;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""
_LIVE = "SELECT revision, create_revision FROM live WHERE key = ?"
_PUT_LOG = "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)"
_PUT_LIVE = (
    "INSERT INTO live VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET "
    "revision = excluded.revision, expires_at = excluded.expires_at"
)
_NOW = (
    "SELECT live.key, value, live.revision, live.create_revision "
    "FROM live JOIN log ON log.revision = live.revision WHERE live.key >= ? AND live.key < ? "
    "ORDER BY live.key LIMIT ?"
)
_THEN = (
    "SELECT key, value, revision, create_revision FROM log WHERE revision IN "
    "(SELECT max(revision) FROM log WHERE key >= ? AND key < ? AND revision <= ? GROUP BY key) "
    "AND deleted = 0 ORDER BY key LIMIT ?"
)
_COUNT_NOW = "SELECT count(*) FROM live WHERE key >= ? AND key < ?"
_COUNT_THEN = (
    "SELECT count(*) FROM log WHERE revision IN (SELECT max(revision) FROM log "
    "WHERE key >= ? AND key < ? AND revision <= ? GROUP BY key) AND deleted = 0"
)
_HISTORY = (
    "SELECT log.key, log.value, log.revision, log.create_revision, log.deleted, before.value "
    "FROM log LEFT JOIN log AS before ON before.revision = log.previous AND before.deleted = 0 "
    "WHERE log.revision > ? AND log.key >= ? AND log.key < ? ORDER BY log.revision"
)


class _Transaction:
    """Operations with their revisions, on the way to the writer and back."""

    __slots__ = ("conflict", "events", "future", "operations", "revisions", "values")

    def __init__(
        self,
        operations: Sequence[Operation],
        first_revision: int,
        future: "asyncio.Future[list[int]]",
    ) -> None:
        self.operations = operations
        self.revisions = list(range(first_revision, first_revision + len(operations)))
        self.values = [
            operation.render(revision)
            for operation, revision in zip(operations, self.revisions, strict=True)
        ]
        self.future = future
        self.events: list[Event] = []
        self.conflict: Conflict | None = None


class SqliteStorage:
    """The embedded default. ``synchronous`` is FULL (safe against power loss) or NORMAL."""

    def __init__(self, path: Path, *, synchronous: str = "FULL") -> None:
        self._path = path
        self._synchronous = synchronous
        self._broadcast = Broadcast()
        self._writer = ThreadPoolExecutor(1, "storage-writer")
        self._reader = ThreadPoolExecutor(1, "storage-reader")
        self._waiting: list[_Transaction] = []
        self._committing: asyncio.Task[None] | None = None
        self._next_revision = 2
        self._revision = 1
        self._compacted = 0
        self._closed = False

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def compacted(self) -> int:
        return self._compacted

    @property
    def size(self) -> int:
        """Of the file and of its log, where writes stay for a while."""
        log = self._path.with_name(f"{self._path.name}-wal")
        return sum(path.stat().st_size for path in (self._path, log) if path.exists())

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self._broadcast.listen(listener)

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._revision, self._compacted = await loop.run_in_executor(self._writer, self._open)
        self._next_revision = self._revision + 1
        await loop.run_in_executor(self._reader, self._open_reader)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._committing is not None:
            await self._committing
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._reader, self._read_connection.close)
        await loop.run_in_executor(self._writer, self._write_connection.close)
        self._reader.shutdown()
        self._writer.shutdown()

    async def commit(self, operations: Sequence[Operation]) -> list[int]:
        if self._closed:
            raise Closed
        loop = asyncio.get_running_loop()
        transaction = _Transaction(operations, self._next_revision, loop.create_future())
        self._next_revision += len(operations)
        self._waiting.append(transaction)
        if self._committing is None:
            self._committing = loop.create_task(self._commit_waiting())
        # A caller that goes away does not take its write with it: it may be on the disk already.
        return await asyncio.shield(transaction.future)

    async def get(self, key: str, *, revision: int = 0) -> KeyValue | None:
        self._check(revision)
        rows = await self._read(self._select, key, key + "\0", revision, 1)
        self._check(revision)
        return KeyValue(*rows[0]) if rows else None

    async def range(
        self, prefix: str, *, start: str = "", revision: int = 0, limit: int = 0
    ) -> Range:
        first, end = max(prefix, start), _end_of(prefix)
        while True:
            at = self._check(revision)
            rows, count = await self._read(self._select_range, first, end, at, limit)
            if at >= self._compacted:
                return Range([KeyValue(*row) for row in rows], at, len(rows) < count, count)

    async def history(self, prefix: str, after: int) -> list[Event]:
        if after < self._compacted:
            raise Compacted(after, self._compacted)
        until = self._revision
        rows = await self._read(self._query, _HISTORY, (after, prefix, _end_of(prefix)))
        if after < self._compacted:
            raise Compacted(after, self._compacted)
        return [
            Event(key, value, revision, created, bool(deleted), before, None)
            for key, value, revision, created, deleted, before in rows
            if revision <= until
        ]

    async def compact(self, revision: int) -> None:
        if self._closed:
            raise Closed
        target = min(revision, self._revision)
        if target <= self._compacted:
            return
        self._compacted = target
        loop = asyncio.get_running_loop()
        more = True
        while more and not self._closed:
            more = await loop.run_in_executor(self._writer, self._compact_batch, target)

    async def expired(self, now: float, limit: int) -> list[KeyValue]:
        sql = (
            "SELECT live.key, value, live.revision, live.create_revision FROM live JOIN log ON "
            "log.revision = live.revision WHERE expires_at > 0 AND expires_at <= ? LIMIT ?"
        )
        return [KeyValue(*row) for row in await self._read(self._query, sql, (now, limit))]

    # On the event loop.

    def _check(self, revision: int) -> int:
        if self._closed:
            raise Closed
        if revision > self._revision:
            raise FutureRevision(revision, self._revision)
        if 0 < revision < self._compacted:
            raise Compacted(revision, self._compacted)
        return revision or self._revision

    async def _read(self, function: Callable[..., Any], *args: object) -> Any:
        if self._closed:
            raise Closed
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, function, *args)

    async def _commit_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    await loop.run_in_executor(self._writer, self._write_batch, batch)
                except Exception as failure:  # noqa: BLE001 - everyone in the batch gets an answer
                    self._fail(batch, failure)
                else:
                    self._finish(batch)
        finally:
            self._committing = None

    def _finish(self, batch: list[_Transaction]) -> None:
        events = [event for transaction in batch for event in transaction.events]
        if events:
            # Not that of a refused write: after a restart another write may get it.
            self._revision = events[-1].revision
            self._broadcast.publish(events)
        for transaction in batch:
            if transaction.future.cancelled():
                continue
            if transaction.conflict is not None:
                transaction.future.set_exception(transaction.conflict)
            else:
                transaction.future.set_result(transaction.revisions)

    def _fail(self, batch: list[_Transaction], failure: Exception) -> None:
        for transaction in batch:
            if not transaction.future.cancelled():
                transaction.future.set_exception(StorageFailure(str(failure)))

    # In the writer's thread.

    def _open(self) -> tuple[int, int]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
        connection = apsw.Connection(str(self._path))
        self._write_connection = connection
        connection.set_busy_timeout(5000)
        for pragma in (
            "journal_mode = WAL",
            f"synchronous = {self._synchronous}",
            "wal_autocheckpoint = 4000",
            "journal_size_limit = 67108864",
        ):
            connection.execute(f"PRAGMA {pragma}")
        self._migrate(connection)
        revision = connection.execute("SELECT coalesce(max(revision), 1) FROM log").get
        meta: dict[str, int] = {
            str(name): int(str(value))
            for name, value in connection.execute("SELECT name, value FROM meta").fetchall()
        }
        return max(revision, meta.get("revision", 1)), meta.get("compacted", 0)

    def _migrate(self, connection: apsw.Connection) -> None:
        found = connection.execute("PRAGMA user_version").get
        if found not in (0, SCHEMA_VERSION):
            raise StorageFailure(
                f"{self._path} has schema version {found}; this release knows {SCHEMA_VERSION}"
            )
        with connection:
            connection.execute(_SCHEMA)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def _write_batch(self, batch: list[_Transaction]) -> None:
        connection = self._write_connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            for transaction in batch:
                transaction.conflict = None
                transaction.events = []
                self._write_transaction(connection, transaction)
            connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(apsw.Error):
                connection.execute("ROLLBACK")
            raise

    def _write_transaction(self, connection: apsw.Connection, transaction: _Transaction) -> None:
        for operation in transaction.operations:
            actual = connection.execute(_LIVE, (operation.key,)).fetchone()
            if operation.expected is not None and operation.expected != (
                actual[0] if actual else 0
            ):
                rows = self._select_on(connection, operation.key, operation.key + "\0", 0, 1)
                transaction.conflict = Conflict(operation.key, KeyValue(*rows[0]) if rows else None)
                return
        for operation, revision, value in zip(
            transaction.operations, transaction.revisions, transaction.values, strict=True
        ):
            transaction.events.append(self._write(connection, operation, revision, value))

    def _write(
        self, connection: apsw.Connection, operation: Operation, revision: int, value: bytes
    ) -> Event:
        actual = connection.execute(_LIVE, (operation.key,)).fetchone()
        before, created = actual or (0, revision)
        deleted = not isinstance(operation, Put)
        row = (revision, operation.key, created, before, int(deleted), value)
        connection.execute(_PUT_LOG, row)
        if isinstance(operation, Put):
            live = (operation.key, revision, created, operation.expires_at)
            connection.execute(_PUT_LIVE, live)
        else:
            connection.execute("DELETE FROM live WHERE key = ?", (operation.key,))
        return Event(operation.key, value, revision, created, deleted, None, operation.note)

    def _compact_batch(self, revision: int) -> bool:
        connection = self._write_connection
        with connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('compacted', ?)", (revision,))
            # The highest revision must survive even when its row (a deletion) does not.
            connection.execute(
                "INSERT INTO meta SELECT 'revision', coalesce(max(revision), 1) FROM log WHERE true "
                "ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)"
            )
            connection.execute(
                "DELETE FROM log WHERE revision IN (SELECT log.revision FROM log LEFT JOIN live "
                "ON live.revision = log.revision WHERE log.revision <= ? AND live.key IS NULL "
                "AND (log.deleted OR EXISTS (SELECT 1 FROM log AS later WHERE later.key = log.key "
                "AND later.revision > log.revision AND later.revision <= ?)) LIMIT ?)",
                (revision, revision, _COMPACT_BATCH),
            )
            changed: int = connection.changes()
        return changed == _COMPACT_BATCH

    # In the reader's thread.

    def _open_reader(self) -> None:
        self._read_connection = apsw.Connection(str(self._path), apsw.SQLITE_OPEN_READONLY)
        self._read_connection.set_busy_timeout(5000)

    def _query(self, sql: str, bindings: tuple[object, ...]) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._read_connection.execute(sql, bindings).fetchall()
        return rows

    def _select(self, first: str, end: str, revision: int, limit: int) -> list[tuple[Any, ...]]:
        return self._select_on(self._read_connection, first, end, revision, limit)

    def _select_range(
        self, first: str, end: str, at: int, limit: int
    ) -> tuple[list[tuple[Any, ...]], int]:
        connection = self._read_connection
        connection.execute("BEGIN")
        try:
            # The writer may be ahead of what the event loop has been told.
            is_past = connection.execute("SELECT coalesce(max(revision), 1) FROM log").get > at
            revision = at if is_past else 0
            rows = self._select_on(connection, first, end, revision, limit or -1)
            if not limit or len(rows) < limit:
                return rows, len(rows)
            if revision:
                return rows, connection.execute(_COUNT_THEN, (first, end, revision)).get
            return rows, connection.execute(_COUNT_NOW, (first, end)).get
        finally:
            connection.execute("COMMIT")

    @staticmethod
    def _select_on(
        connection: apsw.Connection, first: str, end: str, revision: int, limit: int
    ) -> list[tuple[Any, ...]]:
        if revision:
            found = connection.execute(_THEN, (first, end, revision, limit))
        else:
            found = connection.execute(_NOW, (first, end, limit))
        rows: list[tuple[Any, ...]] = found.fetchall()
        return rows


def _end_of(prefix: str) -> str:
    """The first string that is greater than all with this prefix."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else "\U0010ffff"
