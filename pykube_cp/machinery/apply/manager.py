"""The two operations that the API calls: ``update`` records who changed what, ``apply`` merges.

Neither changes its arguments. Times are ``metav1.Time`` texts.
"""
# upstream: apimachinery pkg/util/managedfields/internal/fieldmanager.go

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from pykube_cp.machinery import structural
from pykube_cp.machinery.apply import fields as sets
from pykube_cp.machinery.apply import keyless, shapes
from pykube_cp.machinery.apply import managed as codec
from pykube_cp.machinery.apply.compare import compare
from pykube_cp.machinery.apply.field_set import field_set
from pykube_cp.machinery.apply.fields import EMPTY, Fields, FieldsError
from pykube_cp.machinery.apply.managed import APPLY, UPDATE, Managed, Manager, VersionedSet
from pykube_cp.machinery.apply.shapes import Shape
from pykube_cp.machinery.apply.updater import (
    Conflict,
    Conflicts,
    Convert,
    Typed,
    UnknownVersionError,
    Updater,
)
from pykube_cp.machinery.apply.validate import ShapeError, validate
from pykube_cp.machinery.errors import CAUSE_FIELD_MANAGER_CONFLICT
from pykube_cp.machinery.go_text import marshal
from pykube_cp.machinery.gvk import GroupVersion
from pykube_cp.machinery.objects import Object, deep_copy
from pykube_cp.machinery.schema import Type

__all__ = [
    "ApplyConflict",
    "ApplyError",
    "Convert",
    "Typed",
    "UnknownVersionError",
    "apply",
    "update",
    "validate_managed_fields",
]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
MAX_UPDATE_MANAGERS = 10

_KUBECTL = "kubectl"
_ANCIENT = "ancient-changes"
_BEFORE_APPLY = "before-first-apply"
_ANNOTATIONS_LIMIT = 256 * 1024
_SELF = Manager("current-operation", "", "", "")
_STRIPPED: Fields = {
    "f:apiVersion": {},
    "f:kind": {},
    "f:metadata": {
        ".": {},
        "f:name": {},
        "f:namespace": {},
        "f:creationTimestamp": {},
        "f:selfLink": {},
        "f:uid": {},
        "f:clusterName": {},
        "f:generation": {},
        "f:managedFields": {},
        "f:resourceVersion": {},
    },
}
"""What nobody can manage, though everybody sends it."""


class ApplyError(Exception):
    """The configuration cannot be applied. ``code`` is what upstream answers: 400 or 500."""

    def __init__(self, text: str, code: int = 500) -> None:
        super().__init__(text)
        self.code = code


class ApplyConflict(ApplyError):  # noqa: N818 - upstream's word
    """Others manage some of the fields; ``causes`` are those of the Status."""

    def __init__(self, conflicts: Sequence[Conflict]) -> None:
        super().__init__(_conflict_text(conflicts), 409)
        self.conflicts = tuple(conflicts)
        self.causes = [_cause(conflict) for conflict in conflicts]


def _cause(conflict: Conflict) -> Object:
    return {
        "reason": CAUSE_FIELD_MANAGER_CONFLICT,
        "message": f"conflict with {conflict.manager}",
        "field": sets.path_text(conflict.path),
    }


def _conflict_text(conflicts: Sequence[Conflict]) -> str:
    # upstream: apimachinery pkg/util/managedfields/internal/conflict.go getConflictMessage
    if len(conflicts) == 1:
        (only,) = conflicts
        path = sets.path_text(only.path)
        return f"Apply failed with 1 conflict: conflict with {only.manager}: {path}"
    lines: list[str] = []
    last: Manager | None = None
    for conflict in conflicts:
        if conflict.manager != last:
            last = conflict.manager
            lines.append(f"conflicts with {last}:")
        lines.append(f"- {sets.path_text(conflict.path)}")
    return f"Apply failed with {len(conflicts)} conflicts: " + "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Request:
    """What both operations know."""

    described: Type | Shape | None
    shape: Shape
    updater: Updater
    manager: str
    subresource: str
    time: str
    api_version: str

    def key(self, operation: str, name: str | None = None) -> Manager:
        name = self.manager if name is None else name
        return codec.make_manager(name, operation, self.api_version, self.subresource)

    def empty(self, like: Object) -> Object:
        """What an object is before it is created."""
        if isinstance(self.described, Type):
            made = structural.zero(self.described)
        else:
            made = {}
        return {**made, "apiVersion": self.api_version, "kind": like.get("kind", "")}


def _request(
    described: Type | Shape | None,
    *,
    manager: str,
    subresource: str,
    time: str,
    api_version: str,
    reset_fields: Fields,
    convert: Convert | None,
) -> _Request:
    shape = shapes.of(described)
    settled = isinstance(described, Type)
    updater = Updater(shape, api_version, ignored=reset_fields, settled=settled, convert=convert)
    return _Request(described, shape, updater, manager, subresource, time, api_version)


def update(  # noqa: PLR0913 - named arguments of one call per write
    live: Object | None,
    new: Object,
    *,
    described: Type | Shape | None,
    manager: str,
    time: str,
    api_version: str,
    subresource: str = "",
    reset_fields: Fields = EMPTY,
    convert: Convert | None = None,
) -> Object:
    """``new`` with managedFields that say what ``manager`` changed since ``live``.

    A write never fails because of its bookkeeping: when something makes no sense, ``live``'s
    managedFields stay.

    Args:
        live: the stored object in the request's version; None on create.
        new: what shall be stored.
        described: the built-in type, the shape of a custom resource, or None for neither.
        manager: as in ``fieldManager`` or from the user agent.
        time: the current time.
        api_version: of the request; both objects are in it.
        subresource: written through.
        reset_fields: what the strategy resets after this: ``{"f:status": {}}``.
        convert: an object in another version.
    """
    request = _request(
        described,
        manager=manager,
        subresource=subresource,
        time=time,
        api_version=api_version,
        reset_fields=reset_fields,
        convert=convert,
    )
    stored = _entries(live)
    try:
        known = _decode_live_or_new(stored, new, is_subresource=bool(subresource))
        bare = _bare(new)
        if not known.sets and live is not None and _metadata(live).get("uid"):
            return bare
        old = _bare(live) if live is not None else request.empty(new)
        if isinstance(described, Type):
            keyless.check(described, bare)
            keyless.check(described, old)
        managed = _record_update(request, old, bare, known, request.key(UPDATE))
    except FieldsError:
        return _with_entries(_bare(new), list(stored))
    return _with_entries(bare, codec.encode(managed))


def _record_update(
    request: _Request, live: Object, new: Object, known: Managed, key: Manager
) -> Managed:
    # upstream: apimachinery pkg/util/managedfields/internal/managedfieldsupdater.go
    after = request.updater.update(live, new, known.sets, _SELF)
    _strip(after, _SELF)
    mine = after.pop(_SELF, None)
    made = Managed(after, dict(known.times))
    if mine is not None:
        before = made.sets.get(key)
        if before is not None:
            mine = mine._replace(fields=sets.union(before.fields, mine.fields))
        made.sets[key] = mine
        made.times[key] = request.time
    return _capped(made)


def _strip(managed: dict[Manager, VersionedSet], key: Manager) -> None:
    found = managed.get(key)
    if found is None:
        return
    left = sets.difference(found.fields, _STRIPPED)
    if left:
        managed[key] = found._replace(fields=left)
    else:
        del managed[key]


def _capped(managed: Managed) -> Managed:
    """At most ten updaters; the oldest become one per version."""
    # upstream: apimachinery pkg/util/managedfields/internal/capmanagers.go capUpdateManagers
    updaters = [key for key, found in managed.sets.items() if not found.applied]
    excess = len(updaters) - MAX_UPDATE_MANAGERS
    if excess <= 0:
        return managed
    updaters.sort(key=lambda key: (managed.times.get(key, ""), key.identifier))
    first_of: dict[str, Manager] = {}
    for key in updaters:
        if excess <= 0:
            break
        found = managed.sets[key]
        version = found.api_version
        if version not in first_of:
            first_of[version] = key
            continue
        bucket = codec.make_manager(_ANCIENT, UPDATE, version, "")
        if bucket not in managed.sets:
            managed.sets[bucket] = managed.sets.pop(first_of[version])
        fields = sets.union(found.fields, managed.sets[bucket].fields)
        managed.sets[bucket] = found._replace(fields=fields)
        if key != bucket:
            del managed.sets[key]
        excess -= 1
        if key in managed.times:
            managed.times[bucket] = managed.times[key]
        else:
            managed.times.pop(bucket, None)
    return managed


# Application.


def apply(  # noqa: PLR0913 - named arguments of one call per write
    live: Object | None,
    config: Object,
    *,
    described: Type | Shape | None,
    manager: str,
    force: bool,
    time: str,
    api_version: str,
    subresource: str = "",
    reset_fields: Fields = EMPTY,
    convert: Convert | None = None,
) -> Object:
    """``live`` with the configuration applied, sharing nothing with either.

    Raises:
        ApplyConflict: others manage some of the fields, and not ``force``.
        ApplyError: the configuration does not fit the type.

    Args:
        live: the stored object in the request's version; None when this creates it.
        config: as the client sent it, without defaults.
        force: take the fields from whoever manages them.
        described: as of ``update``, like the rest.
        manager: as in ``fieldManager``.
        time: the current time.
        api_version: of the request.
        subresource: written through.
        reset_fields: what the strategy resets after this.
        convert: an object in another version.
    """
    request = _request(
        described,
        manager=manager,
        subresource=subresource,
        time=time,
        api_version=api_version,
        reset_fields=reset_fields,
        convert=convert,
    )
    _check_config(request, config)
    try:
        known = codec.decode(_entries(live), stored=True)
    except FieldsError as error:
        raise ApplyError(f"failed to decode managed fields: {error}") from None
    old = _bare(live) if live is not None else request.empty(config)
    if live is not None and isinstance(described, Type):
        _check_live(described, old)
    if not known.sets and live is not None:
        key = request.key(UPDATE, _BEFORE_APPLY)
        known = _record_update(request, request.empty(config), old, known, key)
    made, managed = _apply_as_kubectl(request, old, config, known, force=force)
    result = _with_entries(deep_copy(old if made is None else made), codec.encode(managed))
    return _with_last_applied(request, result, config)


def _check_config(request: _Request, config: Object) -> None:
    if isinstance(_metadata(config).get("managedFields"), list):
        raise ApplyError("metadata.managedFields must be nil", 400)
    try:
        validate(request.shape, config)
    except ShapeError as error:
        text = f"failed to create typed patch object ({named(config)}): {error}"
        raise ApplyError(text) from None


def _check_live(kind: Type, live: Object) -> None:
    try:
        keyless.check(kind, live)
    except FieldsError as error:
        text = f"failed to create typed live object ({named(live)}): {error}"
        raise ApplyError(text) from None


def named(config: Object) -> str:
    """A configuration, as errors call it; what is no text is passed over."""
    # upstream: apimachinery pkg/util/managedfields/internal/structuredmerge.go objectGVKNN
    meta = _metadata(config)
    where = "/".join(_text(meta, name) for name in ("namespace", "name"))
    return f"{where}; {kind_text(config)}"


def kind_text(config: Object) -> str:
    """What a configuration says it is: ``apps/v1, Kind=Deployment``."""
    # upstream: apimachinery pkg/apis/meta/v1/unstructured/unstructured.go GroupVersionKind
    try:
        version = GroupVersion.parse(_text(config, "apiVersion"))
    except ValueError:
        return "/, Kind="
    return f"{version.group}/{version.version}, Kind={_text(config, 'kind')}"


def _text(of: Object, name: str) -> str:
    found = of.get(name)
    return found if isinstance(found, str) else ""


def _apply_as_kubectl(
    request: _Request, live: Object, config: Object, known: Managed, *, force: bool
) -> tuple[Object | None, Managed]:
    """As ``_apply``, but kubectl takes over what it applied by its annotation in former times."""
    # upstream: apimachinery pkg/util/managedfields/internal/lastappliedmanager.go
    try:
        return _apply(request, live, config, known, force=force)
    except Conflicts as conflicts:
        found = conflicts.found
    if request.manager == _KUBECTL:
        allowed = _last_applied_set(request, live)
        if allowed is not None:
            found = [conflict for conflict in found if not sets.has(allowed, conflict.path)]
            if not found:
                return _apply(request, live, config, known, force=True)
    raise ApplyConflict(found)


def _apply(
    request: _Request, live: Object, config: Object, known: Managed, *, force: bool
) -> tuple[Object | None, Managed]:
    key = request.key(APPLY)
    try:
        made, after = request.updater.apply(live, config, known.sets, key, force=force)
    except FieldsError as error:
        raise ApplyError(f"failed to merge config: {error}") from None
    _strip(after, key)
    managed = Managed(after, dict(known.times))
    if made is not None:
        managed.times[key] = request.time
    return made, managed


def _last_applied_set(request: _Request, live: Object) -> Fields | None:
    """What the annotation says was applied and is still so; None when it says nothing."""
    text = (_metadata(live).get("annotations") or {}).get(LAST_APPLIED)
    if not text:
        return None
    try:
        last = orjson.loads(text)
        if not isinstance(last, dict) or last.get("apiVersion") != request.api_version:
            return None
        validate(request.shape, last)
        found = compare(request.shape, last, live)
        made = field_set(request.shape, last)
    except (ValueError, FieldsError):
        return None
    for changed in found:
        made = sets.difference(made, changed)
    return made


def _with_last_applied(request: _Request, obj: Object, config: Object) -> Object:
    """The annotation follows, so that kubectl may go back to applying by it."""
    # upstream: apimachinery pkg/util/managedfields/internal/lastappliedupdater.go
    annotations = _metadata(obj).get("annotations") or {}
    if request.manager != _KUBECTL or not annotations.get(LAST_APPLIED):
        return obj
    written = dict(config)
    if LAST_APPLIED in (_metadata(config).get("annotations") or {}):
        kept = {k: v for k, v in config["metadata"]["annotations"].items() if k != LAST_APPLIED}
        written["metadata"] = {**config["metadata"], "annotations": kept}
    text = marshal(orjson.loads(orjson.dumps(written, option=orjson.OPT_SORT_KEYS))) + "\n"
    annotations[LAST_APPLIED] = text
    size = sum(len(k.encode()) + len(v.encode()) for k, v in annotations.items())
    if size > _ANNOTATIONS_LIMIT:
        del annotations[LAST_APPLIED]
    return obj


# Objects and their managedFields.


def _metadata(obj: Object) -> Object:
    found = obj.get("metadata")
    return found if isinstance(found, dict) else {}


def _entries(obj: Object | None) -> list[Any]:
    return (_metadata(obj).get("managedFields") or []) if obj is not None else []


def _decode_live_or_new(stored: list[Any], new: Object, *, is_subresource: bool) -> Managed:
    sent = _metadata(new).get("managedFields")
    if not is_subresource and sent is not None and sent != stored:
        if sent in ([], [{}]):
            return Managed()
        try:
            managed = codec.decode(sent)
        except FieldsError:
            managed = Managed()
        if managed.sets:
            return managed
    try:
        return codec.decode(stored, stored=True)
    except FieldsError:
        return Managed()


def _bare(obj: Object) -> Object:
    """Without managedFields; shares the rest."""
    meta = obj.get("metadata")
    if not isinstance(meta, dict) or "managedFields" not in meta:
        return obj
    kept = {name: value for name, value in meta.items() if name != "managedFields"}
    return {**obj, "metadata": kept}


def _with_entries(obj: Object, entries: list[Object]) -> Object:
    if not entries:
        return obj
    return {**obj, "metadata": {**_metadata(obj), "managedFields": entries}}


def validate_managed_fields(entries: Sequence[Any]) -> None:
    """``FieldsError`` when they could not be decoded."""
    codec.decode(entries)
