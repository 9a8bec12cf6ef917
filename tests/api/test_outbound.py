"""What can go wrong on the way to a kubelet or a pod."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from pykube_cp.api.edge import outbound
from pykube_cp.api.edge.outbound import OutboundError, Target

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def saying(answer: bytes) -> AsyncIterator[Target]:
    """A server that says always the same, and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Target("127.0.0.1", server.sockets[0].getsockname()[1], "/x")


async def _nothing() -> AsyncIterator[bytes]:
    for chunk in ():
        yield chunk


async def get(answer: bytes) -> tuple[int, bytes]:
    async with saying(answer) as target:
        found = await outbound.send(target, "GET", [], _nothing(), has_body=False)
        return found.status, b"".join([chunk async for chunk in found.chunks])


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "EOF"),
        (b"HTTP", "unexpected EOF"),
        (b"nonsense\r\n\r\n", 'malformed HTTP response "nonsense"'),
        (b"HTTP/1.1 20 x\r\n\r\n", 'malformed HTTP status code "20"'),
        (b"HTTQ/1.1 200 x\r\n\r\n", 'malformed HTTP version "HTTQ/1.1"'),
    ],
)
async def test_answers_that_are_none(answer: bytes, why: str) -> None:
    with pytest.raises(OutboundError) as wrong:
        await get(answer)
    assert str(wrong.value).endswith(why)


async def test_interim_answers_are_passed_over() -> None:
    answer = b"HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    assert await get(answer) == (200, b"ok")


async def test_a_body_may_end_with_the_connection() -> None:
    assert await get(b"HTTP/1.1 200 OK\r\n\r\nuntil here") == (200, b"until here")


async def test_a_body_that_breaks_off_is_told() -> None:
    with pytest.raises(OutboundError, match="unexpected EOF"):
        await get(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nnot all")


async def test_nobody_listens() -> None:
    async with saying(b"") as target:
        pass
    with pytest.raises(OutboundError) as wrong:
        await outbound.upgrade(target, "GET", [])
    where = f"127.0.0.1:{target.port}"
    text = f"error dialing backend: dial tcp {where}: connect: connection refused"
    assert str(wrong.value) == text


async def test_an_upgrade_is_told_before_bytes_flow() -> None:
    async with saying(b"HTTP/1.1 101 x\r\nUpgrade: y\r\n\r\nearly") as target:
        upgraded = await outbound.upgrade(target, "GET", [("upgrade", "y")])
        assert (upgraded.status, upgraded.head[-4:]) == (101, b"\r\n\r\n")
        assert await upgraded.reader.read() == b"early"
        upgraded.close()
