"""Requests to kubelets, pods and services, byte by byte: streamed answers and raw upgrades."""

import asyncio
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import httptools

from pykube_cp.api.request import Headers, RawConnection
from pykube_cp.machinery.go_text import quote

CONNECT_SECONDS = 30.0
HANDSHAKE_SECONDS = 10.0
REFUSAL_SECONDS = 10.0
_CHUNK = 64 << 10
_HEAD_LIMIT = 1 << 20
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]")
_AGENT = ("User-Agent", "Go-http-client/1.1")
_UNKNOWN_AUTHORITY = {18, 19, 20, 21}
_FRAMING = {"content-length", "transfer-encoding"}
_BROKEN = "net/http: HTTP/1.x transport connection broken: "


class OutboundError(Exception):
    """The other side could not be reached, or did not speak HTTP; the text is Go's."""


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

    def header(self, name: str) -> str:
        """The first of that lower-case name."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def replace(self, name: str, value: str | None) -> None:
        """One header instead of all of that name; none with None."""
        kept = [pair for pair in self.headers if pair[0].lower() != name.lower()]
        self.headers = kept if value is None else [*kept, (name, value)]


@dataclass(slots=True)
class Upgraded:
    """What the other side says to an upgrade: 101, after which bytes flow, or a refusal.

    ``head`` is the answer as it came, with what came after it.
    """

    status: int
    head: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        self.writer.close()


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
                target.host,
                target.port,
                ssl=target.tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if target.tls else None,
                limit=_HEAD_LIMIT,
            )
    except TimeoutError:
        raise OutboundError(f"dial tcp {target.authority}: i/o timeout") from None
    except ConnectionAbortedError:
        raise OutboundError("net/http: TLS handshake timeout") from None
    except ssl.SSLError as error:
        raise OutboundError(_tls_text(error)) from None
    except socket.gaierror:
        raise OutboundError(f"dial tcp: lookup {target.host}: no such host") from None
    except OSError as error:
        raise OutboundError(f"dial tcp {target.authority}: connect: {_reason(error)}") from None


def _tls_text(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        text = error.verify_message
        if error.verify_code in _UNKNOWN_AUTHORITY:
            text = "certificate signed by unknown authority"
        return f"tls: failed to verify certificate: x509: {text}"
    if error.reason == "WRONG_VERSION_NUMBER":
        return "tls: first record does not look like a TLS handshake"
    return f"tls: {error.reason or error}"


def _reason(error: OSError) -> str:
    return (os.strerror(error.errno) if error.errno else str(error)).lower()


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
        head = await _final_head(reader)
        return await _response(reader, writer, method, head)
    except OutboundError as error:
        writer.close()
        raise OutboundError(f"{_BROKEN}{error}" if str(error) != "EOF" else "EOF") from None
    except (OSError, httptools.HttpParserError) as error:
        writer.close()
        raise OutboundError(str(error) or "connection reset") from None
    except BaseException:
        writer.close()
        raise


async def upgrade(target: Target, method: str, headers: Headers) -> Upgraded:
    """Ask for an upgrade; errors say at which step it failed."""
    try:
        reader, writer = await connect(target)
    except OutboundError as error:
        raise OutboundError(f"error dialing backend: {error}") from None
    try:
        writer.write(_request_head(target, method, headers, chunked=False, close=False))
        head = await _head(reader)
    except OutboundError as error:
        writer.close()
        raise OutboundError("unexpected EOF" if str(error) == "EOF" else str(error)) from None
    except OSError as error:
        writer.close()
        raise OutboundError(_reason(error)) from None
    except BaseException:
        writer.close()
        raise
    return Upgraded(int(head.split(b" ", 2)[1][:3]), head, reader, writer)


async def splice(upgraded: Upgraded, client: RawConnection) -> None:
    """Pass the answer on and then bytes both ways, until either side ends."""
    reader, writer = upgraded.reader, upgraded.writer
    await client.write(upgraded.head)

    async def upstream() -> None:
        while data := await client.read():
            writer.write(data)
            await writer.drain()

    async def downstream() -> None:
        while data := await reader.read(_CHUNK):
            await client.write(data)

    both = {asyncio.ensure_future(upstream()), asyncio.ensure_future(downstream())}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
        writer.close()


async def refuse(upgraded: Upgraded, client: RawConnection) -> None:
    """Pass on an answer that is no upgrade; the connection ends with it."""
    try:
        async with asyncio.timeout(REFUSAL_SECONDS):
            answer = await _response(upgraded.reader, upgraded.writer, "GET", upgraded.head)
            await client.write(upgraded.head)
            if any(name.lower() == "transfer-encoding" for name, _ in answer.headers):
                async for chunk in answer.chunks:
                    await client.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                await client.write(b"0\r\n\r\n")
            else:
                async for chunk in answer.chunks:
                    await client.write(chunk)
    except TimeoutError:
        pass
    finally:
        upgraded.close()


async def _final_head(reader: asyncio.StreamReader) -> bytes:
    """The answer's head; interim answers (100 to 199) are forgotten."""
    while True:
        head = await _head(reader)
        if head.split(b" ", 2)[1][:1] != b"1":
            return head


async def _head(reader: asyncio.StreamReader) -> bytes:
    # upstream: net/http response.go ReadResponse
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as error:
        raise OutboundError("unexpected EOF" if error.partial else "EOF") from None
    _check_status_line(line.rstrip(b"\r\n"))
    head = line
    while line.strip(b"\r\n"):
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            raise OutboundError("unexpected EOF") from None
        head += line
        if len(head) > _HEAD_LIMIT:
            raise OutboundError("server response headers exceeded 1048576 bytes; aborted")
    return head


def _check_status_line(line: bytes) -> None:
    version, space, status = line.partition(b" ")
    if not space:
        raise OutboundError(f"malformed HTTP response {quote(line.decode('latin-1'))}")
    code = status.lstrip(b" ").partition(b" ")[0]
    if len(code) != 3 or not code.isdigit():
        raise OutboundError(f"malformed HTTP status code {quote(code.decode('latin-1'))}")
    if not _VERSION.fullmatch(version):
        raise OutboundError(f"malformed HTTP version {quote(version.decode('latin-1'))}")


async def _response(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, head: bytes
) -> OutboundResponse:
    parsed = _Parsed()
    parser = httptools.HttpResponseParser(parsed)
    parser.feed_data(head)
    status = parser.get_status_code()
    empty = method == "HEAD" or status in {204, 304}
    chunks = _body(reader, writer, parser, parsed, empty=empty)
    return OutboundResponse(status, parsed.headers, chunks)


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
                if _FRAMING & {name.lower() for name, _ in parsed.headers}:
                    raise OutboundError("unexpected EOF")
                return
            parser.feed_data(data)
    finally:
        writer.close()


def _request_head(
    target: Target, method: str, headers: Headers, *, chunked: bool, close: bool = True
) -> bytes:
    """The head as Go writes it; ``headers`` may name the host as the client knows it."""
    given = {name.lower(): value for name, value in headers}
    lines = [f"{method} {target.path or '/'} HTTP/1.1"]
    lines.append(f"Host: {given.get('host') or target.authority}")
    pairs = [pair for pair in headers if pair[0].lower() not in {"host", "content-length"}]
    if "user-agent" not in given:
        pairs.append(_AGENT)
    lines += [f"{canonical(name)}: {value}" for name, value in pairs if value or name != _AGENT[0]]
    if chunked:
        lines.append("Transfer-Encoding: chunked")
    if close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def canonical(name: str) -> str:
    """``x-own`` to ``X-Own``."""
    # upstream: net/textproto reader.go CanonicalMIMEHeaderKey
    return "-".join(part.capitalize() for part in name.split("-"))
