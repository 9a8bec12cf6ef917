"""What few nodes or few pods have, kept by what it is instead of in columns: images, host ports."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.pod_info import ANY_ADDRESS, HostPort
from pykube_cp.scheduler.vectors import Rows


@dataclass(slots=True)
class Image:
    """An image that some nodes have; ``size`` as the first of them reported it."""

    size: int
    _rows: set[int] = field(default_factory=set)
    _vector: Rows | None = None

    def __bool__(self) -> bool:
        return bool(self._rows)

    @property
    def rows(self) -> Rows:
        if self._vector is None:
            self._vector = np.fromiter(self._rows, np.intp, len(self._rows))
        return self._vector

    def add(self, row: int) -> None:
        self._rows.add(row)
        self._vector = None

    def discard(self, row: int) -> None:
        self._rows.discard(row)
        self._vector = None


class Images:
    """Images by name."""

    # upstream: pkg/scheduler/backend/cache/cache.go addNodeImageStates

    def __init__(self) -> None:
        self._by_name: dict[str, Image] = {}
        self._names: dict[int, frozenset[str]] = {}

    def get(self, name: str) -> Image | None:
        return self._by_name.get(name)

    def set(self, row: int, images: Iterable[Object]) -> None:
        """The images on a node, as its status lists them."""
        sizes = {
            name: image.get("sizeBytes") or 0
            for image in images
            for name in image.get("names") or ()
        }
        names, known = frozenset(sizes), self._names.get(row, frozenset())
        if names == known:
            return
        for name in known - names:
            self._drop(name, row)
        for name in names - known:
            self._by_name.setdefault(name, Image(sizes[name])).add(row)
        self._names[row] = names

    def _drop(self, name: str, row: int) -> None:
        image = self._by_name[name]
        image.discard(row)
        if not image:
            del self._by_name[name]


class HostPorts:
    """Rows on which host ports are in use, by protocol and port, then address."""

    # upstream: kube-scheduler framework/types.go HostPortInfo

    def __init__(self) -> None:
        self._rows: dict[tuple[str, int], dict[str, dict[int, int]]] = {}

    def add(self, ports: Iterable[HostPort], row: int) -> None:
        for address, protocol, number in ports:
            by_address = self._rows.setdefault((protocol, number), {})
            rows = by_address.setdefault(address, {})
            rows[row] = rows.get(row, 0) + 1

    def remove(self, ports: Iterable[HostPort], row: int) -> None:
        for address, protocol, number in ports:
            by_address = self._rows[protocol, number]
            rows = by_address[address]
            rows[row] -= 1
            if not rows[row]:
                del rows[row]
            if not rows:
                del by_address[address]
            if not by_address:
                del self._rows[protocol, number]

    def conflicts(self, ports: Sequence[HostPort]) -> Rows:
        """Rows where one of ``ports`` is taken; an unspecified address clashes with every other."""
        taken: set[int] = set()
        for address, protocol, number in ports:
            for other, rows in self._rows.get((protocol, number), {}).items():
                if other == address or ANY_ADDRESS in {address, other}:
                    taken.update(rows)
        return np.fromiter(taken, np.intp, len(taken))


def conflict(wanted: Sequence[HostPort], used: Sequence[HostPort]) -> bool:
    """Whether two pods with these ports cannot share a node."""
    return any(
        one[1:] == other[1:] and (one[0] == other[0] or ANY_ADDRESS in {one[0], other[0]})
        for one in wanted
        for other in used
    )
