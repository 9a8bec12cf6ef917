"""Bytes as they are over a connection of their own: what no HTTP client would send.

What comes back is compared as a list of answers, each with its status line, the headers that matter and
its body, and whether the server closed the connection.
"""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

FIRST, QUIET = 5.0, 1.5
"""Seconds until the first byte, and without another one after it, for which more is waited."""
PAUSE = 0.2
"""Seconds between the pieces of a request."""
PATIENCE = 15
_REPEATED = re.compile(r"<<(.+?)\*(\d+)>>", re.DOTALL)
_CONTINUE = 100
_WITHOUT_BODY = frozenset({_CONTINUE, 101, 204, 304})


def expand(text: str) -> str:
    """The same with each `<<text*N>>` written out."""
    return _REPEATED.sub(lambda found: found[1] * int(found[2]), text)


def as_sent(text: str) -> bytes:
    """A text's lines end as HTTP's do, unless there is a carriage return in it already."""
    text = expand(text)
    return (text if "\r" in text else text.replace("\n", "\r\n")).encode("latin-1")


@dataclass(slots=True)
class Received:
    """All that came back."""

    data: bytes
    closed: bool


async def send(url: str, context: ssl.SSLContext, pieces: Sequence[bytes]) -> Received:
    """Sends the pieces with pauses between them, and reads until it is quiet."""
    address = urlsplit(url)
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(
            address.hostname, address.port, ssl=context, server_hostname=address.hostname
        )
        sending = asyncio.create_task(_write(writer, pieces))
        try:
            return await _read(reader, sending)
        finally:
            sending.cancel()
            writer.transport.abort()


async def _write(writer: asyncio.StreamWriter, pieces: Sequence[bytes]) -> None:
    with contextlib.suppress(OSError):  # refused before all was sent; the answer tells
        for position, piece in enumerate(pieces):
            if position:
                await asyncio.sleep(PAUSE)
            writer.write(piece)
            await writer.drain()


async def _read(reader: asyncio.StreamReader, sending: "asyncio.Task[None]") -> Received:
    parts: list[bytes] = []
    while True:
        try:
            async with asyncio.timeout(QUIET if parts else FIRST):
                part = await reader.read(1 << 16)
        except TimeoutError:
            if sending.done():
                return Received(b"".join(parts), closed=False)
            continue
        except OSError:
            part = b""
        if not part:
            return Received(b"".join(parts), closed=True)
        parts.append(part)


@dataclass(slots=True)
class RawAnswer:
    """One answer out of the bytes."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    def names(self) -> Mapping[str, list[str]]:
        """Header values by lower-case name."""
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.lower(), []).append(value)
        return found


def answers(data: bytes, methods: Sequence[str]) -> list[RawAnswer]:
    """The answers in what came; `methods` are those asked with, for HEAD's have no body."""
    found: list[RawAnswer] = []
    asked = list(methods)
    while data:
        head, separator, rest = data.partition(b"\r\n\r\n")
        if not separator:
            found.append(RawAnswer(data.decode("latin-1"), [], b""))
            break
        answer = _head(head.decode("latin-1"))
        status = _status(answer.line)
        if status not in _WITHOUT_BODY:
            method = asked.pop(0) if asked else ""
            answer.body, rest = (b"", rest) if method == "HEAD" else _body(answer, rest)
        found.append(answer)
        data = rest
    return found


def _head(text: str) -> RawAnswer:
    line, *lines = text.split("\r\n")
    pairs = (each.partition(":") for each in lines)
    return RawAnswer(line, [(name, value.strip()) for name, _, value in pairs], b"")


def _status(line: str) -> int:
    words = line.split(" ")
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def _body(answer: RawAnswer, rest: bytes) -> tuple[bytes, bytes]:
    if "chunked" in answer.header("transfer-encoding"):
        return _chunked(rest)
    length = answer.header("content-length")
    if not length:
        return rest, b""
    return rest[: int(length)], rest[int(length) :]


def _chunked(rest: bytes) -> tuple[bytes, bytes]:
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size.split(b";")[0] or b"0", 16)
        body += rest[:length]
        rest = rest[length + 2 :]
        if not length:
            break
    return body, rest


def methods_of(pieces: Sequence[bytes]) -> list[str]:
    """The methods in what is sent, as far as lines that look like requests tell."""
    lines = re.findall(rb"^([A-Z]+) \S* ?HTTP/1", b"".join(pieces), re.MULTILINE)
    return [name.decode() for name in lines]


def shown(answer: RawAnswer, headers: Mapping[str, Any], body: Any) -> dict[str, Any]:
    return {"line": answer.line, "headers": dict(headers), "body": body}
