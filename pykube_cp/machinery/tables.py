"""What is compiled once per type and shared by all threads, when it is first asked for."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from pykube_cp.machinery.schema import Type

Table = TypeVar("Table")


class Tables(Generic[Table]):
    """One table per type. Nobody may see one before it, and all that it refers to, is filled.

    Args:
        begin: makes a table that may be referred to, since a type may contain itself.
        fill: completes it, and may ask for those of other types.
    """

    def __init__(self, begin: Callable[[Type], Table], fill: Callable[[Type, Table], None]) -> None:
        self._begin, self._fill = begin, fill
        self._whole: dict[str, Table] = {}
        self._unfinished: dict[str, Table] = {}
        self._making = threading.RLock()

    def of(self, kind: Type) -> Table:
        known = self._whole.get(kind.name)
        return known if known is not None else self._make(kind)

    def named(self, name: str) -> Table:
        """The table of a type that contains the one being filled."""
        return self._whole[name] if name in self._whole else self._unfinished[name]

    def _make(self, kind: Type) -> Table:
        with self._making:
            known = self._whole.get(kind.name) or self._unfinished.get(kind.name)
            if known is not None:
                return known
            outermost = not self._unfinished
            made = self._unfinished[kind.name] = self._begin(kind)
            try:
                self._fill(kind, made)
                if outermost:
                    self._whole.update(self._unfinished)
            finally:
                if outermost:
                    self._unfinished.clear()
            return made
