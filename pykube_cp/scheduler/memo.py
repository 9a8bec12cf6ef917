"""Vectors that are computed once and afterwards only where something changed.

Pods of the same shape ask for the same vectors: which nodes their selector matches, how well their
requests fit. A vector is kept with the point in the change log up to which it is right; on the next
use only the rows changed since are computed again.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np

from pykube_cp.scheduler.vectors import Rows, Vector

_LONGEST_LOG = 8192


class ChangeLog:
    """Rows in the order in which they changed, as far back as it pays to remember."""

    __slots__ = ("_base", "_rows")

    def __init__(self) -> None:
        self._base = 0
        self._rows: list[int] = []

    @property
    def end(self) -> int:
        return self._base + len(self._rows)

    def add(self, row: int) -> None:
        self._rows.append(row)
        if len(self._rows) > _LONGEST_LOG:
            half = _LONGEST_LOG // 2
            del self._rows[:half]
            self._base += half

    def since(self, point: int) -> list[int] | None:
        """Rows changed since ``point``, each once; None if that is too long ago."""
        if point < self._base:
            return None
        return list(dict.fromkeys(self._rows[point - self._base :]))


class VectorMemo:
    """Vectors by key; the least recently used are dropped."""

    def __init__(self, log: ChangeLog, limit: int = 256) -> None:
        self._log = log
        self._limit = limit
        self._entries: OrderedDict[Hashable, tuple[int, Vector]] = OrderedDict()

    def get(self, key: Hashable, size: int, compute: Callable[[Rows], Vector]) -> Vector:
        """The vector for rows ``0 .. size - 1``; read-only, and right until the next change."""
        entry = self._entries.get(key)
        if entry is None or len(entry[1]) != size:
            return self._computed(key, size, compute)
        point, vector = entry
        end = self._log.end
        if point != end:
            changed = self._log.since(point)
            if changed is None or len(changed) * 4 > size:
                return self._computed(key, size, compute)
            rows = np.array([row for row in changed if row < size], np.intp)
            vector[rows] = compute(rows)
            self._entries[key] = (end, vector)
        self._entries.move_to_end(key)
        return vector

    def _computed(self, key: Hashable, size: int, compute: Callable[[Rows], Vector]) -> Vector:
        vector = np.array(compute(np.arange(size)))
        self._entries[key] = (self._log.end, vector)
        self._entries.move_to_end(key)
        if len(self._entries) > self._limit:
            self._entries.popitem(last=False)
        return vector
