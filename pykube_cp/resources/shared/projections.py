"""Volumes made of the contents of API objects."""
# upstream: pkg/apis/core/validation/validation.go validateProjectionSources

from collections.abc import Sequence

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, downward, signer_names, user_annotations

_FILE_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_MAX_MODE = 0o777
_MIN_CERTIFICATE, _MAX_CERTIFICATE, _MAX_OWN_CERTIFICATE = 3600, 7862400, 86400
_KEY_TYPES = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
_FIELDS = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)


def config_map(source: Object, path: Path) -> checks.Errors:
    return checks.required(source, path, "name") + _keys(source, path)


def secret(source: Object, path: Path) -> checks.Errors:
    return checks.required(source, path, "secretName") + _keys(source, path)


def _keys(source: Object, path: Path) -> checks.Errors:
    found = _mode(source, path, "defaultMode")
    for position, item in enumerate(source.get("items") or ()):
        found += _key_to_path(item, path.child("items").index(position))
    return found


def _mode(source: Object, path: Path, field: str) -> checks.Errors:
    value = source.get(field)
    if value is None or 0 <= value <= _MAX_MODE:
        return []
    return [FieldError.invalid(path.child(field), value, _FILE_MODE)]


def _key_to_path(item: Object, path: Path) -> checks.Errors:
    found = checks.required(item, path, "key", "path")
    found += checks.local_path(item.get("path") or "", path.child("path"))
    return found + _mode(item, path, "mode")


def downward_api(source: Object, path: Path) -> checks.Errors:
    found = _mode(source, path, "defaultMode")
    for item in source.get("items") or ():
        found += _downward_file(item, path)
    return found


def _downward_file(item: Object, path: Path) -> checks.Errors:
    found = checks.required(item, path, "path")
    found += checks.local_path(item.get("path") or "", path.child("path"))
    field, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if field is not None:
        found += downward.check_field(field, path.child("fieldRef"), _FIELDS)
        if resource is not None:
            text = "fieldRef and resourceFieldRef can not be specified simultaneously"
            found.append(FieldError.invalid(path, "resource", text))
    elif resource is not None:
        where = path.child("resourceFieldRef")
        found += downward.check_resource(resource, where, of_volume=True)
    else:
        found.append(FieldError.required(path, "one of fieldRef and resourceFieldRef is required"))
    return found + _mode(item, path, "mode")


def projected(volume: Object, path: Path) -> checks.Errors:
    found = _mode(volume, path, "defaultMode")
    paths: set[str] = set()
    for position, source in enumerate(volume.get("sources") or ()):
        where = path.child("sources").index(position)
        used = [kind for kind in _SOURCES if source.get(kind) is not None]
        for kind in used:
            found += _SOURCES[kind](source[kind], where.child(kind), path)
            found += _clashes(kind, source[kind], paths, path)
        if len(used) > 1:
            text = "may not specify more than 1 volume type per source"
            found.append(FieldError.forbidden(where, text))
    return found


def _clashes(kind: str, source: Object, paths: set[str], path: Path) -> checks.Errors:
    found = []
    for place in _places(kind, source):
        if place in paths:
            shown = source.get("name", "") if kind in {"secret", "configMap"} else place
            found.append(FieldError.invalid(path, shown, "conflicting duplicate paths"))
        paths.add(place)
    return found


def _places(kind: str, source: Object) -> Sequence[str]:
    """Where a source puts files; a token's place is not compared."""
    if kind == "clusterTrustBundle":
        return [source.get("path") or ""]
    if kind == "podCertificate":
        return [source[field] for field in _CERTIFICATE_PATHS if source.get(field)]
    return [item["path"] for item in source.get("items") or () if item.get("path")]


def _projected_keys(source: Object, path: Path, _volume: Path) -> checks.Errors:
    return checks.required(source, path, "name") + _keys(source, path)


def _projected_downward(source: Object, path: Path, _volume: Path) -> checks.Errors:
    return downward_api(source, path)


def _token(source: Object, path: Path, volume: Path) -> checks.Errors:
    seconds, where = source.get("expirationSeconds"), path.child("expirationSeconds")
    if seconds is None:
        found = [FieldError.required(where)]
    else:
        found = checks.token_lifetime(seconds, where)
    if not source.get("path"):
        return [*found, FieldError.required(volume.child("path"))]
    return found + checks.local_path(source["path"], volume.child("path"))


def _trust_bundle(source: Object, path: Path, _volume: Path) -> checks.Errors:
    name, signer = source.get("name"), source.get("signerName")
    found = []
    if name is not None and signer is not None:
        text = "only one of name and signerName may be used"
        found.append(FieldError.invalid(path, source, text))
    elif name is not None:
        found += _named_bundle(source, path)
    elif signer is not None:
        if not signer:
            text = "must be a valid signer name"
            found.append(FieldError.required(path.child("signerName"), text))
        found += signer_names.check(signer, path.child("signerName"))
    else:
        found.append(FieldError.required(path, "either name or signerName must be specified"))
    found += checks.required(source, path, "path")
    return found + checks.local_path(source.get("path") or "", path.child("path"))


def _named_bundle(source: Object, path: Path) -> checks.Errors:
    name, where = source["name"], path.child("name")
    found = [] if name else [FieldError.required(where, "must be a valid object name")]
    for text in signer_names.check_bundle(name):
        found.append(FieldError.invalid(where, name, f"not a valid clustertrustbundlename: {text}"))
    if source.get("labelSelector") is not None:
        text = "labelSelector must be unset if name is specified"
        where = path.child("labelSelector")
        found.append(FieldError.invalid(where, source["labelSelector"], text))
    return found


_CERTIFICATE_PATHS = ("credentialBundlePath", "keyPath", "certificateChainPath")


def _certificate(source: Object, path: Path, _volume: Path) -> checks.Errors:
    signer = source.get("signerName") or ""
    found = signer_names.check(signer, path.child("signerName"))
    found += user_annotations.check(source.get("userAnnotations"), path.child("userAnnotations"))
    found += checks.supported(source.get("keyType") or "", path.child("keyType"), _KEY_TYPES)
    found += _lifetime(source.get("maxExpirationSeconds"), signer, path)
    used = [field for field in _CERTIFICATE_PATHS if source.get(field)]
    for field in used:
        found += checks.local_path(source[field], path.child(field))
    if not used:
        text = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
        found.append(FieldError.required(path, text))
    return found


def _lifetime(seconds: int | None, signer: str, path: Path) -> checks.Errors:
    if seconds is None:
        return []
    where = path.child("maxExpirationSeconds")
    is_own = signer_names.is_kubernetes(signer)
    limit = _MAX_OWN_CERTIFICATE if is_own else _MAX_CERTIFICATE
    texts = []
    if seconds < _MIN_CERTIFICATE:
        texts.append(f"if provided, maxExpirationSeconds must be >= {_MIN_CERTIFICATE}")
    if seconds > limit:
        texts.append(f"if provided, maxExpirationSeconds must be <= {limit}")
    return checks.invalid(where, seconds, texts)


_SOURCES = {
    "secret": _projected_keys,
    "configMap": _projected_keys,
    "downwardAPI": _projected_downward,
    "serviceAccountToken": _token,
    "clusterTrustBundle": _trust_bundle,
    "podCertificate": _certificate,
}
