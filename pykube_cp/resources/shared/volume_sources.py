"""What volumes come from: sources that pods and persistent volumes have in common."""
# upstream: pkg/apis/core/validation/validation.go validateVolumeSource

import re
from collections.abc import Callable

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

Check = Callable[[Object, Path], checks.Errors]

ONE_TYPE = "may not specify more than 1 volume type"
_HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_REGISTRY = "must be a host:port pair or multiple pairs separated by commas"
_TENANT_LIMIT = 65
_PARTITIONS = names.inclusive_range_error(1, 255)
_INITIATORS = {
    "iqn": re.compile(r"iqn\.\d{4}-\d{2}\.([0-9A-Za-z.-]+)(:[^,;*&$|\s]+)$"),
    "eui": re.compile(r"^eui.[0-9A-Za-z]{16}$"),
    "naa": re.compile(r"^naa.[0-9A-Za-z]{32}$"),
}
_MANAGED_DISK = (
    "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/"
    "{disk-id}"
)
_BLOB = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"


def needs(*fields: str) -> Check:
    """A source with fields that it cannot do without."""

    def check(source: Object, path: Path) -> checks.Errors:
        return checks.required(source, path, *fields)

    return check


def together(*parts: Check) -> Check:
    def check(source: Object, path: Path) -> checks.Errors:
        return [error for part in parts for error in part(source, path)]

    return check


def secret_reference(*fields: str) -> Check:
    """A ``secretRef`` that is complete, if it is there."""

    def check(source: Object, path: Path) -> checks.Errors:
        reference = source.get("secretRef")
        if reference is None:
            return []
        return checks.required(reference, path.child("secretRef"), *fields)

    return check


def host_path(source: Object, path: Path) -> checks.Errors:
    if missing := checks.required(source, path, "path"):
        return missing
    found = checks.no_back_steps(source["path"], path.child("path"))
    return found + checks.optional(source, path, "type", _HOST_PATH_TYPES)


def local(source: Object, path: Path) -> checks.Errors:
    if missing := checks.required(source, path, "path"):
        return missing
    return checks.no_back_steps(source["path"], path.child("path"))


def nfs(source: Object, path: Path) -> checks.Errors:
    found = checks.required(source, path, "server", "path")
    if not (source.get("path") or "").startswith("/"):
        text = "must be an absolute path"
        found.append(FieldError.invalid(path.child("path"), source.get("path") or "", text))
    return found


def _partition(source: Object, path: Path) -> checks.Errors:
    value = source.get("partition") or 0
    if 0 <= value <= 255:
        return []
    return [FieldError.invalid(path.child("partition"), value, _PARTITIONS)]


def _lun(source: Object, path: Path) -> checks.Errors:
    return checks.in_range(source, path, "lun", 0, 255)


def iscsi(*, is_persistent: bool) -> Check:
    """In a persistent volume the texts say less."""
    prefix_text = "must be valid format"
    if not is_persistent:
        prefix_text += " starting with iqn, eui, or naa"

    def initiator(value: str, path: Path) -> checks.Errors:
        pattern = _INITIATORS.get(value[:3])
        if pattern is None:
            return [FieldError.invalid(path, value, prefix_text)]
        if pattern.search(value):
            return []
        return [FieldError.invalid(path, value, "must be valid format")]

    def check(source: Object, path: Path) -> checks.Errors:
        found = checks.required(source, path, "targetPortal", "iqn")
        if source.get("iqn"):
            found += initiator(source["iqn"], path.child("iqn"))
        found += _lun(source, path)
        authenticates = source.get("chapAuthDiscovery") or source.get("chapAuthSession")
        if authenticates and source.get("secretRef") is None:
            found.append(FieldError.required(path.child("secretRef")))
        if is_persistent:
            found += secret_reference("name")(source, path)
        if source.get("initiatorName") is not None:
            found += initiator(source["initiatorName"], path.child("initiatorname"))
        return found

    return check


def fibre_channel(source: Object, path: Path) -> checks.Errors:
    wide_names, identifiers = source.get("targetWWNs") or [], source.get("wwids") or []
    found = []
    where = path.child("targetWWNs")
    if not wide_names and not identifiers:
        text = "must specify either targetWWNs or wwids, but not both"
        found.append(FieldError.required(where, text))
    if wide_names and identifiers:
        text = "targetWWNs and wwids can not be specified simultaneously"
        found.append(FieldError.invalid(where, wide_names, text))
    if wide_names and source.get("lun") is None:
        text = "lun is required if targetWWNs is specified"
        found.append(FieldError.required(path.child("lun"), text))
    return found + (_lun(source, path) if wide_names else [])


def quobyte(source: Object, path: Path) -> checks.Errors:
    found = []
    registry = source.get("registry") or ""
    if not registry:
        found.append(FieldError.required(path.child("registry"), _REGISTRY))
    elif len(source.get("tenant") or "") >= _TENANT_LIMIT:
        text = "must be a UUID and may not exceed a length of 64 characters"
        found.append(FieldError.required(path.child("tenant"), text))
    else:
        for pair in registry.split(","):
            if not re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*):[^:\[\]]*", pair):
                found.append(FieldError.invalid(path.child("registry"), registry, _REGISTRY))
    return found + checks.required(source, path, "volume")


def flocker(source: Object, path: Path) -> checks.Errors:
    name, uuid = source.get("datasetName") or "", source.get("datasetUUID") or ""
    found = []
    if not name and not uuid:
        found.append(FieldError.required(path, "one of datasetName and datasetUUID is required"))
    if name and uuid:
        text = "datasetName and datasetUUID can not be specified simultaneously"
        found.append(FieldError.invalid(path, "resource", text))
    if "/" in name:
        where = path.child("datasetName")
        found.append(FieldError.invalid(where, name, "must not contain '/'"))
    return found


def flex(source: Object, path: Path) -> checks.Errors:
    found = checks.required(source, path, "driver")
    for key in source.get("options") or ():
        namespace = f".{key.partition('/')[0].lower()}"
        if namespace.endswith((".kubernetes.io", ".k8s.io")):
            text = "kubernetes.io and k8s.io namespaces are reserved"
            found.append(FieldError.invalid(path.child("options").key(key), key, text))
    return found


def azure_disk(source: Object, path: Path) -> checks.Errors:
    found = checks.required(source, path, "diskName", "diskURI")
    found += checks.optional(source, path, "cachingMode", ("None", "ReadOnly", "ReadWrite"))
    found += checks.optional(source, path, "kind", ("Dedicated", "Managed", "Shared"))
    uri, kind = source.get("diskURI") or "", source.get("kind")
    where = path.child("diskURI")
    if kind == "Managed" and not uri.startswith("/subscriptions/"):
        found.append(FieldError.not_supported(where, uri, (_MANAGED_DISK,)))
    if kind not in {None, "Managed"} and not uri.startswith("https://"):
        found.append(FieldError.not_supported(where, uri, (_BLOB,)))
    return found


def storage_os(source: Object, path: Path) -> checks.Errors:
    found = checks.must_name(source, path, "volumeName", names.is_dns1123_label)
    return found + checks.named(source, path, "volumeNamespace", names.is_dns1123_label)


def driver_name(value: str, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateCSIDriverName
    if not value:
        return [FieldError.required(path)]
    found = []
    if len(value) > names.DNS1123_LABEL_MAX_LENGTH:
        found.append(FieldError.too_long(path, value, names.DNS1123_LABEL_MAX_LENGTH))
    return found + checks.invalid(path, value, names.is_dns1123_subdomain(value.lower()))


COMMON: dict[str, tuple[str, Check]] = {
    "hostPath": ("hostPath", host_path),
    "gcePersistentDisk": ("persistentDisk", together(needs("pdName"), _partition)),
    "awsElasticBlockStore": ("awsElasticBlockStore", together(needs("volumeID"), _partition)),
    "nfs": ("nfs", nfs),
    "glusterfs": ("glusterfs", needs("endpoints", "path")),
    "flocker": ("flocker", flocker),
    "rbd": ("rbd", needs("monitors", "image")),
    "quobyte": ("quobyte", quobyte),
    "cephfs": ("cephfs", needs("monitors")),
    "fc": ("fc", fibre_channel),
    "flexVolume": ("flexVolume", flex),
    "vsphereVolume": ("vsphereVolume", needs("volumePath")),
    "photonPersistentDisk": ("photonPersistentDisk", needs("pdID")),
    "portworxVolume": ("portworxVolume", needs("volumeID")),
    "azureDisk": ("azureDisk", azure_disk),
    "scaleIO": ("scaleIO", needs("gateway", "system", "volumeName")),
}
"""Sources by field, with the field by which their errors go."""


def check_one(holder: Object, path: Path, sources: dict[str, tuple[str, Check]]) -> checks.Errors:
    """There is exactly one source, and nothing is wrong with it."""
    used = [field for field in sources if holder.get(field) is not None]
    if not used:
        return [FieldError.required(path, "must specify a volume type")]
    shown, check = sources[used[0]]
    found = check(holder[used[0]], path.child(shown))
    text = ONE_TYPE
    return found + [
        FieldError.forbidden(path.child(_MISNAMED.get(field, field)), text) for field in used[1:]
    ]


_MISNAMED = {"cephfs": "cephFS", "downwardAPI": "downwarAPI"}
"""As upstream calls them where it forbids them."""
