"""Work on large bodies goes to threads, so that other requests need not wait for it."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

LARGE = 64 << 10
"""Bytes above which a body is worth a thread."""
THREADS = 2
"""So few, lest they take all processors."""
_T = TypeVar("_T")
_threads = ThreadPoolExecutor(THREADS, "large-bodies")


async def in_thread(threads: ThreadPoolExecutor, work: Callable[..., _T], *args: object) -> _T:
    """What ``work(*args)`` makes, or raises, in one of these threads."""
    return await asyncio.get_running_loop().run_in_executor(threads, work, *args)


class Turns:
    """So many work at once. Who waits is let in user by user: many of one do not hold up the others."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, user: str) -> None:
        """Wait for a turn; it must be given back."""
        if self._room:
            self._room -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self.give_back()
            raise

    def give_back(self) -> None:
        while self._waiting:
            user = next(iter(self._waiting))
            turns = self._waiting.pop(user)
            turn = turns.popleft()
            if turns:
                self._waiting[user] = turns  # behind all others
            if not turn.done():
                turn.set_result(None)
                return
        self._room += 1


class LargeBodies:
    """Reads what is large in threads, and what is small here and now."""

    def __init__(self) -> None:
        self._turns = Turns(THREADS)

    async def read(self, user: str, size: int, work: Callable[..., _T], *args: object) -> _T:
        """What ``work(*args)`` makes, or raises, of ``size`` bytes that the user sent."""
        if size <= LARGE:
            return work(*args)
        await self._turns.take(user)
        job = _Job(self._turns, work, args)
        try:
            return await in_thread(_threads, job.run)
        except asyncio.CancelledError:
            if not job.begun:
                job.end()
            raise


class _Job(Generic[_T]):
    """Work that keeps its turn until it ends, whoever still waits for it."""

    def __init__(self, turns: Turns, work: Callable[..., _T], args: tuple[object, ...]) -> None:
        self._turns, self._work, self._args = turns, work, args
        self._loop = asyncio.get_running_loop()
        self._ended = False
        self.begun = False

    def run(self) -> _T:
        self.begun = True
        try:
            return self._work(*self._args)
        finally:
            self._loop.call_soon_threadsafe(self.end)

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._turns.give_back()
