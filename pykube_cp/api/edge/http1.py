"""HTTP/1.1 on one connection: bytes to requests, answers to bytes.

One request at a time is read and served; what comes behind it waits unread. The body is handed on
while it arrives and the sender is held back when nobody reads it. All that a client may send or leave
unread is bounded: bytes of a head, time to send it, idle time, what waits to be read or sent.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable
from http import HTTPStatus
from typing import cast

from pykube_cp.api.edge import answers, head
from pykube_cp.api.edge.bodies import UNEXPECTED_EOF, UNREAD, Chunked, Framing, IncomingBody, Sized
from pykube_cp.api.edge.head import Head, HeadError, Heads
from pykube_cp.api.edge.streams import ChunkSink, UpgradedConnection
from pykube_cp.api.request import (
    Headers,
    NoBody,
    Push,
    Query,
    Request,
    Response,
    Stream,
    Upgrade,
    Wire,
    WireHandler,
)
from pykube_cp.machinery import clock
from pykube_cp.machinery.metrics import Counter

# upstream: apiserver pkg/server/secure_serving.go SecureServingInfo.Serve
HEAD_SECONDS = 32.0
IDLE_SECONDS = 90.0
# upstream: net/http server.go conn.closeWriteAndWait
LINGER_SECONDS = 0.5
UNREAD_SECONDS = 5.0
"""How long the rest of a body that nobody wants is waited for."""
UNREAD_HIGH = 64 << 10
"""Bytes that come while a request is served and are kept before the client is held back."""
WRITE_HIGH = 1 << 20
_KEEP_ALIVE = (
    (socket.TCP_KEEPIDLE, 15),
    (socket.TCP_KEEPINTVL, 15),
    (socket.TCP_KEEPCNT, 9),
)

# upstream: apiserver pkg/endpoints/metrics/metrics.go
HANDSHAKE_ERRORS = Counter(
    "apiserver_tls_handshake_errors_total",
    "[ALPHA] Number of requests dropped with 'TLS handshake error from' error",
)

_log = logging.getLogger(__name__)
_NO_BODY = NoBody()
_PEEKED = 4
"""Bytes of a second request before it is looked at: fewer may be blank lines behind a body."""


class Http1Protocol(asyncio.Protocol):
    """One connection. ``connections`` is the server's set of those that are open."""

    transport: asyncio.Transport

    def __init__(self, handler: WireHandler, connections: "set[Http1Protocol]") -> None:
        self._handler = handler
        self._connections = connections
        self._peer_certificate: bytes | None = None
        self._remote = ""
        self._buffer = bytearray()
        self._scanned = 0
        self._begun = False
        self._heads = Heads()
        self._head: Head | None = None
        self._after_post = False
        self._body: IncomingBody | None = None
        self._framing: Framing | None = None
        self._task: asyncio.Task[None] | None = None
        self._upgraded: UpgradedConnection | None = None
        self._can_write = asyncio.Event()
        self._can_write.set()
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idle_since = clock.monotonic()
        self._head_since: float | None = self._idle_since
        self._stopping = False
        self._closes = False
        self._drops = False
        self._paused = False
        self._was_made = False

    def __del__(self) -> None:
        # Nobody says when a handshake fails: the protocol is forgotten before it had a connection.
        if not self._was_made:
            HANDSHAKE_ERRORS.add()

    # From the transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._was_made = True
        transport = cast("asyncio.Transport", transport)  # uvloop has classes of its own
        self.transport = transport
        transport.set_write_buffer_limits(high=WRITE_HIGH)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None:
            self._peer_certificate = tls.getpeercert(binary_form=True)
        _keep_alive(transport.get_extra_info("socket"))
        peer = transport.get_extra_info("peername")
        self._remote = peer[0] if peer else ""
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._upgraded is not None:
            self._upgraded.feed(data)
            return
        if self._drops:
            return
        if self._framing is not None:
            data = self._feed_body(self._framing, data)
        if self._task is None and not self._buffer and (usual := self._heads.parse_usual(data)):
            self._begin(usual)
        elif data:
            self._buffer += data
            if self._task is None:
                self._read_head()
            else:
                self._pace()

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
        if self._body is not None:
            self._body.end(UNEXPECTED_EOF)
        if self._upgraded is not None:
            self._upgraded.end()
        elif self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._can_write.clear()

    def resume_writing(self) -> None:
        self._can_write.set()

    # Reading.

    def _read_head(self) -> None:
        """Begin the next request if its head is all there."""
        try:
            found = self._take_head()
            if found is not None:
                self._begin(self._heads.parse(found))
        except HeadError as error:
            self._refuse(error)

    def _take_head(self) -> bytes | None:
        buffer = self._buffer
        if self._head is not None and len(buffer) < _PEEKED:
            return None
        if self._after_post and not self._scanned:
            # upstream: net/http server.go conn.readRequest: tolerance for old clients
            blank = len(buffer[:_PEEKED]) - len(buffer[:_PEEKED].lstrip(b"\r\n"))
            del buffer[:blank]
        end = head.end_of(buffer, self._scanned)
        if end > head.MAX_BYTES or (end < 0 and len(buffer) > head.MAX_BYTES):
            raise HeadError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if end < 0:
            self._wait_for_head()
            return None
        found = bytes(buffer[:end])
        del buffer[:end]
        return found

    def _wait_for_head(self) -> None:
        newline = -1 if self._begun else self._buffer.find(b"\n", self._scanned)
        if newline >= 0:
            self._begun = True
            head.check_begin(bytes(self._buffer[:newline]))
        self._scanned = len(self._buffer)
        if self._head_since is None and self._buffer:
            self._head_since = clock.monotonic()

    def _begin(self, found: Head) -> None:
        self._head = found
        self._scanned, self._begun, self._head_since = 0, False, None
        self._after_post = found.method == "POST"
        self._closes = found.closes
        body = self._body = self._open_body(found) if found.length else None
        target = found.target
        request = Request(
            method=found.method,
            path=target.path,
            raw_path=target.raw_path,
            query=Query(target.query),
            headers=found.headers,
            repeated=found.repeated,
            body=body or _NO_BODY,
            peer_certificate=self._peer_certificate,
            remote_address=self._remote,
            received_at=clock.monotonic(),
        )
        self._task = asyncio.get_running_loop().create_task(self._serve(request))
        if self._framing is not None and self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            self._buffer += self._feed_body(self._framing, data)
        if self._buffer:
            self._pace()

    def _open_body(self, found: Head) -> IncomingBody:
        body = IncomingBody(self._pace, self._send_continue if found.expects else None)
        self._framing = Chunked(body) if found.length < 0 else Sized(body, found.length)
        return body

    def _feed_body(self, framing: Framing, data: bytes) -> bytes:
        assert self._body is not None
        rest = framing.feed(data)
        if self._body.ended:
            self._framing = None
            self._drops = not self._body.is_whole
        return rest

    def _send_continue(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(answers.CONTINUE)

    def _pace(self) -> None:
        """Hold the client back while more waits than should."""
        waits = len(self._buffer) > UNREAD_HIGH and self._task is not None
        pause = waits or (self._body is not None and self._body.is_full)
        if pause is self._paused or self.transport.is_closing():
            return
        self._paused = pause
        if pause:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _refuse(self, error: HeadError) -> None:
        self._stopping = True
        if not self.transport.is_closing():
            self.transport.write(answers.refusal(error))
            self._linger()

    def _linger(self) -> None:
        """Close, but only after the client had time to read the answer while it still sends."""
        self._drops = True
        self._buffer.clear()
        self._body = None
        self._pace()
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self.transport.close)

    # Serving.

    @property
    def closed(self) -> Awaitable[None]:
        return asyncio.shield(self._closed)

    async def drained(self) -> None:
        """Wait until the transport takes more."""
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
        """Close when the client has been silent, or in the middle of a head, for too long."""
        if self._task is not None:
            return
        if self._head_since is not None:
            is_late = now - self._head_since > HEAD_SECONDS
        else:
            is_late = now - self._idle_since > IDLE_SECONDS
        if is_late:
            self.transport.close()

    async def _serve(self, request: Request) -> None:
        try:
            wire = _OPTIONS if _is_about_server(request) else await self._handler(request)
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
        if self.transport.is_closing():
            return
        if self._upgraded is not None:
            self.transport.close()
        elif self._closes or self._stopping:
            if self._body is not None and not self._body.is_whole:
                self._linger()
            else:
                self.transport.close()
        else:
            self._go_on()

    def _go_on(self) -> None:
        self._body = None
        self._idle_since = clock.monotonic()
        if self._buffer:
            self._read_head()
        if self._paused:
            self._pace()

    async def _send(self, request: Request, wire: Wire) -> None:
        if isinstance(wire, Upgrade):
            await self._send_upgrade(wire)
            return
        if self._body is not None and not (self._body.is_whole and not self._body.unread):
            await self._settle_body(self._body)
        if isinstance(wire, Response):
            self._send_response(request, wire)
        elif isinstance(wire, Push):
            await self._send_push(request, wire)
        else:
            await self._send_stream(request, wire)
        if not self._can_write.is_set():
            await self._can_write.wait()

    async def _settle_body(self, body: IncomingBody) -> None:
        """Before the answer, read what is left of the body; the connection ends if that is too much."""
        # upstream: net/http server.go chunkWriter.writeHeader
        is_long = (self._framing.left if self._framing else 0) + body.unread >= UNREAD
        if self._closes or body.is_awaited or is_long:
            self._closes = True
            return
        self._closes = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(UNREAD_SECONDS):
                self._closes = not await body.pass_over()

    def _head_of(self, status: int, headers: Headers, *, sized: bool) -> bytes:
        """Status and headers, with what is to become of the connection."""
        assert self._head is not None
        sent = list(headers)
        minor = self._head.minor
        if minor == 0:
            self._closes = self._closes or not sized
            if self._head.keeps_alive and not self._closes:
                sent.append(("Connection", "keep-alive"))
        elif self._closes or self._stopping:
            sent.append(("Connection", "close"))
        return answers.render_head(status, sent, minor=minor)

    def _send_response(self, request: Request, response: Response) -> None:
        headers = list(response.headers)
        if response.status not in answers.WITHOUT_BODY:
            # A 304 that named a type would change the type of what the client has kept.
            headers.append(("Content-Length", str(len(response.body))))
            if response.content_type:
                headers.append(("Content-Type", response.content_type))
        sent = self._head_of(response.status, headers, sized=True)
        is_empty = request.method == "HEAD" or response.status in answers.WITHOUT_BODY
        self.transport.write(sent if is_empty else sent + response.body)

    def _chunked(self, headers: Headers) -> tuple[Headers, bool]:
        """The headers of an answer whose length nobody knows, and whether it goes in chunks."""
        assert self._head is not None
        if self._head.minor == 0:
            return headers, False
        return [*headers, ("Transfer-Encoding", "chunked")], True

    async def _send_push(self, request: Request, push: Push) -> None:
        headers, chunked = self._chunked(push.headers)
        self.transport.write(self._head_of(push.status, headers, sized=False))
        if request.method == "HEAD":
            return
        sink = ChunkSink(self, chunked=chunked)
        await push.run(sink)
        sink.flush()
        if chunked and not self.transport.is_closing():
            self.transport.write(answers.LAST_CHUNK)

    async def _send_stream(self, request: Request, stream: Stream) -> None:
        sized = any(name.lower() == "content-length" for name, _ in stream.headers)
        is_empty = stream.status in answers.WITHOUT_BODY
        sized = sized or is_empty
        headers, chunked = (stream.headers, False) if sized else self._chunked(stream.headers)
        self.transport.write(self._head_of(stream.status, headers, sized=sized))
        if is_empty or request.method == "HEAD":
            return
        async for chunk in stream.chunks:
            if self.transport.is_closing():
                return
            if chunk:
                self.transport.write(answers.chunk(chunk) if chunked else chunk)
                await self.drained()
        if chunked:
            self.transport.write(answers.LAST_CHUNK)

    async def _send_upgrade(self, upgrade: Upgrade) -> None:
        early = bytes(self._buffer)
        self._buffer.clear()
        self._upgraded = UpgradedConnection(self, early)
        self._pace()
        try:
            await upgrade.run(self._upgraded)
        finally:
            self.transport.close()


def _keep_alive(connected: socket.socket | None) -> None:
    """Have the system notice clients that vanished without a word."""
    # upstream: net tcpsockopt_unix.go, with the defaults of net.KeepAliveConfig
    if connected is not None and connected.family in {socket.AF_INET, socket.AF_INET6}:
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE:
            connected.setsockopt(socket.IPPROTO_TCP, option, value)


_OPTIONS = Response(200, content_type="")


def _is_about_server(request: Request) -> bool:
    """Whether it asks what the server as a whole can do, which is nobody's secret and nothing."""
    # upstream: net/http server.go globalOptionsHandler
    return request.raw_path == "*" and request.method == "OPTIONS"
