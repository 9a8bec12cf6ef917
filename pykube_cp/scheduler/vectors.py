"""Names for the arrays that node state and plugin results come in.

A *row* is the number of a node in the snapshot. Plugins get ``Rows``, the rows in question, and
answer with one vector of the same length, in the same order.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Rows: TypeAlias = NDArray[np.intp]
IntVector: TypeAlias = NDArray[np.int64]
FloatVector: TypeAlias = NDArray[np.float64]
BoolVector: TypeAlias = NDArray[np.bool_]
Vector: TypeAlias = NDArray[Any]

NO_ROWS: Rows = np.empty(0, np.intp)


def as_rows(rows: list[int]) -> Rows:
    return np.array(rows, np.intp)


def zeros(size: int) -> IntVector:
    return np.zeros(size, np.int64)


def enlarged(vector: Vector, size: int) -> Vector:
    """A copy with room for ``size`` elements, zero where new."""
    larger = np.zeros(size, vector.dtype)
    larger[: len(vector)] = vector
    return larger
