"""The objects an informer knows, indexed.

Objects are read-only: whoever wants to change one makes a ``deep_copy`` first.
"""

from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping
from types import MappingProxyType
from typing import TypeAlias

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.selectors import Selector

IndexFunction: TypeAlias = Callable[[Object], Iterable[str]]
Objects: TypeAlias = list[Object]

CONTROLLER_UID = "controller-uid"
_EMPTY: Mapping[str, Object] = MappingProxyType({})


def controller_uid(obj: Object) -> Iterable[str]:
    """The uid of the controlling owner; the index ``CONTROLLER_UID``."""
    ref = objects.controller_of(obj)
    return (ref["uid"],) if ref is not None else ()


def label_index(label: str) -> IndexFunction:
    """An index by the value of one label."""

    def values(obj: Object) -> Iterable[str]:
        value = objects.labels(obj).get(label)
        return () if value is None else (value,)

    return values


class _Index:
    """Objects by the values of one function."""

    __slots__ = ("by_value", "values_of")

    def __init__(self, values_of: IndexFunction) -> None:
        self.values_of = values_of
        self.by_value: dict[str, dict[str, Object]] = {}

    def put(self, key: str, old: Object | None, new: Object) -> None:
        values = self.values_of(new)
        if old is not None:
            self._drop(key, set(self.values_of(old)).difference(values))
        for value in values:
            self.by_value.setdefault(value, {})[key] = new

    def remove(self, key: str, old: Object) -> None:
        self._drop(key, self.values_of(old))

    def _drop(self, key: str, values: Iterable[str]) -> None:
        for value in values:
            entries = self.by_value.get(value)
            if entries is not None and entries.pop(key, None) is not None and not entries:
                del self.by_value[value]


class Lister:
    """Reads what an informer knows; never asks the server.

    Keys are ``namespace/name``, or ``name`` for what has no namespace.
    """

    def __init__(self) -> None:
        self._objects: dict[str, Object] = {}
        self._by_namespace: dict[str, dict[str, Object]] = {}
        self._indexes: dict[str, _Index] = {}

    def get(self, key: str) -> Object | None:
        return self._objects.get(key)

    def named(self, name: str, namespace: str = "") -> Object | None:
        return self._objects.get(f"{namespace}/{name}" if namespace else name)

    def list(self, namespace: str = "") -> Objects:
        """Objects of one namespace, or all with ``namespace=""``; in no particular order."""
        return list(self._scope(namespace).values())

    def select(self, selector: Selector, namespace: str = "") -> Objects:
        """Those whose labels match."""
        matches = selector.matches
        return [obj for obj in self._scope(namespace).values() if matches(objects.labels(obj))]

    def by_index(self, index: str, value: str) -> Objects:
        """Objects for which the index function yielded ``value``; ``KeyError`` if no such index."""
        if index == CONTROLLER_UID and index not in self._indexes:
            self.add_index(CONTROLLER_UID, controller_uid)
        return list(self._indexes[index].by_value.get(value, _EMPTY).values())

    def controlled_by(self, uid: str) -> Objects:
        """Objects whose controlling owner has this uid."""
        return self.by_index(CONTROLLER_UID, uid)

    def index_values(self, index: str) -> KeysView[str]:
        """All values that occur in an index."""
        return self._indexes[index].by_value.keys()

    def keys(self) -> KeysView[str]:
        return self._objects.keys()

    def __len__(self) -> int:
        return len(self._objects)

    def __contains__(self, key: str) -> bool:
        return key in self._objects

    def __iter__(self) -> Iterator[Object]:
        return iter(self._objects.values())

    def _scope(self, namespace: str) -> Mapping[str, Object]:
        return self._by_namespace.get(namespace, _EMPTY) if namespace else self._objects

    # What follows is for the informer alone, except ``add_index``.

    def add_index(self, name: str, values_of: IndexFunction) -> None:
        """Add an index; a second time under the same name it does nothing."""
        if name in self._indexes:
            return
        index = self._indexes[name] = _Index(values_of)
        for key, obj in self._objects.items():
            index.put(key, None, obj)

    def put(self, obj: Object) -> Object | None:
        """Add or replace; the object that was there before."""
        namespace, name = objects.namespace(obj), objects.name(obj)
        key = objects.join_key(namespace, name)
        old = self._objects.get(key)
        self._objects[key] = obj
        if namespace:
            self._by_namespace.setdefault(namespace, {})[key] = obj
        for index in self._indexes.values():
            index.put(key, old, obj)
        return old

    def remove(self, key: str) -> Object | None:
        """Remove; the object that was there."""
        old = self._objects.pop(key, None)
        if old is None:
            return None
        namespace = objects.namespace(old)
        if namespace:
            entries = self._by_namespace[namespace]
            del entries[key]
            if not entries:
                del self._by_namespace[namespace]
        for index in self._indexes.values():
            index.remove(key, old)
        return old
