"""Large objects in gzip, for who takes it: squeezed in threads, so that others need not wait."""
# upstream: apiserver pkg/endpoints/handlers/responsewriters/writers.go deferredResponseWriter,
# compression.go ContentEncodingSupported

import asyncio
import zlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pykube_cp.api.request import Request, Response, Stream, Wire

LEAST = 128 << 10
"""Answers of so many bytes are still sent as they are."""
_LEVEL = 1
_GZIP = 16 + zlib.MAX_WBITS
_ENCODED = (("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
_threads = ThreadPoolExecutor(2, "gzip")
"""So few, lest squeezing take all processors."""


async def compressed(request: Request, wire: Wire) -> Wire:
    """The answer, in gzip when it is a large object and the client takes that."""
    if isinstance(wire, Response):
        if len(wire.body) > LEAST and wire.is_object and takes_gzip(request):
            wire.body = await _in_thread(_whole, wire.body)
            wire.headers.extend(_ENCODED)
    elif isinstance(wire, Stream) and _size(wire) > LEAST and takes_gzip(request):
        kept = [pair for pair in wire.headers if pair[0] != "Content-Length"]
        return Stream(wire.status, _squeezed(wire.chunks), [*kept, *_ENCODED], is_object=True)
    return wire


def _size(wire: Stream) -> int:
    """Of an object; 0 for what is none, or who knows how long."""
    return int(dict(wire.headers).get("Content-Length", 0)) if wire.is_object else 0


def takes_gzip(request: Request) -> bool:
    """Whether the client says so, without any quality: then upstream does not understand it."""
    codings = request.header("accept-encoding").split(",")
    return any(coding.strip() == "gzip" for coding in codings)


def _whole(data: bytes) -> bytes:
    squeezing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return squeezing.compress(data) + squeezing.flush()


async def _squeezed(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    squeezing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    async for chunk in chunks:
        if data := await _in_thread(squeezing.compress, chunk):
            yield data
    yield squeezing.flush()


async def _in_thread(work: Any, data: bytes) -> bytes:
    made: bytes = await asyncio.get_running_loop().run_in_executor(_threads, work, data)
    return made
