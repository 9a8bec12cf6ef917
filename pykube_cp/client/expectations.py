"""Writes whose effect has not come back through the informers yet.

A controller that creates three pods and looks at its cache at once sees none, and would create
three more. So it notes what it expects, handlers tick off what they see, and nothing is created or
deleted for a key until all is seen, or five minutes have passed: a lost event must not stop it for
good.
"""

# upstream: pkg/controller/controller_utils.go ControllerExpectations,
# UIDTrackingControllerExpectations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pykube_cp.machinery import clock

TIMEOUT = 300.0


@dataclass(slots=True)
class _Expected:
    creations: int
    deletions: int
    since: float = field(default_factory=clock.monotonic)
    deleting: set[str] = field(default_factory=set)


class Expectations:
    """Expected creations and deletions, by the key of the owner.

    Deletions are expected as counts, or as names of the objects (keys or uids), so that seeing one
    object go twice, once marked and once removed, counts once.
    """

    def __init__(self) -> None:
        self._expected: dict[str, _Expected] = {}

    def satisfied(self, key: str) -> bool:
        """True when all is seen, when nothing is expected, or when it has been too long."""
        expected = self._expected.get(key)
        if expected is None or (expected.creations <= 0 and expected.deletions <= 0):
            return True
        return clock.monotonic() - expected.since > TIMEOUT

    def pending(self, key: str) -> tuple[int, int]:
        """Creations and deletions not seen yet."""
        expected = self._expected.get(key)
        return (expected.creations, expected.deletions) if expected is not None else (0, 0)

    def expect(self, key: str, creations: int = 0, deletions: int = 0) -> None:
        """Expect this much from now on, instead of what was expected before."""
        self._expected[key] = _Expected(creations, deletions)

    def expect_creations(self, key: str, count: int) -> None:
        self.expect(key, creations=count)

    def expect_deletions(self, key: str, deleted: Iterable[str]) -> None:
        """Expect the deletion of these objects; tick off by ``deletion_observed(key, name)``."""
        deleting = set(deleted)
        self._expected[key] = _Expected(0, len(deleting), deleting=deleting)

    def raise_by(self, key: str, creations: int = 0, deletions: int = 0) -> None:
        """Expect more on top of what is expected; does nothing where nothing is."""
        self.lower_by(key, -creations, -deletions)

    def lower_by(self, key: str, creations: int = 0, deletions: int = 0) -> None:
        """No longer expect so much; for creations that failed, say."""
        expected = self._expected.get(key)
        if expected is not None:
            expected.creations -= creations
            expected.deletions -= deletions

    def creation_observed(self, key: str) -> None:
        self.lower_by(key, creations=1)

    def deletion_observed(self, key: str, deleted: str | None = None) -> None:
        """One deletion was seen; with ``deleted`` it counts only if just that was expected."""
        expected = self._expected.get(key)
        if expected is None:
            return
        if deleted is not None:
            if deleted not in expected.deleting:
                return
            expected.deleting.discard(deleted)
        expected.deletions -= 1

    def deleting(self, key: str) -> frozenset[str]:
        """Objects whose deletion is still expected."""
        expected = self._expected.get(key)
        return frozenset(expected.deleting) if expected is not None else frozenset()

    def forget(self, key: str) -> None:
        """The owner is gone."""
        self._expected.pop(key, None)
