"""Volume attachments."""

from pykube_cp.machinery.field_errors import ErrorType, FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, persistent_volumes, volume_sources

_MAX_METADATA, _MAX_MESSAGE, _MAX_INT32 = 256 * 1024, 1024, 2**31 - 1


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go validateVolumeAttachmentSpec
    found = _attacher(spec.get("attacher") or "", path.child("attacher"))
    source, where = spec.get("source") or {}, path.child("source")
    name, inline = source.get("persistentVolumeName"), source.get("inlineVolumeSpec")
    text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    if name is None and inline is None:
        found.append(FieldError.required(where, text))
    elif name is not None and inline is not None:
        found.append(FieldError.forbidden(where, text))
    elif inline is not None:
        found += persistent_volumes.check_inline(inline, where.child("inlineVolumeSpec"))
    elif not name:
        text = "must specify non empty persistentVolumeName"
        found.append(FieldError.required(where.child("persistentVolumeName"), text))
    found += checks.subdomain(spec.get("nodeName") or "", path.child("nodeName"))
    if name is not None:
        found += checks.subdomain(name, where.child("persistentVolumeName"))
    return found


def _attacher(name: str, path: Path) -> checks.Errors:
    """All of this the type declares as well, where it is judged at all."""
    return [
        error.by_declaration(_ORIGINS.get(error.type, ""))
        for error in volume_sources.driver_name(name, path)
    ]


_ORIGINS = {
    ErrorType.TOO_LONG: "maxLength",
    ErrorType.INVALID: "format=k8s-long-name-caseless",
}


def _validate_status(status: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    metadata = status.get("attachmentMetadata") or {}
    found = []
    if sum(len(key) + len(value) for key, value in metadata.items()) > _MAX_METADATA:
        where = path.child("attachmentMetadata")
        found.append(FieldError.too_long(where, "", _MAX_METADATA))
    for field in ("attachError", "detachError"):
        error = status.get(field) or {}
        if len(error.get("message") or "") > _MAX_MESSAGE:
            where = path.child(field, "message")
            found.append(FieldError.too_long(where, "", _MAX_MESSAGE))
        found += checks.in_range(error, path.child(field), "errorCode", 0, _MAX_INT32)
    return found


RULES = (
    TypeRule(type="io.k8s.api.storage.v1.VolumeAttachmentSpec", validate=_validate_spec),
    TypeRule(type="io.k8s.api.storage.v1.VolumeAttachmentStatus", validate=_validate_status),
)
