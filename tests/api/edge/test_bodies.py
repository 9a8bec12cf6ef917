"""Bodies: cut out of the stream in the same way whatever pieces it comes in."""

import asyncio
import random

import pytest

from pykube_cp.api.edge.bodies import UNREAD, Chunked, Framing, IncomingBody, Sized
from pykube_cp.machinery.errors import StatusError

NEXT = b"GET /next HTTP/1.1\r\n"


def body() -> IncomingBody:
    return IncomingBody(lambda: None)


def fed(framing: Framing, incoming: IncomingBody, pieces: list[bytes]) -> bytes:
    """What is left of the pieces once the body has ended."""
    rest = b""
    for piece in pieces:
        rest += piece if incoming.ended else framing.feed(piece)
    return rest


def cut(data: bytes, randomness: random.Random) -> list[bytes]:
    places = sorted(randomness.sample(range(len(data)), randomness.randint(0, 6)))
    ends = [*places, len(data)]
    return [data[start:end] for start, end in zip([0, *places], ends, strict=True)]


async def test_a_body_of_known_length() -> None:
    for pieces in ([b"hello" + NEXT], [b"he", b"llo", NEXT], [b"hello", NEXT]):
        incoming = body()
        assert fed(Sized(incoming, 5), incoming, pieces) == NEXT
        assert await incoming.read(5) == b"hello"
        assert incoming.is_whole


async def test_chunks_in_pieces_of_any_size() -> None:
    data = b'6\r\nhello \r\n5;name="value"; x\r\nworld\r\n00\r\nTrailer: x\r\n\r\n' + NEXT
    randomness = random.Random(7)
    for _ in range(300):
        incoming = body()
        assert fed(Chunked(incoming), incoming, cut(data, randomness)) == NEXT
        assert incoming.is_whole
        assert await incoming.read(99) == b"hello world"


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"zz\r\n", "invalid byte in chunk length"),
        (b"-1\r\n", "invalid byte in chunk length"),
        (b"+1\r\n", "invalid byte in chunk length"),
        (b"0x1\r\n", "invalid byte in chunk length"),
        (b"1_0\r\n", "invalid byte in chunk length"),
        (b" 1\r\n", "invalid byte in chunk length"),
        (b"1 ;a\r\n", "invalid byte in chunk length"),
        (b"1;" + b"a" * 4000, ""),
        (b"\r\n", "empty hex number for chunk length"),
        (b";a\r\n", "empty hex number for chunk length"),
        (b"1" * 17 + b"\r\n", "http chunk length too large"),
        (b"2\n{}\r\n", "chunked line ends with bare LF"),
        (b"2\r;\n", "invalid CR in chunked line"),
        (b"2\r;\r\n", "invalid CR in chunked line"),
        (b"2\r\n{}x", "malformed chunked encoding"),
        (b"2\r\n{}\n0\r\n", "malformed chunked encoding"),
        (b"2;" + b"a" * 5000, "header line too long"),
        (b"0\r\nnocolon\r\n\r\n", 'malformed MIME header: missing colon: "nocolon"'),
        (b"0\r\nA\x00: b\r\n\r\n", 'malformed MIME header line: "A\\x00: b"'),
        (b"0\r\nA: " + b"b" * 5000, "http: suspiciously long trailer after chunked body"),
        ((b"1;" + b"a" * 40 + b"\r\nx\r\n") * 700, "chunked encoding contains too much non-data"),
    ],
)
async def test_chunks_that_are_none(data: bytes, failure: str) -> None:
    for size in (len(data), 1, 7):
        incoming = body()
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        fed(Chunked(incoming), incoming, pieces)
        assert incoming.ended is bool(failure)
        assert not incoming.is_whole
        if failure:
            with pytest.raises(StatusError) as caught:
                await incoming.read(1 << 20)
            assert (caught.value.code, caught.value.message) == (500, failure)


async def test_nothing_that_is_read_without_end_grows() -> None:
    """What belongs to no body is bounded, whatever is sent."""
    randomness = random.Random(3)
    for _ in range(300):
        incoming = body()
        framing = Chunked(incoming)
        alphabet = randomness.choice([b"\r\n", b"1;\r\n", b"0aF\r\n x:"])
        for _ in range(50):
            if incoming.ended:
                break
            framing.feed(bytes(randomness.choices(alphabet, k=300)))
        assert len(framing._line) <= 4096 + 300


async def test_a_body_longer_than_allowed() -> None:
    incoming = body()
    Sized(incoming, 100).feed(b"x" * 50)
    with pytest.raises(StatusError, match="Request entity too large: limit is 49"):
        await incoming.read(49)


async def test_a_client_that_waits_is_told_once() -> None:
    told: list[None] = []
    incoming = IncomingBody(lambda: None, lambda: told.append(None))
    assert incoming.is_awaited
    reading = asyncio.ensure_future(incoming.read(9))
    await asyncio.sleep(0)
    assert (len(told), incoming.is_awaited) == (1, False)
    Sized(incoming, 2).feed(b"{}")
    assert await reading == b"{}"


async def test_what_nobody_wants_is_passed_over() -> None:
    incoming = body()
    framing = Sized(incoming, 3000)
    framing.feed(b"x" * 1000)
    passing = asyncio.ensure_future(incoming.pass_over())
    await asyncio.sleep(0)
    framing.feed(b"x" * 2000)
    assert await passing
    assert incoming.unread == 0


async def test_but_not_without_end() -> None:
    incoming = body()
    framing = Chunked(incoming)
    passing = asyncio.ensure_future(incoming.pass_over())
    for _ in range(UNREAD // 1000 + 1):
        framing.feed(b"3e8\r\n%b\r\n" % (b"x" * 1000))
        await asyncio.sleep(0)
    assert not await passing


async def test_the_sender_is_held_back() -> None:
    calls: list[bool] = []
    incoming = IncomingBody(lambda: calls.append(incoming.is_full))
    framing = Sized(incoming, 4 << 20)
    framing.feed(b"x" * (1 << 20))
    assert calls == []
    framing.feed(b"x")
    assert calls == [True]
    chunks = incoming.chunks()
    await anext(chunks)
    assert calls == [True, False]
