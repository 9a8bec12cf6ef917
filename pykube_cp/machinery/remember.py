"""Results by the text they are of, for texts that repeat.

What a client sends may be megabytes long and must not stay in memory, so only short texts are kept.
"""

import functools
from collections.abc import Callable
from typing import TypeVar

MAX_LENGTH = 256

Text = TypeVar("Text", str, bytes)
Result = TypeVar("Result")


def remembered(maxsize: int) -> Callable[[Callable[[Text], Result]], Callable[[Text], Result]]:
    """Keep the results for so many different texts."""

    def decorate(function: Callable[[Text], Result]) -> Callable[[Text], Result]:
        cached = functools.lru_cache(maxsize)(function)

        @functools.wraps(function)
        def call(text: Text) -> Result:
            return cached(text) if len(text) <= MAX_LENGTH else function(text)

        return call

    return decorate
