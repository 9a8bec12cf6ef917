"""Each volume of a pod by itself."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, images, meta, projections, volume_sources
from pykube_cp.resources.shared.volume_sources import needs, secret_reference, together


def _empty_dir(source: Object, path: Path) -> checks.Errors:
    limit = checks.quantity(source.get("sizeLimit") or 0)
    if limit is None or limit.sign() >= 0:
        return []
    text = "SizeLimit field must be a valid resource quantity"
    return [FieldError.forbidden(path.child("sizeLimit"), text)]


def _git_repo(source: Object, path: Path) -> checks.Errors:
    found = checks.required(source, path, "repository")
    return found + checks.relative_path(source.get("directory") or "", path.child("directory"))


def _csi(source: Object, path: Path) -> checks.Errors:
    found = volume_sources.driver_name(source.get("driver") or "", path.child("driver"))
    reference = source.get("nodePublishSecretRef")
    if reference is not None:
        found += checks.required(reference, path.child("nodePublishSecretRef"), "name")
        found += checks.named(reference, path, "name")
    return found


def _ephemeral(source: Object, path: Path) -> checks.Errors:
    """What the claim is like, the rules of claims say."""
    template, where = source.get("volumeClaimTemplate"), path.child("volumeClaimTemplate")
    if template is None:
        return [FieldError.required(where)]
    found = meta.check_of_template(template.get("metadata") or {}, where.child("metadata"))
    if template.get("spec") is None:
        text = "at least 1 access mode is required"
        found.append(FieldError.required(where.child("spec", "accessModes"), text))
    return found


def _image(source: Object, path: Path) -> checks.Errors:
    found = checks.required(source, path, "reference")
    return found + checks.chosen(source, path, "pullPolicy", images.PULL_POLICIES)


_SOURCES: dict[str, tuple[str, volume_sources.Check]] = {
    "emptyDir": ("emptyDir", _empty_dir),
    **volume_sources.COMMON,
    "gitRepo": ("gitRepo", _git_repo),
    "secret": ("secret", projections.secret),
    "iscsi": ("iscsi", volume_sources.iscsi(is_persistent=False)),
    "persistentVolumeClaim": ("persistentVolumeClaim", needs("claimName")),
    "cinder": ("cinder", together(needs("volumeID"), secret_reference("name"))),
    "downwardAPI": ("downwardAPI", projections.downward_api),
    "configMap": ("configMap", projections.config_map),
    "azureFile": ("azureFile", needs("secretName", "shareName")),
    "storageos": ("storageos", together(volume_sources.storage_os, secret_reference("name"))),
    "projected": ("projected", projections.projected),
    "csi": ("csi", _csi),
    "ephemeral": ("ephemeral", _ephemeral),
    "image": ("image", _image),
}
_MAX_PORTAL = 64


def check(volume: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateVolumeSource
    found = volume_sources.check_one(volume, path, _SOURCES)
    initiator = volume.get("iscsi") or {}
    name = volume.get("name") or ""
    portal = initiator.get("targetPortal") or ""
    if initiator.get("initiatorName") is not None and len(f"{name}:{portal}") > _MAX_PORTAL:
        text = (
            "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if "
            "iscsi.initiatorName is specified."
        )
        found.append(FieldError.invalid(path.child("name"), name, text))
    return found + checks.must_name(volume, path, "name", names.is_dns1123_label)
