"""Requests to kubelets, pods and services, byte by byte: streamed answers and raw upgrades."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httptools

from pykube_cp.api.request import Headers, RawConnection

CONNECT_SECONDS = 30.0
_CHUNK = 64 << 10


class OutboundError(Exception):
    """The other side could not be reached, or did not speak HTTP."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what to ask for there."""

    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None = None

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.authority}{self.path}"


@dataclass(slots=True)
class OutboundResponse:
    """Status and headers; ``chunks`` gives the decoded body and closes the connection at its end."""

    status: int
    headers: list[tuple[str, str]]
    chunks: AsyncIterator[bytes]


@dataclass(slots=True)
class _Parsed:
    """What the parser calls back with."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    body: list[bytes] = field(default_factory=list)
    head_done: bool = False
    done: bool = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1"), value.decode("latin-1")))

    def on_headers_complete(self) -> None:
        self.head_done = True

    def on_body(self, data: bytes) -> None:
        self.body.append(data)

    def on_message_complete(self) -> None:
        self.done = True


async def connect(target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection; ``OutboundError`` says why there is none, in the words of Go's dialer."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            return await asyncio.open_connection(
                target.host, target.port, ssl=target.tls, limit=1 << 20
            )
    except TimeoutError:
        raise OutboundError(f"dial tcp {target.authority}: i/o timeout") from None
    except ssl.SSLError as error:
        raise OutboundError(f"tls: {error.reason or error}") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise OutboundError(f"dial tcp {target.authority}: connect: {reason}") from None


async def send(
    target: Target, method: str, headers: Headers, body: AsyncIterator[bytes], *, has_body: bool
) -> OutboundResponse:
    """Send a request, return when the answer's head is there."""
    reader, writer = await connect(target)
    try:
        writer.write(_request_head(target, method, headers, chunked=has_body))
        if has_body:
            async for chunk in body:
                if chunk:
                    writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                    await writer.drain()
            writer.write(b"0\r\n\r\n")
        return await _response(reader, writer, method)
    except (OSError, httptools.HttpParserError) as error:
        writer.close()
        raise OutboundError(str(error) or "connection reset") from None
    except BaseException:
        writer.close()
        raise


async def splice(target: Target, method: str, headers: Headers, client: RawConnection) -> None:
    """Pass an upgrade request on and then bytes both ways, until either side ends."""
    reader, writer = await connect(target)
    writer.write(_request_head(target, method, headers, chunked=False, close=False))

    async def upstream() -> None:
        while data := await client.read():
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof() and not target.tls:
            writer.write_eof()

    async def downstream() -> None:
        while data := await reader.read(_CHUNK):
            await client.write(data)

    sending = asyncio.ensure_future(upstream())
    receiving = asyncio.ensure_future(downstream())
    try:
        await asyncio.wait({sending, receiving}, return_when=asyncio.FIRST_COMPLETED)
        if receiving.done() is False and sending.done():
            await asyncio.wait({receiving}, timeout=5)
    finally:
        for task in (sending, receiving):
            task.cancel()
        await asyncio.gather(sending, receiving, return_exceptions=True)
        writer.close()


async def _response(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str
) -> OutboundResponse:
    parsed = _Parsed()
    parser = httptools.HttpResponseParser(parsed)
    while not _has_head(parsed, parser):
        data = await reader.read(_CHUNK)
        if not data:
            raise OutboundError("EOF")
        parser.feed_data(data)
    chunks = _body(reader, writer, parser, parsed, empty=method == "HEAD")
    return OutboundResponse(parser.get_status_code(), parsed.headers, chunks)


def _has_head(parsed: _Parsed, parser: httptools.HttpResponseParser) -> bool:
    """Whether the final head is there; an interim answer (100) is forgotten."""
    if parsed.head_done and parser.get_status_code() == 100:
        parsed.headers, parsed.head_done, parsed.done = [], False, False
    return parsed.head_done


async def _body(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    parser: httptools.HttpResponseParser,
    parsed: _Parsed,
    *,
    empty: bool,
) -> AsyncIterator[bytes]:
    try:
        while True:
            if parsed.body:
                data = b"".join(parsed.body)
                parsed.body.clear()
                yield data
            if parsed.done or empty:
                return
            data = await reader.read(_CHUNK)
            if not data:
                return
            parser.feed_data(data)
    finally:
        writer.close()


def _request_head(
    target: Target, method: str, headers: Headers, *, chunked: bool, close: bool = True
) -> bytes:
    lines = [f"{method} {target.path} HTTP/1.1", f"Host: {target.authority}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    if close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
