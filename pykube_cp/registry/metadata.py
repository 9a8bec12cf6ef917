"""Metadata that the system owns: set on create, kept on update."""

import uuid
from typing import Any

from pykube_cp.machinery import clock, errors, names
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Resource


def wipe(obj: Object) -> None:
    """Drop what a client says about a new object and only the system may."""
    # upstream: apiserver pkg/registry/rest/meta.go WipeObjectMetaSystemFields
    meta: dict[str, Any] = obj.setdefault("metadata", {})
    for field in _SYSTEM_FIELDS:
        meta.pop(field, None)


_SYSTEM_FIELDS = (
    "creationTimestamp",
    "uid",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "selfLink",
)


def begin_create(obj: Object, namespace: str) -> None:
    """Fill in what a new object gets."""
    # upstream: apiserver pkg/registry/rest/create.go BeforeCreate, meta.go FillObjectMetaSystemFields
    wipe(obj)
    meta = obj["metadata"]
    if namespace:
        meta["namespace"] = namespace
    else:
        meta.pop("namespace", None)
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = names.generate_name(meta["generateName"])
    meta["uid"] = str(uuid.uuid4())
    meta["creationTimestamp"] = clock.timestamp()


def begin_update(obj: Object, old: Object) -> None:
    """What is settled before the kind's own hook sees the change."""
    # upstream: apiserver pkg/registry/rest/update.go BeforeUpdate
    _carry(obj["metadata"], old["metadata"], "generation")


def keep_system_fields(obj: Object, old: Object) -> None:
    """Carry over what no update may change; what the client did change is for validation to refuse."""
    # upstream: apiserver pkg/registry/rest/update.go BeforeUpdate
    meta, before = obj["metadata"], old["metadata"]
    if not meta.get("uid"):
        _carry(meta, before, "uid")
    for field in ("creationTimestamp", "deletionTimestamp"):
        if before.get(field):
            meta[field] = before[field]
    if meta.get("deletionGracePeriodSeconds") is None:
        _carry(meta, before, "deletionGracePeriodSeconds")
    if not meta.get("namespace"):
        _carry(meta, before, "namespace")


def keep_times(obj: Object, old: Object) -> None:
    """Where nothing but times of managedFields would change, they stay as well."""
    # upstream: apiserver .../handlers/fieldmanager/equality.go IgnoreManagedFieldsTimestampsTransformer
    entries, before = (each["metadata"].get("managedFields") or [] for each in (obj, old))
    if entries == before or _timeless(entries) != _timeless(before):
        return
    kept = {**obj, "metadata": {**obj["metadata"], "managedFields": before}}
    if kept == old:
        obj["metadata"]["managedFields"] = before


def _timeless(entries: list[Any]) -> list[Any]:
    return [{key: value for key, value in entry.items() if key != "time"} for entry in entries]


def check_preconditions(
    resource: Resource, obj: Object, uid: str, version: str = "", *, dry_run: bool = False
) -> None:
    """409 when a write means another object, or another version of it."""
    # upstream: apiserver pkg/storage/interfaces.go Preconditions.Check, errors.go NewInvalidObjError
    meta = obj["metadata"]
    for what, wanted, field in (
        ("UID", uid, "uid"),
        ("ResourceVersion", version, "resourceVersion"),
    ):
        found = meta.get(field, "")
        if not wanted or wanted == found:
            continue
        text = (
            f"Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {found}"
        )
        raise invalid_object(resource, meta, text, dry_run=dry_run)


def invalid_object(
    resource: Resource, meta: dict[str, Any], text: str, *, dry_run: bool = False
) -> errors.StatusError:
    """409 in the words of upstream's storage; a dry run does not come to where keys get their root."""
    # upstream: apiserver pkg/storage/errors.go NewInvalidObjError
    root = "" if dry_run else "/registry"
    text = (
        f"StorageError: invalid object, Code: 4, Key: {root}{_upstream_key(resource, meta)}, "
        f"ResourceVersion: 0, AdditionalErrorMsg: {text}"
    )
    return errors.conflict(resource.group_resource, meta.get("name", ""), text)


def _upstream_key(resource: Resource, meta: dict[str, Any]) -> str:
    """Where upstream keeps the object; its texts say it."""
    # upstream: pkg/kubeapiserver/default_storage_factory_builder.go SpecialDefaultResourcePrefixes
    prefix = _PREFIXES.get(resource.group_resource, resource.plural)
    if resource.is_custom or resource.group in _WITH_GROUP:
        prefix = f"{resource.group}/{resource.plural}"
    names = (prefix, meta.get("namespace", ""), meta.get("name", ""))
    return "/" + "/".join(name for name in names if name)


_WITH_GROUP = ("apiextensions.k8s.io", "apiregistration.k8s.io")
_PREFIXES = {
    ("", "replicationcontrollers"): "controllers",
    ("", "endpoints"): "services/endpoints",
    ("", "nodes"): "minions",
    ("", "services"): "services/specs",
    ("networking.k8s.io", "ingresses"): "ingress",
}


def _carry(meta: dict[str, Any], before: dict[str, Any], field: str) -> None:
    if field in before:
        meta[field] = before[field]
    else:
        meta.pop(field, None)
