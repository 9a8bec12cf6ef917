"""Storage in memory: the executable specification of the contract, and the backend of tests."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pykube_cp.storage.broadcast import Broadcast
from pykube_cp.storage.interface import (
    Compacted,
    Conflict,
    Event,
    FutureRevision,
    KeyValue,
    Listener,
    Operation,
    Put,
    Range,
)


@dataclass(frozen=True, slots=True)
class _Version:
    """One write of one key; ``deleted`` ones keep the last state."""

    revision: int
    create_revision: int
    value: bytes
    deleted: bool
    expires_at: float


class MemoryStorage:
    """Every key is the list of its versions, oldest first; the log names the writes in order.

    Example: put a@1, put a@2, delete a@3 gives ``{"a": [1, 2, 3-deleted]}``; compacting at 2 leaves
    ``[2, 3-deleted]``, at 3 nothing.
    """

    def __init__(self) -> None:
        self._keys: dict[str, list[_Version]] = {}
        self._log: list[tuple[int, str]] = []
        self._revision = 1
        self._compacted = 0
        self._broadcast = Broadcast()

    @property
    def revision(self) -> int:
        return self._revision

    @property
    def compacted(self) -> int:
        return self._compacted

    @property
    def size(self) -> int:
        return sum(len(version.value) for versions in self._keys.values() for version in versions)

    async def start(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    def listen(self, listener: Listener) -> Callable[[], None]:
        return self._broadcast.listen(listener)

    async def get(self, key: str, *, revision: int = 0) -> KeyValue | None:
        return self._at(key, self._check(revision))

    async def range(
        self, prefix: str, *, start: str = "", revision: int = 0, limit: int = 0
    ) -> Range:
        at = self._check(revision)
        keys = sorted(key for key in self._keys if key.startswith(prefix) and key >= start)
        found = [kv for key in keys if (kv := self._at(key, at)) is not None]
        cut = found[:limit] if limit else found
        return Range(cut, at, len(cut) < len(found), len(found))

    async def commit(self, operations: Sequence[Operation]) -> list[int]:
        for operation in operations:
            actual = self._at(operation.key, self._revision)
            if operation.expected is not None and operation.expected != _revision_of(actual):
                raise Conflict(operation.key, actual)
        first = self._revision + 1  # all or nothing, also when one cannot be rendered
        values = [operation.render(first + place) for place, operation in enumerate(operations)]
        events = [self._write(*pair) for pair in zip(operations, values, strict=True)]
        self._broadcast.publish(events)
        return [event.revision for event in events]

    async def history(self, prefix: str, after: int) -> list[Event]:
        if after < self._compacted:
            raise Compacted(after, self._compacted)
        first = bisect_right(self._log, (after, "\U0010ffff"))
        return [
            self._event(key, revision, None)
            for revision, key in self._log[first:]
            if key.startswith(prefix)
        ]

    async def compact(self, revision: int) -> None:
        self._compacted = max(self._compacted, min(revision, self._revision))
        for key in list(self._keys):
            versions = self._keys[key]
            keep = max(0, bisect_right(versions, self._compacted, key=lambda v: v.revision) - 1)
            if versions[keep].deleted and versions[keep].revision <= self._compacted:
                keep += 1
            self._keys[key] = versions[keep:]
            if not self._keys[key]:
                del self._keys[key]
        self._log = [entry for entry in self._log if entry[0] > self._compacted]

    async def expired(self, now: float, limit: int) -> list[KeyValue]:
        found = [
            kv
            for key, versions in self._keys.items()
            if 0 < versions[-1].expires_at <= now
            and (kv := self._at(key, self._revision)) is not None
        ]
        return found[:limit]

    def _check(self, revision: int) -> int:
        if revision > self._revision:
            raise FutureRevision(revision, self._revision)
        if 0 < revision < self._compacted:
            raise Compacted(revision, self._compacted)
        return revision or self._revision

    def _at(self, key: str, revision: int) -> KeyValue | None:
        versions = self._keys.get(key, [])
        index = bisect_right(versions, revision, key=lambda version: version.revision) - 1
        if index < 0 or versions[index].deleted:
            return None
        version = versions[index]
        return KeyValue(key, version.value, version.revision, version.create_revision)

    def _write(self, operation: Operation, value: bytes) -> Event:
        actual = self._at(operation.key, self._revision)
        self._revision += 1
        is_put = isinstance(operation, Put)
        version = _Version(
            self._revision,
            actual.create_revision if actual else self._revision,
            value,
            deleted=not is_put,
            expires_at=operation.expires_at if isinstance(operation, Put) else 0.0,
        )
        self._keys.setdefault(operation.key, []).append(version)
        self._log.append((self._revision, operation.key))
        return self._event(operation.key, self._revision, operation.note)

    def _event(self, key: str, revision: int, note: Any) -> Event:
        versions = self._keys[key]
        index = bisect_right(versions, revision, key=lambda version: version.revision) - 1
        version = versions[index]
        before = versions[index - 1] if index else None
        previous = before.value if before is not None and not before.deleted else None
        return Event(
            key,
            version.value,
            revision,
            version.create_revision,
            version.deleted,
            previous,
            note,
        )


def _revision_of(found: KeyValue | None) -> int:
    return found.revision if found is not None else 0
