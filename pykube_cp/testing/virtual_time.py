"""An event loop whose time jumps: sleeping costs nothing, and an hour passes in a moment.

Time stands still while anything can run, and jumps to the next timer when nothing can. So
``await asyncio.sleep(0.1)`` also means: let everything that can happen now happen first. The clocks
of ``machinery.clock`` follow the loop from its making to its closing.
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple

from pykube_cp.machinery import clock

START = 1_800_000_000.0
"""Wall-clock time at which a virtual loop begins: 2027-01-15T08:00:00Z."""

_REAL_WAIT = 0.01
_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer it moves time to it, unless real work is under way."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.real_work = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(_REAL_WAIT if self.real_work else 0)
        if not ready and not self.real_work:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time.

    Time does not pass while a thread of an executor works, for that takes real time. Sockets are
    served, but nobody waits for them: what talks over real connections needs a real loop.
    """

    def __init__(self, start: float = START) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        clock.use(lambda: start + self._jumping.now, self.time)

    def time(self) -> float:
        return self._jumping.now

    def close(self) -> None:
        if not self.is_closed():
            clock.use_system()
        super().close()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*_Ts], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        future: asyncio.Future[_T] = super().run_in_executor(executor, func, *args)
        self._jumping.real_work += 1
        future.add_done_callback(self._real_work_done)
        return future

    def _real_work_done(self, _future: asyncio.Future[Any]) -> None:
        self._jumping.real_work -= 1
