"""Coroutines that run beside a block of code and end with it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def background(*coroutines: Coroutine[Any, Any, object]) -> AsyncIterator[None]:
    """Run ``coroutines`` while the block runs; cancel them and wait for them when it ends.

    If one of them fails, the block is cancelled and the failure raised, in an ``ExceptionGroup``.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(coroutine) for coroutine in coroutines]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
