import asyncio
import time

import pytest

from pykube_cp.machinery import clock


@pytest.mark.virtual_time
async def test_time_jumps_when_nothing_can_run() -> None:
    real = time.monotonic()
    wall, start = clock.now(), clock.monotonic()
    order: list[str] = []

    async def later(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        order.append(name)

    await asyncio.gather(later("hour", 3600), later("day", 86400), later("minute", 60))
    assert order == ["minute", "hour", "day"]
    assert clock.monotonic() - start == pytest.approx(86400)
    assert clock.now() - wall == pytest.approx(86400)
    assert time.monotonic() - real < 1


@pytest.mark.virtual_time
async def test_time_stands_still_while_a_thread_works() -> None:
    async with asyncio.timeout(0.001):
        await asyncio.to_thread(time.sleep, 0.02)


async def test_elsewhere_time_is_real() -> None:
    assert clock.now() == pytest.approx(time.time(), abs=5)
