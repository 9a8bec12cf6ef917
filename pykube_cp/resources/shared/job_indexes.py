"""Lists of indexes such as ``1,3-5``."""
# upstream: pkg/apis/batch/validation/validation.go validateIndexesFormat

import contextlib
from collections import deque


def count(text: str, completions: int) -> int:
    """How many indexes there are; ``ValueError`` says why it is no such list."""
    total, last = 0, -1
    for part in text.split(",") if text else ():
        first, final = _interval(part, completions)
        if last >= first:
            raise ValueError(f"non-increasing order, previous: {last}, current: {first}")
        total += final - first + 1
        last = final
    return total


def overlap(one: str, other: str, completions: int) -> int | None:
    """The first index that is in both lists; parts that make no sense are passed over."""
    # upstream: pkg/apis/batch/validation/validation.go validateFailedIndexesNotOverlapCompleted
    left, right = (deque(_readable(text, completions)) for text in (one, other))
    while left and right:
        (first, final), (other_first, other_final) = left[0], right[0]
        if first <= other_final and other_first <= final:
            return max(first, other_first)
        (left if first <= other_first else right).popleft()
    return None


def _readable(text: str, completions: int) -> list[tuple[int, int]]:
    found = []
    for part in text.split(","):
        with contextlib.suppress(ValueError):
            found.append(_interval(part, completions))
    return found


def _interval(part: str, completions: int) -> tuple[int, int]:
    ends = part.split("-")
    if len(ends) > 2:
        raise ValueError(
            f'the fragment "{part}" violates the requirement that an index interval can have '
            "at most two parts separated by '-'"
        )
    for end in ends:
        if not end.isdigit():
            raise ValueError(f'cannot convert string to integer for index: "{end}"')
        if int(end) >= completions:
            raise ValueError(f'too large index: "{end}"')
    first, final = int(ends[0]), int(ends[-1])
    if len(ends) == 2 and first >= final:
        raise ValueError(f"non-increasing order, previous: {first}, current: {final}")
    return first, final
