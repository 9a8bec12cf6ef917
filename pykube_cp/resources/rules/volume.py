"""Volumes of pods."""

from collections.abc import Callable

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import images

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


_V1 = "io.k8s.api.core.v1."

RULES = (
    TypeRule(type=f"{_V1}Volume", default=_default_volume),
    TypeRule(type=f"{_V1}SecretVolumeSource", default=_missing("defaultMode", _FILE_MODE)),
    TypeRule(type=f"{_V1}ConfigMapVolumeSource", default=_missing("defaultMode", _FILE_MODE)),
    TypeRule(type=f"{_V1}DownwardAPIVolumeSource", default=_missing("defaultMode", _FILE_MODE)),
    TypeRule(type=f"{_V1}ProjectedVolumeSource", default=_missing("defaultMode", _FILE_MODE)),
    TypeRule(
        type=f"{_V1}ServiceAccountTokenProjection", default=_missing("expirationSeconds", _HOUR)
    ),
    TypeRule(type=f"{_V1}HostPathVolumeSource", default=_missing("type", "")),
)
