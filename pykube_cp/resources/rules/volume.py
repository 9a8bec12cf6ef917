"""Volumes of pods."""

from collections.abc import Callable

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, images, projections, volume_sources
from pykube_cp.resources.shared.volume_sources import needs, secret_reference, together

_FILE_MODE = 0o644
_HOUR = 3600


def _default_volume(volume: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Volume
    if not any(value is not None for name, value in volume.items() if name != "name"):
        volume["emptyDir"] = {}
    image = volume.get("image")
    if image is not None and not image.get("pullPolicy"):
        image["pullPolicy"] = images.pull_policy(image.get("reference") or "")


def _missing(field: str, value: str | int) -> Callable[[Object, RuleContext], None]:
    def default(source: Object, _ctx: RuleContext) -> None:
        if source.get(field) is None:
            source[field] = value

    return default


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
    found = []
    for field, value in (template.get("metadata") or {}).items():
        if value and field not in {"annotations", "labels"}:
            found.append(FieldError.forbidden(where.child("metadata", field), "cannot be set"))
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


def _validate(volume: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
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


_V1 = "io.k8s.api.core.v1."

RULES = (
    TypeRule(type=f"{_V1}Volume", default=_default_volume, validate=_validate),
    TypeRule(type=f"{_V1}SecretVolumeSource", default=_missing("defaultMode", _FILE_MODE)),
    TypeRule(type=f"{_V1}ConfigMapVolumeSource", default=_missing("defaultMode", _FILE_MODE)),
    TypeRule(type=f"{_V1}DownwardAPIVolumeSource", default=_missing("defaultMode", _FILE_MODE)),
    TypeRule(type=f"{_V1}ProjectedVolumeSource", default=_missing("defaultMode", _FILE_MODE)),
    TypeRule(
        type=f"{_V1}ServiceAccountTokenProjection", default=_missing("expirationSeconds", _HOUR)
    ),
    TypeRule(type=f"{_V1}HostPathVolumeSource", default=_missing("type", "")),
)
