"""An informer's objects with changes that were decided but are not written, or not seen, yet."""

# upstream: pkg/scheduler/framework/plugins/volumebinding/passive_assume_cache.go

from collections.abc import Iterator

from pykube_cp.client.informer import SharedInformer
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object


class AssumeCache:
    """An assumed object stands in for the real one until that has another resourceVersion."""

    def __init__(self, informer: SharedInformer) -> None:
        self._lister = informer.lister
        self._assumed: dict[str, Object] = {}

    def get(self, key: str) -> Object | None:
        """What is assumed, else what is known."""
        known = self._lister.get(key)
        return None if known is None else self._with_assumption(key, known)

    def get_known(self, key: str) -> Object | None:
        """What the server has, as far as is known."""
        return self._lister.get(key)

    def __iter__(self) -> Iterator[Object]:
        for known in self._lister.list():
            yield self._with_assumption(objects.key(known), known)

    def _with_assumption(self, key: str, known: Object) -> Object:
        assumed = self._assumed.get(key)
        if assumed is None:
            return known
        if objects.resource_version(assumed) != objects.resource_version(known):
            del self._assumed[key]
            return known
        return assumed

    def assume(self, obj: Object) -> None:
        """Take ``obj``, made from what is known now; ``ValueError`` if that is no longer so."""
        key = objects.key(obj)
        known = self._lister.get(key)
        stored = "" if known is None else objects.resource_version(known)
        if stored != objects.resource_version(obj):
            raise ValueError(
                f'"{key}" is out of sync (stored: {stored}, '
                f"assume: {objects.resource_version(obj)})"
            )
        self._assumed[key] = obj

    def restore(self, obj: Object) -> None:
        """Take back what was assumed."""
        key = objects.key(obj)
        assumed = self._assumed.get(key)
        if assumed is not None and (
            objects.resource_version(assumed) == objects.resource_version(obj)
        ):
            del self._assumed[key]
