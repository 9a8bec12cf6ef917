"""A request on a connection of its own, read byte by byte: upgrades and what follows them."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from multidict import CIMultiDict

QUIET = 3.0
"""Seconds without a byte after which nothing more is expected."""


@dataclass(slots=True)
class RawAnswer:
    """Status, headers, and all that came after them."""

    status: int
    headers: CIMultiDict[str]
    body: bytes


async def exchange(
    url: str,
    context: ssl.SSLContext,
    method: str,
    headers: Sequence[tuple[str, str]],
    sent: bytes,
) -> RawAnswer:
    """Send the head, read the answer's; after an upgrade send ``sent`` and read until it is quiet."""
    place = urlsplit(url)
    assert place.hostname
    reader, writer = await asyncio.open_connection(place.hostname, place.port, ssl=context)
    try:
        target = f"{place.path}?{place.query}" if place.query else place.path
        lines = [f"{method} {target} HTTP/1.1", f"Host: {place.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        status, found = await _head(reader)
        if status == 101:
            writer.write(sent)
        return RawAnswer(status, found, await _rest(reader, found))
    except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
        return RawAnswer(0, CIMultiDict(), f"no answer: {error}".encode())
    finally:
        writer.close()


async def _head(reader: asyncio.StreamReader) -> tuple[int, CIMultiDict[str]]:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    found = CIMultiDict[str]()
    for line in lines:
        name, _, value = line.partition(":")
        found.add(name, value.strip())
    return int(first.split(" ")[1]), found


async def _rest(reader: asyncio.StreamReader, headers: CIMultiDict[str]) -> bytes:
    if size := headers.get("Content-Length"):
        return await reader.readexactly(int(size))
    body = b""
    try:
        while data := await asyncio.wait_for(reader.read(1 << 16), QUIET):
            body += data
    except TimeoutError:
        body += b"(and waits)"
    return body
