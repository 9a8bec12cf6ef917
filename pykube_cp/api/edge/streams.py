"""What a handler gets of a connection when the answer is no single piece: a sink, or all of it."""

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from pykube_cp.api.edge.answers import chunk

SINK_LIMIT = 16 << 20
READ_HIGH = 1 << 20


class Connection(Protocol):
    """What both need of the protocol."""

    @property
    def transport(self) -> asyncio.Transport: ...

    @property
    def closed(self) -> Awaitable[None]:
        """Done when the client has gone."""
        ...

    async def drained(self) -> None:
        """Wait until the transport takes more."""
        ...

    def cannot_take(self, limit: int) -> bool:
        """Whether the client has gone, or so many bytes wait for it."""
        ...


class _LastChunk:
    """A frame as a chunk. Watchers of the same thing get the same frame one after the other."""

    def __init__(self) -> None:
        self._frame = b""
        self._chunk = b""

    def of(self, frame: bytes) -> bytes:
        if frame is not self._frame:
            self._frame, self._chunk = frame, chunk(frame)
        return self._chunk


_last_chunk = _LastChunk()


class ChunkSink:
    """Writes frames as chunks, gathered once per turn of the loop; as they are for HTTP/1.0."""

    def __init__(self, connection: Connection, *, chunked: bool) -> None:
        self._connection = connection
        self._chunked = chunked
        self._soon = asyncio.get_running_loop().call_soon
        self._waiting: list[bytes] = []

    @property
    def closed(self) -> Awaitable[None]:
        return self._connection.closed

    def write(self, frame: bytes) -> bool:
        if self._connection.cannot_take(SINK_LIMIT):
            return False
        if not self._waiting:
            self._soon(self.flush)
        self._waiting.append(_last_chunk.of(frame) if self._chunked else frame)
        return True

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        transport = self._connection.transport
        if waiting and not transport.is_closing():
            transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))


class UpgradedConnection:
    """The raw connection after an upgrade."""

    def __init__(self, connection: Connection, early: bytes) -> None:
        self._connection = connection
        self._chunks: list[bytes] = [early] if early else []
        self._size = len(early)
        self._ended = False
        self._wake: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        self._chunks.append(data)
        self._size += len(data)
        if self._size > READ_HIGH:
            self._connection.transport.pause_reading()
        self._notify()

    def end(self) -> None:
        self._ended = True
        self._notify()

    async def read(self) -> bytes:
        while not self._chunks and not self._ended:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        data = b"".join(self._chunks)
        self._chunks.clear()
        if self._size > READ_HIGH and not self._ended:
            self._connection.transport.resume_reading()
        self._size = 0
        return data

    async def write(self, data: bytes) -> None:
        if not self._connection.transport.is_closing():
            self._connection.transport.write(data)
            await self._connection.drained()

    def close(self) -> None:
        self._connection.transport.close()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)
