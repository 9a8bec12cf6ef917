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


async def in_thread(threads: ThreadPoolExecutor, work: Callable[..., _T], *args: object) -> _T:
    """What ``work(*args)`` makes, or raises, in one of these threads."""
    return await asyncio.get_running_loop().run_in_executor(threads, work, *args)


async def in_thread_if_large(size: int, work: Callable[..., _T], *args: object) -> _T:
    """The same, here and now where the ``size`` of what is worked on is small."""
    return await in_thread(_threads, work, *args) if size > LARGE else work(*args)
