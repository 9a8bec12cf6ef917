"""Empty lists and maps that are given where Go always writes something.

In canonical form they are null, as what was not given is. Who gives one comes to manage the field all
the same, so they are remembered while that is found out.
"""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, TypeAlias

from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import Compiler, Field, ListOf, MapOf, Type, Visitor

Place: TypeAlias = tuple[str | int, ...]
Given: TypeAlias = list[tuple[Place, Any]]
"""Places in an object, in its order, each with what was given there: an empty list or an empty map."""
Swap: TypeAlias = tuple[Place, Any, Any]
"""A place, what must be there, and what comes in its stead."""
_NOWHERE = object()
Finder: TypeAlias = Callable[[Any, Place, Given], None]


class Finders(Visitor[Finder]):
    """Compiles the search, which enters only what can hold such a place."""

    def list_of(self, kind: ListOf, items: Finder | None, field: Field | None) -> Finder | None:
        if items is None:
            return None
        each = items

        def run(values: Any, place: Place, found: Given) -> None:
            if isinstance(values, list):
                for position, value in enumerate(values):
                    each(value, (*place, position), found)

        return run

    def map_of(self, kind: MapOf, values: Finder | None, field: Field | None) -> Finder | None:
        if values is None:
            return None
        each = values

        def run(members: Any, place: Place, found: Given) -> None:
            if isinstance(members, dict):
                for key, value in members.items():
                    each(value, (*place, key), found)

        return run

    def struct(self, kind: Type, members: Sequence[tuple[Field, Finder]]) -> Finder | None:
        written = [name for name, field in kind.fields.items() if _is_written(field)]
        if not (written or members):
            return None
        finders = [(field.name, finder) for field, finder in members]

        def run(value: Any, place: Place, found: Given) -> None:
            if not isinstance(value, dict):
                return
            for name in written:
                if name in value and value[name] in ([], {}):
                    found.append(((*place, name), value[name]))
            for name, finder in finders:
                if value.get(name):
                    finder(value[name], (*place, name), found)

        return run


def _is_written(field: Field) -> bool:
    return isinstance(field.type, ListOf | MapOf) and not (field.omitempty or field.pointer)


_compiler = Compiler(Finders())


def given(obj: Any, kind: Type) -> Given:
    """Those of ``obj``, which is as a client wrote it."""
    finder = _compiler.compile(kind)
    found: Given = []
    if finder is not None:
        finder(obj, (), found)
    return found


def dropped(obj: Object, given: Given) -> Given:
    """Those that the canonical object really has null for: some kinds keep them."""
    return [(place, empty) for place, empty in given if _at(obj, place) is None]


def _at(node: Any, place: Place) -> Any:
    try:
        for here in place:
            node = node[here]
    except (KeyError, IndexError, TypeError):
        return _NOWHERE
    return node


def shown(obj: Object, given: Given) -> Object:
    """A canonical object with them where it has null; what changes is copied."""
    changed: Object = _changed(obj, [(place, None, empty) for place, empty in given], 0)
    return changed


def hidden(obj: Object, given: Given) -> Object:
    """The canonical form of what is ``shown``."""
    changed: Object = _changed(obj, [(place, empty, None) for place, empty in given], 0)
    return changed


def _changed(node: Any, swaps: Sequence[Swap], depth: int) -> Any:
    """``node`` with all that lies below it swapped: copied once, however much that is."""
    copied = None
    for here, group in groupby(swaps, key=lambda swap: swap[0][depth]):
        try:
            member = node[here]
        except (KeyError, IndexError, TypeError):
            continue
        changed = _member(member, [*group], depth + 1)
        if changed is not member:
            copied = node.copy() if copied is None else copied
            copied[here] = changed
    return node if copied is None else copied


def _member(member: Any, swaps: Sequence[Swap], depth: int) -> Any:
    place, old, new = swaps[0]
    if len(place) > depth:
        return _changed(member, swaps, depth)
    return new if member == old else member
