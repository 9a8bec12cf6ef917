"""Work on large bodies goes to threads, so that other requests need not wait for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

LARGE = 64 << 10
"""Bytes above which a body is worth a thread."""
_T = TypeVar("_T")
_threads = ThreadPoolExecutor(2, "large-bodies")
"""So few, lest they take all processors."""


async def in_thread(work: Callable[..., _T], *args: object) -> _T:
    """What ``work(*args)`` makes, or raises, in a thread."""
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *args)


async def in_thread_if_large(size: int, work: Callable[..., _T], *args: object) -> _T:
    """The same, here and now where the ``size`` of what is worked on is small."""
    return await in_thread(work, *args) if size > LARGE else work(*args)
