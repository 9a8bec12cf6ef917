"""Doing many requests at once, carefully."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

SLOW_START_INITIAL_BATCH = 1


async def slow_start(
    count: int, call: Callable[[int], Awaitable[object]], max_batch: int = 0
) -> tuple[int, list[BaseException]]:
    """Call ``call`` with 0, 1, ... in batches that double while all goes well.

    So a request that is sure to fail is not repeated hundreds of times. Answers with how many calls
    succeeded and the failures of the batch that ended it.
    """
    # upstream: pkg/controller/replicaset/replica_set.go slowStartBatch
    done = successes = 0
    size = min(count, SLOW_START_INITIAL_BATCH)
    while size > 0:
        failures = await gather_failures(call(index) for index in range(done, done + size))
        successes += size - len(failures)
        if failures:
            return successes, failures
        done += size
        size = min(2 * size, count - done)
        if max_batch:
            size = min(size, max_batch)
    return successes, []


async def gather_failures(calls: Iterable[Awaitable[object]]) -> list[BaseException]:
    """Await all of ``calls`` at once and answer with those that failed."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    return [result for result in results if isinstance(result, BaseException)]
