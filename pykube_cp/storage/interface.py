"""The contract of a backend: etcd's semantics, with gaps between revisions allowed.

There is one global, strictly increasing revision. A write names the revision it expects its key to
have, so nobody overwrites what they have not seen. Whoever reads at a revision or watches from one
sees every later write of his prefix once, in order. ``memory`` is the executable specification;
``tests/contracts/storage.py`` holds every backend to it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import msgspec

ABSENT = 0
"""Expected revision of a key that must not exist."""


class KeyValue(NamedTuple):
    """A value, with the revisions of its last write and of its creation."""

    key: str
    value: bytes
    revision: int
    create_revision: int


class Put(msgspec.Struct, frozen=True, kw_only=True):
    """Write ``render(revision)`` under ``key``.

    ``render`` gets the revision that this write will have, so the bytes can carry it.
    ``expected`` is the key's current revision, ``ABSENT``, or None for whatever is there.
    ``note`` travels unchanged to the events of this process: what the writer knows about the value
    so that nobody needs to parse it again.
    """

    key: str
    render: Callable[[int], bytes]
    expected: int | None
    expires_at: float = 0.0
    note: Any = None


class Delete(msgspec.Struct, frozen=True, kw_only=True):
    """Delete ``key``; ``render`` makes the last state that watchers get, stamped with the revision."""

    key: str
    render: Callable[[int], bytes]
    expected: int | None
    note: Any = None


Operation = Put | Delete


class Event(NamedTuple):
    """A write as watchers see it. ``value`` of a deletion is the last state; ``previous`` what was."""

    key: str
    value: bytes
    revision: int
    create_revision: int
    deleted: bool
    previous: bytes | None
    note: Any


class Range(NamedTuple):
    """Keys of a range as of ``revision``; ``more`` when the limit cut it, ``total`` of all in it."""

    items: list[KeyValue]
    revision: int
    more: bool
    total: int


class Conflict(Exception):  # noqa: N818 - an outcome, not a fault
    """The key is not at the expected revision; ``actual`` is None when it does not exist."""

    def __init__(self, key: str, actual: KeyValue | None) -> None:
        super().__init__(key)
        self.key = key
        self.actual = actual


class Compacted(Exception):  # noqa: N818 - an outcome, not a fault
    """The revision asked for has been compacted away."""

    def __init__(self, revision: int, compacted: int) -> None:
        super().__init__(f"revision {revision} is compacted, oldest is {compacted}")
        self.revision = revision
        self.compacted = compacted


class FutureRevision(Exception):  # noqa: N818 - an outcome, not a fault
    """The revision asked for has not been reached."""

    def __init__(self, revision: int, current: int) -> None:
        super().__init__(f"revision {revision} is ahead of {current}")
        self.revision = revision
        self.current = current


class StorageFailure(Exception):  # noqa: N818 - reads better with what failed
    """The backend could not do its work (disk full, peer gone); nothing was acknowledged."""


class Closed(Exception):  # noqa: N818 - an outcome, not a fault
    """The backend has been closed."""


Listener = Callable[[Sequence[Event]], None]


class Storage(Protocol):
    """A backend. All methods are called on one event loop."""

    @property
    def revision(self) -> int:
        """Of the last write that listeners have been told of."""
        ...

    @property
    def compacted(self) -> int:
        """Revisions up to here can no longer be read or watched from."""
        ...

    @property
    def size(self) -> int:
        """Bytes that the database takes."""
        ...

    async def start(self) -> None:
        """Open; afterwards ``revision`` is valid."""
        ...

    async def close(self) -> None:
        """Finish what is under way, then let go of everything."""
        ...

    async def get(self, key: str, *, revision: int = 0) -> KeyValue | None:
        """The key's value now, or as of ``revision``."""
        ...

    async def range(
        self, prefix: str, *, start: str = "", revision: int = 0, limit: int = 0
    ) -> Range:
        """Keys with ``prefix``, from ``start`` on, in order; now or as of ``revision``."""
        ...

    async def commit(self, operations: Sequence[Operation]) -> list[int]:
        """Do all or nothing; durable when it returns. The revisions, one an operation; or ``Conflict``.

        Listeners have been called before this returns, so a writer reads its own writes.
        """
        ...

    async def history(self, prefix: str, after: int) -> list[Event]:
        """Every write under ``prefix`` later than ``after``, up to now; or ``Compacted``."""
        ...

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each batch of writes, in order; the answer ends that."""
        ...

    async def compact(self, revision: int) -> None:
        """Forget all versions that are neither current nor later than ``revision``."""
        ...

    async def expired(self, now: float, limit: int) -> list[KeyValue]:
        """Keys whose ``expires_at`` has passed, at most ``limit`` of them."""
        ...
