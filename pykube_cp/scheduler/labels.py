"""Node labels as columns: per label key, a number for the value on each row.

A column exists from the first time that somebody asks for the key. Numbers are good until the next
change of a node, that is for one scheduling cycle.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pykube_cp.scheduler.vectors import BoolVector, Rows

MISSING = -1
ValueTest: TypeAlias = Callable[[str], bool]


class LabelColumn:
    """The values of one label.

    Attributes:
        ids: per row the number of its value, ``MISSING`` where the label is absent. Used as an
            index into a table of ``len(column) + 1`` elements, MISSING hits the last.
        values: number of each value.
    """

    __slots__ = ("ids", "key", "values")

    def __init__(self, key: str, size: int) -> None:
        self.key = key
        self.ids: NDArray[np.int32] = np.full(size, MISSING, np.int32)
        self.values: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.values)

    def set(self, row: int, value: str | None) -> None:
        self.ids[row] = (
            MISSING if value is None else self.values.setdefault(value, len(self.values))
        )

    def has(self, rows: Rows) -> BoolVector:
        present: BoolVector = self.ids[rows] != MISSING
        return present

    def is_any_of(self, values: Iterable[str], rows: Rows) -> BoolVector:
        """Where the label has one of these values."""
        table = np.zeros(len(self.values) + 1, np.bool_)
        known = [number for value in values if (number := self.values.get(value)) is not None]
        table[known] = True
        matched: BoolVector = table[self.ids[rows]]
        return matched

    def satisfies(self, test: ValueTest, rows: Rows) -> BoolVector:
        """Where the label is present with a value for which ``test`` holds."""
        table = np.zeros(len(self.values) + 1, np.bool_)
        for value, number in self.values.items():
            table[number] = test(value)
        matched: BoolVector = table[self.ids[rows]]
        return matched


class LabelColumns:
    """All columns asked for so far."""

    def __init__(self, nodes: Sequence[Mapping[str, str]], size: int) -> None:
        self._nodes = nodes
        self._size = size
        self._columns: dict[str, LabelColumn] = {}

    def column(self, key: str) -> LabelColumn:
        found = self._columns.get(key)
        if found is None:
            found = self._columns[key] = self._filled(key)
        return found

    def _filled(self, key: str) -> LabelColumn:
        column = LabelColumn(key, self._size)
        for row, labels in enumerate(self._nodes):
            if key in labels:
                column.set(row, labels[key])
        return column

    def set(self, row: int, labels: Mapping[str, str]) -> None:
        """Take over the labels of a node that changed."""
        for key, column in self._columns.items():
            column.set(row, labels.get(key))
            if len(column) > 2 * self._size:
                # Values of nodes long gone: number those in use anew.
                self._columns[key] = self._filled(key)

    def enlarge(self, size: int) -> None:
        self._size = size
        for column in self._columns.values():
            ids = np.full(size, MISSING, np.int32)
            ids[: len(column.ids)] = column.ids
            column.ids = ids
