import asyncio
import gzip
import zlib
from collections.abc import Awaitable

import pytest

from pykube_cp.api import compression
from pykube_cp.api.compression import AT_ONCE, SqueezedSink
from pykube_cp.api.edge.streams import SINK_LIMIT

LARGE = b"x" * (AT_ONCE + 1)


class Reader:
    """A sink that takes so many frames."""

    def __init__(self, takes: int = 1000) -> None:
        self.frames: list[bytes] = []
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._takes = takes

    @property
    def closed(self) -> Awaitable[None]:
        return asyncio.shield(self.gone)

    def write(self, frame: bytes) -> bool:
        if len(self.frames) >= self._takes:
            return False
        self.frames.append(frame)
        return True

    @property
    def read(self) -> bytes:
        return gzip.decompress(b"".join(self.frames))


async def test_frames_come_in_order_whatever_their_size() -> None:
    reader = Reader()
    sink = SqueezedSink(reader)
    sent = [b"a", LARGE, b"b", b"c", LARGE, b"d"]
    for frame in sent:
        assert sink.write(frame)
        await asyncio.sleep(0)
    await sink.flushed()
    assert reader.read == b"".join(sent)


async def test_frames_of_one_turn_are_one_member() -> None:
    reader = Reader()
    sink = SqueezedSink(reader)
    sink.write(b"a")
    sink.write(b"b")
    await asyncio.sleep(0)
    assert [*map(gzip.decompress, reader.frames)] == [b"ab"]


async def test_what_waits_for_a_thread_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    squeezed: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def in_thread(*_args: object) -> bytes:
        return await squeezed

    monkeypatch.setattr(compression, "in_thread", in_thread)
    sink = SqueezedSink(Reader())
    assert sink.write(b"x" * (2 * SINK_LIMIT))  # a list of all there is has no limit
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    frame = b"y" * (SINK_LIMIT // 4)
    assert [sink.write(frame) for _ in range(6)] == [*[True] * 5, False]
    await sink.closed
    squeezed.set_result(zlib.compress(b""))
    await sink.flushed()


async def test_a_reader_that_takes_no_more_ends_it() -> None:
    sink = SqueezedSink(Reader(takes=1))
    for _ in range(2):
        assert sink.write(b"a")
        await asyncio.sleep(0)
    await sink.closed
    assert not sink.write(b"a")


async def test_it_is_closed_when_the_reader_is_gone() -> None:
    reader = Reader()
    closed = asyncio.ensure_future(_wait(SqueezedSink(reader)))
    await asyncio.sleep(0)
    reader.gone.set_result(None)
    await closed


async def _wait(sink: SqueezedSink) -> None:
    await sink.closed
