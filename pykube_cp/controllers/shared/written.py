"""Seeing one's own writes before the informer does."""

from collections.abc import Callable, Iterable

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object


class WrittenObjects:
    """A view of an informer's objects in which those written here never go back in time.

    What was written is kept until the informer shows that version or a newer one.
    """

    def __init__(
        self, get: Callable[[str], Object | None], list_all: Callable[[], Iterable[Object]]
    ) -> None:
        self._get = get
        self._list_all = list_all
        self._written: dict[str, Object] = {}

    def remember(self, obj: Object) -> Object:
        """Take in what a write answered with; answers with the same."""
        self._written[objects.key(obj)] = obj
        return obj

    def forget(self, key: str) -> None:
        """Drop what was written under ``key``: the informer is right, even if it shows nothing."""
        self._written.pop(key, None)

    def get(self, key: str) -> Object | None:
        return self._newer(key, self._get(key))

    def all(self) -> list[Object]:
        seen = {objects.key(obj): obj for obj in self._list_all()}
        return [obj for key in seen if (obj := self._newer(key, seen[key])) is not None]

    def unseen(self) -> list[Object]:
        """What was written and the informer does not show at all."""
        return [obj for key, obj in self._written.items() if self._get(key) is None]

    def _newer(self, key: str, seen: Object | None) -> Object | None:
        written = self._written.get(key)
        if written is None:
            return seen
        if seen is None:
            return written
        if _version(seen) < _version(written):
            return written
        del self._written[key]
        return seen


def _version(obj: Object) -> int:
    text = objects.resource_version(obj)
    return int(text) if text.isdigit() else 0
