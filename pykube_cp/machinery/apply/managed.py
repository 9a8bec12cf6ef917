"""managedFields as objects carry them, and as sets by manager."""
# upstream: apimachinery pkg/util/managedfields/internal/managedfields.go

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from pykube_cp.machinery.apply.fields import Fields, FieldsError, canonical
from pykube_cp.machinery.go_text import marshal, quote
from pykube_cp.machinery.objects import Object

APPLY = "Apply"
UPDATE = "Update"
_FIELDS_TYPE = "FieldsV1"


class Manager(NamedTuple):
    """Who set fields: one entry of managedFields is kept for each.

    An applier is the same whatever the version it applies in, so ``api_version`` is empty for it.
    """

    name: str
    operation: str
    api_version: str
    subresource: str

    @property
    def identifier(self) -> str:
        """The text that upstream sorts managers by."""
        parts = {
            "manager": self.name,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "subresource": self.subresource,
        }
        return marshal({key: value for key, value in parts.items() if value})

    def __str__(self) -> str:
        """As conflicts name it."""
        # upstream: apimachinery pkg/util/managedfields/internal/conflict.go printManager
        text = quote(self.name)
        if self.subresource:
            text = f"{text} with subresource {quote(self.subresource)}"
        return f"{text} using {self.api_version}" if self.operation == UPDATE else text


def make_manager(name: str, operation: str, api_version: str, subresource: str) -> Manager:
    version = "" if operation == APPLY else api_version
    return Manager(name or "unknown", operation, version, subresource)


class VersionedSet(NamedTuple):
    """What a manager manages, named as in one version; ``applied`` or updated."""

    fields: Fields
    api_version: str
    applied: bool


@dataclass(slots=True)
class Managed:
    """Sets and times by manager; a manager may have no time."""

    sets: dict[Manager, VersionedSet] = field(default_factory=dict)
    times: dict[Manager, str] = field(default_factory=dict)

    def copy(self) -> "Managed":
        return Managed(dict(self.sets), dict(self.times))


def decode(entries: Sequence[Any], *, stored: bool = False) -> Managed:
    """``FieldsError`` when an entry makes no sense.

    Args:
        entries: ``metadata.managedFields``.
        stored: they were encoded by ``encode``, so their sets need no check.
    """
    made = Managed()
    for index, entry in enumerate(entries):
        _check(entry, index)
        operation, version = entry["operation"], entry["apiVersion"]
        subresource = entry.get("subresource", "")
        key_version = "" if operation == APPLY else version
        key = Manager(entry.get("manager", ""), operation, key_version, subresource)
        fields = entry.get("fieldsV1") or {}
        made.sets[key] = VersionedSet(
            fields if stored else canonical(fields), version, operation == APPLY
        )
        if entry.get("time"):
            made.times[key] = entry["time"]
    return made


def _check(entry: Any, index: int) -> None:
    if not isinstance(entry, dict) or entry.get("operation") not in {APPLY, UPDATE}:
        raise FieldsError("operation must be `Apply` or `Update`")
    if not entry.get("apiVersion"):
        raise FieldsError("apiVersion must not be empty")
    fields_type = entry.get("fieldsType", "")
    if not fields_type:
        raise FieldsError(f"missing fieldsType in managed fields entry {index}")
    if fields_type != _FIELDS_TYPE:
        shown = quote(fields_type)
        raise FieldsError(f"invalid fieldsType {shown} in managed fields entry {index}")


def encode(managed: Managed) -> list[Object]:
    """``metadata.managedFields``, in upstream's order."""
    order = sorted(managed.sets, key=lambda key: _order(managed, key))
    return [_entry(key, managed.sets[key], managed.times.get(key)) for key in order]


def _order(managed: Managed, key: Manager) -> tuple[str, ...]:
    version = managed.sets[key].api_version
    return key.operation, managed.times.get(key, ""), key.name, version, key.subresource


def _sorted(fields: Fields) -> Fields:
    """In one order whoever made the set: clients compare the bytes."""
    # upstream: structured-merge-diff fieldpath/serialize.go Set.emitContentsV1
    made: Fields = orjson.loads(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS))
    return made


def _entry(key: Manager, found: VersionedSet, time: str | None) -> Object:
    made: Object = {
        "manager": key.name,
        "operation": APPLY if found.applied else key.operation,
        "apiVersion": found.api_version,
        "time": time,
        "fieldsType": _FIELDS_TYPE,
        "fieldsV1": _sorted(found.fields),
        "subresource": key.subresource,
    }
    for name in ("manager", "time", "subresource"):
        if not made[name]:
            del made[name]
    return made
