import asyncio

import pytest

from pykube_cp.client.work_queue import (
    QueueClosedError,
    RateLimiter,
    TokenBucket,
    WorkQueue,
    families,
)
from pykube_cp.machinery import clock
from pykube_cp.machinery.metrics import exposition

pytestmark = pytest.mark.virtual_time


async def test_a_key_waits_once_however_often_it_is_added() -> None:
    queue = WorkQueue()
    for key in ("a", "b", "a", "a"):
        queue.add(key)
    assert len(queue) == 2
    assert [await queue.get(), await queue.get()] == ["a", "b"]


async def test_a_key_added_while_it_is_worked_on_comes_back_when_that_is_done() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    assert len(queue) == 0
    queue.done("a")
    assert len(queue) == 1
    assert await queue.get() == "a"
    queue.done("a")
    assert queue.is_idle


async def test_urgent_keys_go_first() -> None:
    queue = WorkQueue()
    queue.add("a")
    queue.add("b", urgent=True)
    assert await queue.get() == "b"


async def test_of_several_delays_the_shortest_counts() -> None:
    queue = WorkQueue()
    start = clock.monotonic()
    queue.add_after("a", 30)
    queue.add_after("a", 10)
    queue.add_after("a", 20)
    assert await queue.get() == "a"
    assert clock.monotonic() - start == pytest.approx(10)
    queue.done("a")
    await asyncio.sleep(60)
    assert len(queue) == 0


async def test_failures_wait_twice_as_long_each_time_until_forgotten() -> None:
    limiter = RateLimiter()
    assert [limiter.when("a") for _ in range(4)] == [0.005, 0.01, 0.02, 0.04]
    assert limiter.when("b") == 0.005
    for _ in range(30):
        slowest = limiter.when("a")
    assert slowest == 1000
    limiter.forget("a")
    assert limiter.failures("a") == 0
    assert limiter.when("a") == 0.005


async def test_many_failing_keys_share_ten_retries_a_second() -> None:
    limiter = RateLimiter()
    delays = [limiter.when(f"key-{number}") for number in range(150)]
    assert delays[99] == 0.005
    assert delays[-1] == pytest.approx(5.0)


async def test_a_bucket_refills() -> None:
    bucket = TokenBucket(rate=1, burst=2)
    assert [bucket.try_take() for _ in range(3)] == [True, True, False]
    await asyncio.sleep(1.5)
    assert [bucket.try_take() for _ in range(2)] == [True, False]


async def test_requeues_are_counted_and_timed() -> None:
    queue = WorkQueue()
    queue.add_rate_limited("a")
    queue.add_rate_limited("a")
    assert queue.num_requeues("a") == 2
    assert queue.delayed == 1
    assert await queue.get() == "a"
    assert queue.metrics.retries_total == 2
    await asyncio.sleep(3)
    assert queue.metrics.longest_running() == pytest.approx(3)
    queue.done("a")
    assert queue.metrics.unfinished() == 0
    assert queue.metrics.worked.of(queue.name).sum == pytest.approx(3)
    text = exposition(families([queue]))
    assert f'workqueue_retries_total{{name="{queue.name}"}} 2\n' in text
    assert f'workqueue_work_duration_seconds_bucket{{name="{queue.name}",le="10"}} 1\n' in text


async def test_shut_down_lets_workers_finish_what_is_queued() -> None:
    queue = WorkQueue()
    queue.add("a")
    queue.add_after("late", 5)
    queue.shut_down()
    queue.add("b")
    assert await queue.get() == "a"
    with pytest.raises(QueueClosedError):
        await queue.get()
    assert queue.delayed == 0


async def test_shut_down_wakes_waiting_workers() -> None:
    queue = WorkQueue()

    async def work() -> str:
        try:
            return await queue.get()
        except QueueClosedError:
            return "closed"

    workers = [asyncio.ensure_future(work()) for _ in range(3)]
    await asyncio.sleep(1)
    queue.shut_down()
    assert await asyncio.gather(*workers) == ["closed"] * 3


async def test_drain_waits_for_the_work_under_way() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    draining = asyncio.ensure_future(queue.drain())
    await asyncio.sleep(1)
    queue.done("a")
    assert await queue.get() == "a"
    assert not draining.done()
    queue.done("a")
    await draining


async def test_a_cancelled_worker_does_not_swallow_a_key() -> None:
    queue = WorkQueue()
    first = asyncio.ensure_future(queue.get())
    second = asyncio.ensure_future(queue.get())
    await asyncio.sleep(1)
    queue.add("a")
    first.cancel()
    assert await second == "a"
    assert first.cancelled()
