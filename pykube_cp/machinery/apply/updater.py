"""Updates and applications of one object over the sets of several managers.

An ``Updater`` knows the shape of the object in the version of the request. Sets of other versions
are compared in theirs, when told how to convert; they are taken as they are otherwise.
"""
# upstream: structured-merge-diff merge/update.go

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from pykube_cp.machinery.apply import fields as sets
from pykube_cp.machinery.apply.compare import Comparison, compare, equal
from pykube_cp.machinery.apply.field_set import field_set
from pykube_cp.machinery.apply.fields import EMPTY, Fields, PathElements
from pykube_cp.machinery.apply.managed import Manager, VersionedSet
from pykube_cp.machinery.apply.merge import merge
from pykube_cp.machinery.apply.reconcile import reconcile
from pykube_cp.machinery.apply.remove import remove_items
from pykube_cp.machinery.apply.shapes import Shape
from pykube_cp.machinery.objects import Object

ManagedSets: TypeAlias = dict[Manager, VersionedSet]


class UnknownVersionError(LookupError):
    """An object cannot be had in some version; what was managed in it is forgotten."""


class Typed(NamedTuple):
    """A value and its shape in some version."""

    shape: Shape
    value: Object


Convert: TypeAlias = Callable[[Object, str], Typed]
"""The object in another ``apiVersion``; ``UnknownVersionError`` if there is none."""


class Conflict(NamedTuple):
    """A field that somebody else manages, and wants otherwise."""

    manager: Manager
    path: PathElements


class Conflicts(Exception):  # noqa: N818 - upstream's word
    """An application would take these fields from others."""

    def __init__(self, found: list[Conflict]) -> None:
        super().__init__(found)
        self.found = found


class Updater:
    """Works on objects of one kind.

    Attributes:
        ignored: fields that the strategy resets anyway, so that nobody gets to manage them.
        settled: the shape does not change while this runs, so that only ``apply``, which depends
            on it, looks whether the sets fit it.
    """

    def __init__(
        self,
        shape: Shape,
        version: str,
        *,
        ignored: Fields = EMPTY,
        settled: bool = False,
        convert: Convert | None = None,
    ) -> None:
        self._shape = shape
        self._version = version
        self._convert = convert
        self.ignored = ignored
        self.settled = settled

    def update(
        self, live: Object, new: Object, managed: ManagedSets, manager: Manager
    ) -> ManagedSets:
        """The sets after ``manager`` turned ``live`` into ``new``."""
        if not self.settled:
            managed = self._reconciled(live, managed)
        managed, found = self._take_over(live, new, managed, manager, force=True)
        known = managed.get(manager)
        old = known.fields if known is not None else EMPTY
        new_set = sets.difference(old, found.removed)
        new_set = sets.union(sets.union(new_set, found.modified), found.added)
        new_set = sets.recursive_difference(new_set, self.ignored)
        managed.pop(manager, None)
        if new_set:
            managed[manager] = VersionedSet(new_set, self._version, applied=False)
        return managed

    def apply(
        self,
        live: Object,
        config: Object,
        managed: ManagedSets,
        manager: Manager,
        *,
        force: bool,
    ) -> tuple[Object | None, ManagedSets]:
        """``live`` with ``config`` applied, None when that changes nothing; and the sets.

        What ``manager`` applied before and does not any more goes, unless others manage it.
        ``Conflicts`` unless ``force``.
        """
        managed = self._reconciled(live, managed)
        merged: Object = merge(self._shape, live, config)
        last = managed.get(manager)
        wanted = sets.recursive_difference(field_set(self._shape, config), self.ignored)
        if last is not None and last.fields == wanted:
            wanted = last.fields
        managed[manager] = VersionedSet(wanted, self._version, applied=True)
        if last is not None and not self._keeps(last, wanted):
            merged = self._prune(merged, managed, manager, last)
        managed, _ = self._take_over(live, merged, managed, manager, force=force)
        return (None if equal(live, merged) else merged), managed

    # What others lose.

    def _take_over(
        self, old: Object, new: Object, managed: ManagedSets, by: Manager, *, force: bool
    ) -> tuple[ManagedSets, Comparison]:
        found = compare(self._shape, old, new)
        versions: dict[str, Comparison | None] = {self._version: found.without(self.ignored)}
        conflicts: ManagedSets = {}
        kept: ManagedSets = {}
        for manager, known in managed.items():
            if manager == by:
                kept[manager] = known
                continue
            if known.api_version not in versions:
                versions[known.api_version] = self._compare_in(old, new, known.api_version)
            seen = versions[known.api_version]
            if seen is None:
                continue
            taken = sets.intersection(known.fields, sets.union(seen.modified, seen.added))
            if taken:
                conflicts[manager] = known._replace(fields=taken)
            left = sets.difference(sets.difference(known.fields, taken), seen.removed)
            kept[manager] = known._replace(fields=left)
        if conflicts and not force:
            raise Conflicts(_conflicts(conflicts))
        return {manager: known for manager, known in kept.items() if known.fields}, found

    def _compare_in(self, old: Object, new: Object, version: str) -> Comparison | None:
        """The difference as another version sees it; None if there is no such version."""
        try:
            shape, was = self._in_version(old, version)
            _, now = self._in_version(new, version)
        except UnknownVersionError:
            return None
        return compare(shape, was, now).without(self.ignored)

    def _in_version(self, obj: Object, version: str) -> Typed:
        if self._convert is None:
            return Typed(self._shape, obj)
        if version != self._version:
            return self._convert(obj, version)
        is_there = obj.get("apiVersion") == version
        return Typed(self._shape, obj if is_there else self._convert(obj, version).value)

    def _reconciled(self, live: Object, managed: ManagedSets) -> ManagedSets:
        made: ManagedSets = {}
        for manager, known in managed.items():
            try:
                shape, _ = self._in_version(live, known.api_version)
            except UnknownVersionError:
                continue
            made[manager] = known._replace(fields=reconcile(shape, known.fields))
        return made

    # What is no longer applied.

    def _keeps(self, last: VersionedSet, wanted: Fields) -> bool:
        """Whether all that was applied before still is, so that pruning would take nothing."""
        same_version = self._convert is None or last.api_version == self._version
        return same_version and (last.fields is wanted or not sets.difference(last.fields, wanted))

    def _prune(
        self, merged: Object, managed: ManagedSets, by: Manager, last: VersionedSet
    ) -> Object:
        try:
            shape, full = self._in_version(merged, last.api_version)
        except UnknownVersionError:
            return merged
        last_set = _with_named(last.fields, shape)
        pruned = remove_items(shape, full, last_set)
        pruned = self._add_back_owned(full, pruned, last.api_version, managed)
        pruned = self._add_back_dangling(shape, full, pruned, last_set, last.api_version)
        return self._in_version(pruned, managed[by].api_version).value

    def _add_back_owned(
        self, merged: Object, pruned: Object, version: str, managed: ManagedSets
    ) -> Object:
        """Items that somebody still manages, in whatever version."""
        by_version: dict[str, Fields] = {version: EMPTY}
        for known in managed.values():
            found = by_version.get(known.api_version, EMPTY)
            by_version[known.api_version] = sets.union(found, known.fields)
        for at, owned in by_version.items():
            try:
                shape, merged_at = self._in_version(merged, at)
                _, pruned_at = self._in_version(pruned, at)
            except UnknownVersionError:
                continue
            all_items = _with_named(field_set(shape, merged_at), shape)
            kept = _with_named(field_set(shape, pruned_at), shape)
            kept = sets.union(kept, _with_named(owned, shape))
            merged = merged_at
            pruned = remove_items(shape, merged_at, sets.difference(all_items, kept))
        return pruned

    def _add_back_dangling(
        self, shape: Shape, merged: Object, pruned: Object, last: Fields, version: str
    ) -> Object:
        """Items that fell with their parent though the manager never applied them."""
        try:
            _, pruned_at = self._in_version(pruned, version)
        except UnknownVersionError:
            return merged
        all_items = _with_named(field_set(shape, merged), shape)
        kept = _with_named(field_set(shape, pruned_at), shape)
        gone = sets.intersection(sets.difference(all_items, kept), last)
        result: Object = remove_items(shape, merged, gone)
        return result


def _conflicts(found: ManagedSets) -> list[Conflict]:
    return [
        Conflict(manager, path)
        for manager in sorted(found, key=lambda manager: manager.identifier)
        for path in sets.paths(found[manager].fields)
    ]


def _with_named(fields: Fields, shape: Shape | None) -> Fields:
    """With every struct field that something in the set lies below."""
    # upstream: structured-merge-diff fieldpath/set.go Set.EnsureNamedFieldsAreMembers
    made: Fields = {}
    for element, below in fields.items():
        if element == sets.SELF:
            made[element] = below
            continue
        deeper = _with_named(below, _below(shape, element)) if below else below
        if deeper and sets.SELF not in deeper and _is_declared(shape, element):
            deeper = {sets.SELF: {}, **deeper}
        made[element] = deeper
    return made


def _below(shape: Shape | None, element: str) -> Shape | None:
    if shape is None:
        return None
    if shape.map is not None and element.startswith("f:"):
        return shape.map.member(element[2:])
    return shape.list.element if shape.list is not None and element.startswith("k:") else None


def _is_declared(shape: Shape | None, element: str) -> bool:
    return (
        shape is not None
        and shape.map is not None
        and element.startswith("f:")
        and element[2:] in shape.map.fields
    )
