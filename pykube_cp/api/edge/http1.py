"""HTTP/1.1 on one connection: bytes to requests, answers to bytes.

One request at a time is served; pipelined ones wait. The body is handed on while it arrives and the
sender is held back when nobody reads it. What a client may send is bounded: header bytes, time to
send the head, idle time.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote

import httptools

from pykube_cp.api.request import (
    Headers,
    Push,
    Query,
    Request,
    Response,
    Stream,
    Upgrade,
    Wire,
    WireHandler,
)
from pykube_cp.machinery import clock, errors

HEADER_BYTES = 1 << 20
HEAD_SECONDS = 32.0
IDLE_SECONDS = 90.0
BODY_HIGH = 1 << 20
SINK_LIMIT = 16 << 20
WRITE_HIGH = 1 << 20

_log = logging.getLogger(__name__)
_WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_STATUS_LINES = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}


class IncomingBody:
    """A body as it arrives; pauses the connection while more than ``BODY_HIGH`` bytes wait."""

    def __init__(self, transport: asyncio.Transport, *, expects_continue: bool) -> None:
        self._transport = transport
        self._chunks: list[bytes] = []
        self._size = 0
        self._ended = False
        self._paused = False
        self._broken = False
        self._expects_continue = expects_continue
        self._wake: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        self._chunks.append(data)
        self._size += len(data)
        if self._size > BODY_HIGH and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._notify()

    def end(self, *, broken: bool = False) -> None:
        self._ended = True
        self._broken = broken
        self._notify()

    @property
    def ended(self) -> bool:
        return self._ended

    async def read(self, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > limit:
                raise errors.request_entity_too_large(f"limit is {limit}")
            parts.append(chunk)
        return b"".join(parts)

    async def chunks(self) -> AsyncIterator[bytes]:
        if self._expects_continue and not self._ended:
            self._expects_continue = False
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while True:
            while self._chunks:
                yield self._take()
            if self._ended:
                break
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        if self._broken:
            raise errors.bad_request("unexpected EOF")

    def _take(self) -> bytes:
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
        return data

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class _LastChunk:
    """A frame as a chunk. Watchers of the same thing get the same frame one after the other."""

    def __init__(self) -> None:
        self._frame = b""
        self._chunk = b""

    def of(self, frame: bytes) -> bytes:
        if frame is not self._frame:
            self._frame = frame
            self._chunk = b"%x\r\n%b\r\n" % (len(frame), frame)
        return self._chunk


_last_chunk = _LastChunk()


class ChunkSink:
    """Writes frames as chunks, gathered once per turn of the loop."""

    def __init__(self, protocol: "Http1Protocol") -> None:
        self._protocol = protocol
        self._soon = asyncio.get_running_loop().call_soon
        self._waiting: list[bytes] = []

    @property
    def closed(self) -> Awaitable[None]:
        return self._protocol.closed

    def write(self, frame: bytes) -> bool:
        if self._protocol.cannot_take(SINK_LIMIT):
            return False
        if not self._waiting:
            self._soon(self.flush)
        self._waiting.append(_last_chunk.of(frame))
        return True

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        transport = self._protocol.transport
        if waiting and not transport.is_closing():
            transport.write(waiting[0] if len(waiting) == 1 else b"".join(waiting))


class UpgradedConnection:
    """The raw connection after an upgrade."""

    def __init__(self, protocol: "Http1Protocol", early: bytes) -> None:
        self._protocol = protocol
        self._chunks: list[bytes] = [early] if early else []
        self._size = len(early)
        self._ended = False
        self._wake: asyncio.Future[None] | None = None

    def feed(self, data: bytes) -> None:
        self._chunks.append(data)
        self._size += len(data)
        if self._size > BODY_HIGH:
            self._protocol.transport.pause_reading()
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
        if self._size > BODY_HIGH and not self._ended:
            self._protocol.transport.resume_reading()
        self._size = 0
        return data

    async def write(self, data: bytes) -> None:
        if not self._protocol.transport.is_closing():
            self._protocol.transport.write(data)
            await self._protocol.drained()

    def close(self) -> None:
        self._protocol.transport.close()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)


class Http1Protocol(asyncio.Protocol):
    """One connection. ``connections`` is the server's set of those that are open."""

    transport: asyncio.Transport

    def __init__(self, handler: WireHandler, connections: "set[Http1Protocol]") -> None:
        self._handler = handler
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._peer_certificate: bytes | None = None
        self._remote = ""
        self._task: asyncio.Task[None] | None = None
        self._queue: list[tuple[Request, bool]] = []
        self._bodies: list[IncomingBody] = []
        self._upgraded: UpgradedConnection | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._active_at = clock.monotonic()
        self._in_head = False
        self._stopping = False
        self._keep_alive = True
        self._reset()

    # From the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", transport)  # uvloop has classes of its own
        self.transport = transport
        transport.set_write_buffer_limits(high=WRITE_HIGH)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self._peer_certificate = tls.getpeercert(binary_form=True)
        peer = transport.get_extra_info("peername")
        self._remote = peer[0] if peer else ""
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._upgraded is not None:
            self._upgraded.feed(data)
            return
        if self._stopping:
            return
        self._active_at = clock.monotonic()
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgraded = UpgradedConnection(self, data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST)

    def eof_received(self) -> bool:
        if self._upgraded is not None:
            self._upgraded.end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._connections.discard(self)
        self._can_write.set()
        if not self._closed.done():
            self._closed.set_result(None)
        for body in self._bodies:
            body.end(broken=not body.ended)
        if self._upgraded is not None:
            self._upgraded.end()
        elif self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    # From the parser.

    def on_message_begin(self) -> None:
        self._reset()
        self._in_head = True

    def on_url(self, url: bytes) -> None:
        self._url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        key = name.decode("latin-1").lower()
        text = value.decode("latin-1")
        before = self._headers.get(key)
        self._headers[key] = text if before is None else f"{before}, {text}"

    def on_headers_complete(self) -> None:
        self._in_head = False
        expects = self._headers.get("expect", "").lower() == "100-continue"
        body = IncomingBody(self.transport, expects_continue=expects)
        self._bodies.append(body)
        raw = self._url.decode("latin-1")
        raw_path, _, query = raw.partition("?")
        request = Request(
            method=self._parser.get_method().decode(),
            path=unquote(raw_path),
            raw_path=raw_path,
            query=Query(query),
            headers=self._headers,
            body=body,
            peer_certificate=self._peer_certificate,
            remote_address=self._remote,
            received_at=clock.monotonic(),
        )
        keep_alive = self._parser.should_keep_alive()
        if self._task is None:
            self._begin(request, keep_alive)
        else:
            self._queue.append((request, keep_alive))

    def on_body(self, data: bytes) -> None:
        self._bodies[-1].feed(data)

    def on_message_complete(self) -> None:
        self._bodies[-1].end()

    # Serving.

    @property
    def closed(self) -> Awaitable[None]:
        return asyncio.shield(self._closed)

    async def drained(self) -> None:
        """Wait until the transport takes more."""
        if not self._can_write.is_set():
            await self._can_write.wait()

    def cannot_take(self, limit: int) -> bool:
        """Whether the client has gone, or so many bytes wait for it."""
        if self._closed.done():
            return True
        paused = not self._can_write.is_set()
        return paused and self.transport.get_write_buffer_size() > limit

    def close_when_idle(self) -> None:
        """End after the request that is being served, or now."""
        self._stopping = True
        if self._task is None:
            self.transport.close()

    def sweep(self, now: float) -> None:
        """Close when the client has been silent for too long."""
        waited = now - self._active_at
        idle = self._task is None and waited > IDLE_SECONDS
        if idle or (self._in_head and waited > HEAD_SECONDS):
            self.transport.close()

    def _begin(self, request: Request, keep_alive: bool) -> None:  # noqa: FBT001 - of the request
        self._keep_alive = keep_alive
        self._task = asyncio.get_running_loop().create_task(self._serve(request))

    async def _serve(self, request: Request) -> None:
        try:
            wire = await self._handler(request)
            await self._send(request, wire)
        except asyncio.CancelledError:
            if not self.transport.is_closing():
                self.transport.abort()
            raise
        except Exception:  # noqa: BLE001 - the pipeline answers errors; this is the last resort
            _log.exception("%s %s failed while answering", request.method, request.path)
            self.transport.abort()
        finally:
            self._served()

    def _served(self) -> None:
        self._task = None
        self._active_at = clock.monotonic()
        if self.transport.is_closing():
            return
        if self._upgraded is not None:
            self.transport.close()  # the upgrade was refused, and what follows is not HTTP
            return
        body = self._bodies.pop(0)
        if not body.ended or not self._keep_alive or self._stopping:
            self.transport.close()
        elif self._queue:
            self._begin(*self._queue.pop(0))

    async def _send(self, request: Request, wire: Wire) -> None:
        if isinstance(wire, Response):
            self._send_response(request, wire)
        elif isinstance(wire, Push):
            await self._send_push(wire)
        elif isinstance(wire, Stream):
            await self._send_stream(request, wire)
        else:
            await self._send_upgrade(wire)

    def _send_response(self, request: Request, response: Response) -> None:
        headers = list(response.headers)
        if response.status not in _WITHOUT_BODY:
            # A 304 that named a type would change the type of what the client has kept.
            headers.append(("Content-Length", str(len(response.body))))
            if response.content_type:
                headers.append(("Content-Type", response.content_type))
        if not self._keep_alive or self._stopping or self._upgraded is not None:
            headers.append(("Connection", "close"))
        head = render_head(response.status, headers)
        self.transport.write(head if request.method == "HEAD" else head + response.body)

    async def _send_push(self, push: Push) -> None:
        headers = [*push.headers, ("Transfer-Encoding", "chunked")]
        self.transport.write(render_head(push.status, headers))
        sink = ChunkSink(self)
        await push.run(sink)
        sink.flush()
        if not self.transport.is_closing():
            self.transport.write(b"0\r\n\r\n")

    async def _send_stream(self, request: Request, stream: Stream) -> None:
        sized = any(name.lower() == "content-length" for name, _ in stream.headers)
        headers = list(stream.headers)
        if not sized:
            headers.append(("Transfer-Encoding", "chunked"))
        self.transport.write(render_head(stream.status, headers))
        if request.method == "HEAD":
            return
        async for chunk in stream.chunks:
            if self.transport.is_closing():
                return
            if chunk:
                data = chunk if sized else b"%x\r\n%b\r\n" % (len(chunk), chunk)
                self.transport.write(data)
                await self.drained()
        if not sized:
            self.transport.write(b"0\r\n\r\n")

    async def _send_upgrade(self, upgrade: Upgrade) -> None:
        if self._upgraded is None:
            self._upgraded = UpgradedConnection(self, b"")
        try:
            await upgrade.run(self._upgraded)
        finally:
            self.transport.close()

    def _reset(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._head_bytes = 0

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEADER_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _refuse(self, status: HTTPStatus) -> None:
        self._stopping = True
        if self._task is None and not self.transport.is_closing():
            text = f"{status.value} {status.phrase}".encode()
            headers = [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(text))),
                ("Connection", "close"),
            ]
            self.transport.write(render_head(status.value, headers) + text)
        self.transport.close()


def render_head(status: int, headers: Headers) -> bytes:
    """Status line and headers; a header can never break out of its line."""
    line = _STATUS_LINES.get(status) or f"HTTP/1.1 {status} \r\n".encode()
    parts: list[Any] = [line]
    for name, value in headers:
        clean = value.replace("\r", " ").replace("\n", " ")
        parts.append(f"{name}: {clean}\r\n".encode("utf-8", "replace"))
    parts.append(b"\r\n")
    return b"".join(parts)
