"""Large objects and watched lists in gzip, for who takes it.

What is large is squeezed in threads, so that others need not wait.
"""
# upstream: apiserver pkg/endpoints/handlers/responsewriters/writers.go deferredResponseWriter,
# compression.go ContentEncodingSupported; apiserver pkg/endpoints/handlers/watch.go watchResponseWriter

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

from pykube_cp.api.edge.streams import SINK_LIMIT
from pykube_cp.api.request import Push, Request, Response, Sink, Stream, Wire
from pykube_cp.api.threads import in_thread

LEAST = 128 << 10
"""Answers of so many bytes are still sent as they are."""
AT_ONCE = 32 << 10
"""Frames of a watch of so many bytes are squeezed without a thread."""
_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS
_ENCODED = (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
_threads = ThreadPoolExecutor(2, "gzip")
"""Apart from those that read bodies: who sends many large ones must not hold up who watches."""


async def compressed(request: Request, wire: Wire) -> Wire:
    """The answer, in gzip when it is a large object and the client takes that."""
    if isinstance(wire, Response):
        if len(wire.body) > LEAST and wire.is_object and takes_gzip(request):
            wire.body = await in_thread(_threads, _whole, wire.body)
            wire.headers.extend(_ENCODED)
    elif isinstance(wire, Stream) and _size(wire) > LEAST and takes_gzip(request):
        kept = [pair for pair in wire.headers if pair[0] != "Content-Length"]
        return Stream(wire.status, _squeezed(wire.chunks), [*kept, *_ENCODED], is_object=True)
    elif isinstance(wire, Push) and wire.is_list and takes_gzip(request):
        return Push(wire.status, _squeezing(wire), [*wire.headers, *_ENCODED])
    return wire


def _size(wire: Stream) -> int:
    """Of an object; 0 for what is none, or who knows how long."""
    return int(dict(wire.headers).get("Content-Length", 0)) if wire.is_object else 0


def takes_gzip(request: Request) -> bool:
    """Whether the client says so, without any quality: then upstream does not understand it."""
    codings = request.header("accept-encoding").split(",")
    return any(coding.strip() == "gzip" for coding in codings)


def _squeezing(wire: Push) -> Any:
    async def run(sink: Sink) -> None:
        squeezed = SqueezedSink(sink)
        await wire.run(squeezed)
        await squeezed.flushed()

    return run


class SqueezedSink:
    """Frames as gzip members: one for all of a turn of the loop, so that nothing is held back.

    Watchers who see the same share the members. While a large one is squeezed in a thread, those
    that come after it wait. When they become too many, or the sink takes no more, this is closed.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._waiting: list[bytes] = []
        self._size = 0
        self._refused: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._working: asyncio.Future[None] | None = None

    @property
    def closed(self) -> Awaitable[None]:
        return self._closed()

    async def _closed(self) -> None:
        gone = asyncio.ensure_future(self._sink.closed)
        try:
            await asyncio.wait({gone, self._refused}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()

    def write(self, frame: bytes) -> bool:
        if self._working is not None and self._size > SINK_LIMIT:
            self._refuse()
        if self._refused.done():
            return False
        if not self._waiting and self._working is None:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(frame)
        self._size += len(frame)
        return True

    def _refuse(self) -> None:
        if not self._refused.done():
            self._refused.set_result(None)

    def _take(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._size = 0
        return data

    def _flush(self) -> None:
        if self._working is not None:
            return
        if self._size > AT_ONCE:
            self._working = asyncio.ensure_future(self._work())
        elif self._size:
            self._pass(_shared_member(self._take()))

    async def _work(self) -> None:
        try:
            while self._waiting and not self._refused.done():
                self._pass(await in_thread(_threads, _member, self._take()))
        finally:
            self._working = None

    def _pass(self, member: bytes) -> None:
        if not (self._refused.done() or self._sink.write(member)):
            self._refuse()

    async def flushed(self) -> None:
        """Wait until all that was written is with the sink."""
        self._flush()
        if self._working is not None:
            await self._working


def _whole(data: bytes) -> bytes:
    squeezing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return squeezing.compress(data) + squeezing.flush()


def _member(data: bytes) -> bytes:
    """A whole gzip stream, of which a reader in Go shows all before it waits for the next.

    It would hold back what is in the last block; so that one is empty.
    """
    squeezing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return squeezing.compress(data) + squeezing.flush(zlib.Z_SYNC_FLUSH) + squeezing.flush()


_shared_member = lru_cache(64)(_member)


async def _squeezed(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    squeezing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    async for chunk in chunks:
        if data := await in_thread(_threads, squeezing.compress, chunk):
            yield data
    yield squeezing.flush()
