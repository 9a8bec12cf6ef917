"""Bodies of requests: framed by a length or in chunks, read while they arrive."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from pykube_cp.api.edge.head import is_trailer
from pykube_cp.machinery import errors
from pykube_cp.machinery.go_text import quote

HIGH = 1 << 20
"""Bytes that wait for a reader before the sender is held back."""
UNREAD = 256 << 10
"""Of a body that nobody wants, so much is passed over before the connection is given up."""
_LINE = 4096
_EXCESS = 16 << 10
_HEX = frozenset(b"0123456789abcdefABCDEF")
UNEXPECTED_EOF = "unexpected EOF"


class IncomingBody:
    """A body as it arrives.

    Args:
        pace: called when more, or less, than ``HIGH`` bytes wait.
        send_continue: what the client waits for before it sends; None when it does not.
    """

    def __init__(
        self, pace: Callable[[], None], send_continue: Callable[[], None] | None = None
    ) -> None:
        self._pace = pace
        self._send_continue = send_continue
        self._chunks: list[bytes] = []
        self._size = 0
        self._failure = ""
        self._discards = False
        self._passed = 0
        self._wake: asyncio.Future[None] | None = None
        self.ended = False

    @property
    def is_full(self) -> bool:
        return self._size > HIGH

    @property
    def unread(self) -> int:
        """Bytes that came and that nobody read."""
        return self._size

    @property
    def is_whole(self) -> bool:
        """Whether it came to its end, and not just broke off."""
        return self.ended and not self._failure

    @property
    def is_awaited(self) -> bool:
        """Whether the client still waits to be told to send it."""
        return self._send_continue is not None and not self.ended

    def feed(self, data: bytes) -> None:
        if self._discards:
            self._passed += len(data)
        else:
            self._chunks.append(data)
            self._size += len(data)
            if self._size > HIGH:
                self._pace()
        self._notify()

    def end(self, failure: str = "") -> None:
        if not self.ended:
            self.ended = True
            self._failure = failure
            self._notify()

    async def read(self, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > limit:
                self._size += size - limit - 1  # upstream takes one byte too many, and no more
                raise errors.request_entity_too_large(f"limit is {limit}")
            parts.append(chunk)
        return b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._send_continue is not None:
            self._send_continue()
            self._send_continue = None
        while True:
            while self._chunks:
                yield self._take()
            if self.ended:
                break
            await self._more()
        if self._failure:
            # upstream: apiserver pkg/endpoints/handlers/rest.go limitedReadBody, whose error is no Status
            raise errors.StatusError(500, "", self._failure)

    async def pass_over(self) -> bool:
        """Read what nobody wanted; false when it does not end soon enough."""
        self._discards = True
        self._passed += self._size
        self._take()
        while not self.ended and self._passed <= UNREAD:
            await self._more()
        return self.is_whole and self._passed <= UNREAD

    async def _more(self) -> None:
        self._wake = asyncio.get_running_loop().create_future()
        await self._wake

    def _take(self) -> bytes:
        data = b"".join(self._chunks)
        self._chunks.clear()
        was_full = self.is_full
        self._size = 0
        if was_full:
            self._pace()
        return data

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class Framing(Protocol):
    """Cuts a body out of what a connection brings."""

    @property
    def left(self) -> int:
        """Bytes still to come; -1 when nobody knows."""
        ...

    def feed(self, data: bytes) -> bytes:
        """Hand on what belongs to the body; what follows it is given back."""
        ...


class Sized:
    """A body of so many bytes."""

    def __init__(self, body: IncomingBody, length: int) -> None:
        self._body = body
        self.left = length

    def feed(self, data: bytes) -> bytes:
        mine, rest = data[: self.left], data[self.left :]
        self.left -= len(mine)
        self._body.feed(mine)
        if not self.left:
            self._body.end()
        return rest


class Chunked:
    """A body in chunks. Whatever is wrong with them ends the body, and later the connection."""

    # upstream: net/http internal/chunked.go chunkedReader, transfer.go body.readTrailer

    left = -1

    def __init__(self, body: IncomingBody) -> None:
        self._body = body
        self._line = bytearray()
        self._chunk = 0
        self._excess = 0
        self._read: Callable[[bytes], bytes] = self._size_line

    def feed(self, data: bytes) -> bytes:
        try:
            while data and not self._body.ended:
                data = self._read(data)
        except ValueError as error:
            self._body.end(str(error))
            return b""
        return data

    def _size_line(self, data: bytes) -> bytes:
        line, rest = self._line_of(data)
        if line is None:
            return rest
        if b"\r" in line[:-1]:
            raise ValueError("invalid CR in chunked line")
        if not line.endswith(b"\r"):
            raise ValueError("chunked line ends with bare LF")
        self._chunk = _chunk_size(line[:-1].rstrip(b" \t").partition(b";")[0])
        self._excess = max(self._excess + len(line) + 1 - 16 - 2 * self._chunk, 0)
        if self._excess > _EXCESS:
            raise ValueError("chunked encoding contains too much non-data")
        self._read = self._data if self._chunk else self._trailers
        return rest

    def _data(self, data: bytes) -> bytes:
        mine, rest = data[: self._chunk], data[self._chunk :]
        self._chunk -= len(mine)
        self._body.feed(mine)
        if not self._chunk:
            self._read = self._data_end
        return rest

    def _data_end(self, data: bytes) -> bytes:
        missing = 2 - len(self._line)
        self._line += data[:missing]
        if not b"\r\n".startswith(self._line):
            raise ValueError("malformed chunked encoding")
        if len(self._line) == 2:
            self._line.clear()
            self._read = self._size_line
        return data[missing:]

    def _line_of(self, data: bytes) -> tuple[bytes | None, bytes]:
        """A line with its CR but without its LF, once it is there, and what is behind it."""
        end = data.find(b"\n")
        self._line += data if end < 0 else data[:end]
        if len(self._line) >= _LINE:
            raise ValueError("header line too long")
        if end < 0:
            return None, b""
        line = bytes(self._line)
        self._line.clear()
        return line, data[end + 1 :]

    def _trailers(self, data: bytes) -> bytes:
        """Nobody wants them; they must look like headers all the same."""
        before = len(self._line)
        self._line += data[: _LINE - before]
        end = 2 if self._line.startswith(b"\r\n") else self._line.find(b"\r\n\r\n") + 4
        if end < 4 and not self._line.startswith(b"\r\n"):
            if len(self._line) >= _LINE:
                raise ValueError("http: suspiciously long trailer after chunked body")
            return b""
        _check_trailers(bytes(self._line[: max(0, end - 4)]))
        self._body.end()
        return data[end - before :]


def _chunk_size(text: bytes) -> int:
    if not text:
        raise ValueError("empty hex number for chunk length")
    if not _HEX.issuperset(text[:17]):
        raise ValueError("invalid byte in chunk length")
    if len(text) > 16:
        raise ValueError("http chunk length too large")
    return int(text, 16)


def _check_trailers(data: bytes) -> None:
    for line in data.split(b"\r\n") if data else ():
        if b":" not in line:
            raise ValueError(
                f"malformed MIME header: missing colon: {quote(line.decode('latin-1'))}"
            )
        if not is_trailer(line):
            raise ValueError(f"malformed MIME header line: {quote(line.decode('latin-1'))}")
