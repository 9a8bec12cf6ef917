"""Volumes that outlive pods, and what claims share with them."""
# upstream: pkg/apis/core/validation/validation.go ValidatePersistentVolumeSpec

import posixpath

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, node_selectors, volume_sources
from pykube_cp.resources.shared.volume_sources import needs, secret_reference, together

MODES = ("Block", "Filesystem")
_ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
_RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
_SECRETS = (
    "controllerPublishSecretRef",
    "controllerExpandSecretRef",
    "nodePublishSecretRef",
    "nodeExpandSecretRef",
)
_MAX_PORTAL = 64


def check_access_modes(spec: Object, path: Path) -> checks.Errors:
    modes, where = spec.get("accessModes") or [], path.child("accessModes")
    found = []
    for mode in modes:
        found += checks.supported(mode, where, _ACCESS_MODES)
    known = {mode for mode in modes if mode in _ACCESS_MODES}
    if "ReadWriteOncePod" in known and len(known) > 1:
        text = "may not use ReadWriteOncePod with other access modes"
        found.append(FieldError.forbidden(where, text))
    return found


def check(spec: Object, name: str, path: Path) -> checks.Errors:
    found = checks.required(spec, path, "accessModes") + check_access_modes(spec, path)
    found += _capacity(spec.get("capacity"), path.child("capacity"))
    policy = spec.get("persistentVolumeReclaimPolicy") or ""
    where = path.child("persistentVolumeReclaimPolicy")
    if policy:
        found += checks.supported(policy, where, _RECLAIM_POLICIES)
    found += _node_affinity(spec.get("nodeAffinity"), path.child("nodeAffinity"))
    found += check_source(spec, path) + _portal(spec, name, path)
    if posixpath.normpath((spec.get("hostPath") or {}).get("path") or ".") == "/":
        if policy == "Recycle":
            text = "may not be 'recycle' for a hostPath mount of '/'"
            found.append(FieldError.forbidden(where, text))
    found += checks.named(spec, path, "storageClassName")
    found += checks.optional(spec, path, "volumeMode", MODES)
    return found + _attributes_class(spec, path)


def _capacity(given: Object | None, path: Path) -> checks.Errors:
    capacity = given or {}
    found = [] if capacity else [FieldError.required(path)]
    if set(capacity) != {"storage"}:
        found.append(FieldError.not_supported(path, given, ("storage",)))
    for name, given_amount in sorted(capacity.items()):
        amount = checks.quantity(given_amount)
        if amount is None:
            continue
        where, value = path.key(name), amount.int64_value()
        if value < 0:
            text = "must be a valid resource quantity"
            found.append(FieldError.invalid(where, value, text))
        if amount.sign() <= 0:
            found.append(FieldError.invalid(where, str(amount), checks.NOT_POSITIVE))
    return found


def _node_affinity(affinity: Object | None, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateVolumeNodeAffinity
    if affinity is None:
        return []
    if affinity.get("required") is None:
        return [
            FieldError.required(path.child("required"), "must specify required node constraints")
        ]
    return node_selectors.check(affinity["required"], path.child("required"))


def check_source(spec: Object, path: Path) -> checks.Errors:
    found = volume_sources.check_one(spec, path, _SOURCES)
    if spec.get("local") is not None and spec.get("nodeAffinity") is None:
        text = "Local volume requires node affinity"
        found.append(FieldError.required(path.child("nodeAffinity"), text))
    return found


def _portal(spec: Object, name: str, path: Path) -> checks.Errors:
    source = spec.get("iscsi") or {}
    portal = source.get("targetPortal") or ""
    if source.get("initiatorName") is None or len(f"{name}:{portal}") <= _MAX_PORTAL:
        return []
    text = (
        "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
        "iscsi.initiatorName is specified."
    )
    return [FieldError.invalid(path.child("iscsi", "targetportal"), portal, text)]


def _attributes_class(spec: Object, path: Path) -> checks.Errors:
    name, where = spec.get("volumeAttributesClassName"), path.child("volumeAttributesClassName")
    if name is None:
        return []
    if name:
        found = checks.subdomain(name, where)
    else:
        found = [FieldError.required(where, "an empty string is disallowed")]
    if spec.get("csi") is None:
        text = "has to be specified when using volumeAttributesClassName"
        found.append(FieldError.required(path.child("csi"), text))
    return found


def _csi(source: Object, path: Path) -> checks.Errors:
    found = volume_sources.driver_name(source.get("driver") or "", path.child("driver"))
    found += checks.required(source, path, "volumeHandle")
    for field in _SECRETS:
        if source.get(field) is not None:
            where = path.child(field)
            found += checks.must_name(source[field], where, "name")
            found += checks.must_name(source[field], where, "namespace", names.is_dns1123_label)
    return found


def _glusterfs(source: Object, path: Path) -> checks.Errors:
    found = checks.required(source, path, "endpoints", "path")
    namespace, where = source.get("endpointsNamespace"), path.child("endpointsNamespace")
    if namespace == "":
        text = "if the endpointnamespace is set, it must be a valid namespace name"
        found.append(FieldError.invalid(where, namespace, text))
    elif namespace is not None:
        found += checks.label(namespace, where)
    return found


def _azure_file(source: Object, path: Path) -> checks.Errors:
    found = checks.required(source, path, "secretName", "shareName")
    if source.get("secretNamespace") == "":
        found.append(FieldError.required(path.child("secretNamespace")))
    return found


_BOTH = secret_reference("name", "namespace")
_SOURCES: dict[str, tuple[str, volume_sources.Check]] = {
    **volume_sources.COMMON,
    "glusterfs": ("glusterfs", _glusterfs),
    "iscsi": ("iscsi", volume_sources.iscsi(is_persistent=True)),
    "cinder": ("cinder", together(needs("volumeID"), _BOTH)),
    "azureFile": ("azureFile", _azure_file),
    "local": ("local", volume_sources.local),
    "storageos": ("storageos", together(volume_sources.storage_os, _BOTH)),
    "csi": ("csi", _csi),
}


def check_inline(spec: Object, path: Path) -> checks.Errors:
    """A volume that is described where it is attached."""
    text = "in the context of inline volumes"
    found = []
    for field in ("claimRef", "capacity"):
        if spec.get(field):
            detail = f"may not be specified {text}"
            found.append(FieldError.forbidden(path.child(field), detail))
    if spec.get("csi") is None:
        found.append(FieldError.required(path.child("csi"), f"has to be specified {text}"))
    found += checks.required(spec, path, "accessModes") + check_access_modes(spec, path)
    if (spec.get("persistentVolumeReclaimPolicy") or "Retain") != "Retain":
        detail = f"may only be Retain {text}"
        found.append(FieldError.forbidden(path.child("persistentVolumeReclaimPolicy"), detail))
    for field in ("nodeAffinity", "storageClassName"):
        if spec.get(field):
            detail = f"may not be specified {text}"
            found.append(FieldError.forbidden(path.child(field), detail))
    if spec.get("volumeMode") not in {None, "Filesystem"}:
        detail = f"may not specify volumeMode other than Filesystem {text}"
        found.append(FieldError.forbidden(path.child("volumeMode"), detail))
    return found + check_source(spec, path)
