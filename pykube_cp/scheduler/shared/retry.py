"""A few more tries, quickly, for writes that the server could not take just now."""

# upstream: client-go util/retry/util.go DefaultBackoff, pkg/scheduler/util/utils.go Retriable

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pykube_cp.machinery.errors import StatusError, is_conflict, is_internal_error
from pykube_cp.machinery.errors import is_service_unavailable as is_unavailable

_T = TypeVar("_T")
_TRIES = 4
_FIRST_PAUSE = 0.01
_FACTOR = 5.0
_JITTER = 0.1


async def with_retries(write: Callable[[], Awaitable[_T]], *, on_conflict: bool = False) -> _T:
    """The result of ``write``; its last error if it keeps failing."""
    pause = _FIRST_PAUSE
    for _ in range(_TRIES - 1):
        try:
            return await write()
        except StatusError as error:
            if not _is_passing(error, on_conflict=on_conflict):
                raise
        except ConnectionRefusedError:
            pass
        await asyncio.sleep(pause * (1 + random.random() * _JITTER))
        pause *= _FACTOR
    return await write()


def _is_passing(error: StatusError, *, on_conflict: bool) -> bool:
    if on_conflict and is_conflict(error):
        return True
    return is_internal_error(error) or is_unavailable(error)
