"""Quantities as whole numbers of nano-units, the finest that the API knows."""

from functools import lru_cache

from pykube_cp.machinery import quantity

UNIT = 10**9
MILLI = 10**6


@lru_cache(maxsize=8192)
def nano(text: str) -> int:
    """The quantity in billionths."""
    return quantity.parse(text).nanos


def whole(text: str) -> int:
    """The quantity in whole units, rounded up."""
    return -(-nano(text) // UNIT)
