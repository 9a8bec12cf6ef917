"""All resources there are, by every name that a request may use for them.

The built-in rows are there from the start; those of CustomResourceDefinitions come and go. Readers
get plain tuples and dicts that a change replaces and never alters, so they need no lock.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pykube_cp.machinery.gvk import GVK, GVR, GroupVersion
from pykube_cp.registry.resource import Resource

_KUBE_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")
_STABILITY = {None: 2, "beta": 1, "alpha": 0}


@dataclass(frozen=True, slots=True)
class Group:
    """An API group: its versions in the order of discovery, the preferred one first."""

    name: str
    versions: tuple[str, ...]

    @property
    def preferred(self) -> str:
        return self.versions[0]


def version_priority(version: str) -> tuple[int, int, int, str]:
    """Sort key, ascending; sort in reverse for discovery: v2, v1, v1beta1, v1alpha1, others."""
    # upstream: apimachinery pkg/version/helpers.go CompareKubeAwareVersionStrings
    match = _KUBE_VERSION.fullmatch(version)
    if match is None:
        # Other names come last, alphabetically: the letters are turned round for the reversal.
        return -1, 0, 0, "".join(chr(0x10FFFF - ord(char)) for char in version)
    major, stability, minor = match.groups()
    return _STABILITY[stability], int(major), int(minor or 0), ""


class Catalog:
    """The resources being served.

    Args:
        resources: rows, served or not.
        groups: groups in discovery order with versions in order of preference. Groups that are not
            listed follow alphabetically, their versions in the order of ``version_priority``.
        is_served: which rows are served; those that are by default if it is not given.
    """

    def __init__(
        self,
        resources: Iterable[Resource],
        groups: Iterable[Group] = (),
        is_served: Callable[[Resource], bool] | None = None,
    ) -> None:
        self._listed = {group.name: group for group in groups}
        self._by_gvr: dict[GVR, Resource] = {}
        self._by_gvk: dict[GVK, Resource] = {}
        self._by_version: dict[GroupVersion, tuple[Resource, ...]] = {}
        self._groups: dict[str, Group] = {}
        self.generation = 0
        """Grows with every change; whoever derives something from the catalog compares it."""
        self._known = {row.gvr: row for row in resources}
        is_served = is_served or (lambda row: row.served_by_default)
        self.add(*filter(is_served, self._known.values()))

    # Reading.

    def resource(self, gvr: GVR) -> Resource | None:
        return self._by_gvr.get(gvr)

    def kind(self, gvk: GVK) -> Resource | None:
        """The resource whose objects have that kind; Binding and the like are found as well."""
        return self._by_gvk.get(gvk)

    def all(self) -> tuple[Resource, ...]:
        return tuple(self._by_gvr.values())

    def storage_row(self, row: Resource) -> Resource:
        """The row as which the objects of ``row`` are stored, be it served or not."""
        if row.stored_as is None:
            return row
        return self._by_gvr.get(row.stored_as) or self._known[row.stored_as]

    def stored(self) -> tuple[Resource, ...]:
        """Rows that are not mere views on others."""
        return tuple(row for row in self._by_gvr.values() if row.stored_as is None)

    def groups(self) -> tuple[Group, ...]:
        """In discovery order, the core group (``""``) first."""
        return tuple(self._groups.values())

    def group(self, name: str) -> Group | None:
        return self._groups.get(name)

    def resources(self, group: str, version: str) -> tuple[Resource, ...]:
        """Of one group and version, by plural; empty when it is not served."""
        return self._by_version.get(GroupVersion(group, version), ())

    def preferred_version(self, group: str) -> str:
        """The version that clients should use; empty when the group is not served."""
        found = self._groups.get(group)
        return found.preferred if found is not None else ""

    def preferred(self, group: str, resource: str) -> Resource | None:
        """The resource in the first of the group's versions that has it."""
        found = self._groups.get(group)
        for version in found.versions if found is not None else ():
            row = self._by_gvr.get(GVR(group, version, resource))
            if row is not None:
                return row
        return None

    def find_group_kind(self, group: str, kind: str) -> Resource | None:
        """The resource of a kind in the first of the group's versions that has it."""
        found = self._groups.get(group)
        for version in found.versions if found is not None else ():
            row = self._by_gvk.get(GVK(group, version, kind))
            if row is not None:
                return row
        return None

    # Changing.

    def add(self, *rows: Resource) -> None:
        """Add rows, replacing those of the same group, version and plural."""
        by_gvr = dict(self._by_gvr)
        by_gvr.update((row.gvr, row) for row in rows)
        self._rebuild(by_gvr)

    def remove(self, *gvrs: GVR) -> None:
        """Remove rows; those that are not there are passed over."""
        by_gvr = {gvr: row for gvr, row in self._by_gvr.items() if gvr not in gvrs}
        self._rebuild(by_gvr)

    def _rebuild(self, by_gvr: dict[GVR, Resource]) -> None:
        by_version: dict[GroupVersion, list[Resource]] = {}
        for row in by_gvr.values():
            by_version.setdefault(GroupVersion(row.group, row.version), []).append(row)
        groups = self._order(by_version)
        self._by_gvr = by_gvr
        self._by_gvk = {row.gvk: row for row in by_gvr.values()}
        self._by_version = {
            key: tuple(sorted(rows, key=lambda row: row.plural)) for key, rows in by_version.items()
        }
        self._groups = groups
        self.generation += 1

    def _order(self, served: Iterable[GroupVersion]) -> dict[str, Group]:
        versions: dict[str, set[str]] = {}
        for group, version in served:
            versions.setdefault(group, set()).add(version)
        names = [name for name in self._listed if name in versions]
        names += sorted(versions.keys() - self._listed.keys())
        return {name: Group(name, self._versions(name, versions[name])) for name in names}

    def _versions(self, group: str, served: set[str]) -> tuple[str, ...]:
        listed = self._listed.get(group)
        first = [version for version in listed.versions if version in served] if listed else []
        others = sorted(served.difference(first), key=version_priority, reverse=True)
        return (*first, *others)
