"""The only place that asks what time it is.

Everything reads time through ``now()`` and ``monotonic()``, so a test can put a whole cluster on a
virtual clock with ``use()``. Sleeping goes through the event loop, which a test replaces as well.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

_now: Callable[[], float] = time.time
_monotonic: Callable[[], float] = time.monotonic


def use(now: Callable[[], float], monotonic: Callable[[], float]) -> None:
    """Replace both clocks; both return seconds."""
    global _now, _monotonic
    _now, _monotonic = now, monotonic


def use_system() -> None:
    """Go back to the clocks of the system."""
    use(time.time, time.monotonic)


def now() -> float:
    """Wall-clock time in seconds since 1970."""
    return _now()


def monotonic() -> float:
    """Seconds since an arbitrary point; never goes back."""
    return _monotonic()


def format_time(seconds: float) -> str:
    """``metav1.Time``: RFC 3339 in UTC with whole seconds, as in ``2026-11-24T10:00:00Z``."""
    return _whole_seconds(int(seconds))


@lru_cache(maxsize=64)  # the present second is asked for again and again
def _whole_seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_micro_time(seconds: float) -> str:
    """``metav1.MicroTime``: RFC 3339 in UTC with six digits, as in ``2026-11-24T10:00:00.000000Z``."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def timestamp() -> str:
    """The current time as ``metav1.Time``."""
    return format_time(_now())


def micro_timestamp() -> str:
    """The current time as ``metav1.MicroTime``."""
    return format_micro_time(_now())


def parse_time(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time, with or without fraction; ``ValueError`` otherwise."""
    return datetime.fromisoformat(text).timestamp()
