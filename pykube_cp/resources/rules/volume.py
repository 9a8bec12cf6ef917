"""Volumes of pods."""

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import defaults, images

_FILE_MODE = 0o644
_HOUR = 3600


def _default_volume(volume: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_Volume
    if not any(value is not None for name, value in volume.items() if name != "name"):
        volume["emptyDir"] = {}
    image = volume.get("image")
    if image is not None and not image.get("pullPolicy"):
        image["pullPolicy"] = images.pull_policy(image.get("reference") or "")


_V1 = "io.k8s.api.core.v1."

RULES = (
    TypeRule(type=f"{_V1}Volume", default=_default_volume),
    TypeRule(type=f"{_V1}SecretVolumeSource", default=defaults.missing(defaultMode=_FILE_MODE)),
    TypeRule(type=f"{_V1}ConfigMapVolumeSource", default=defaults.missing(defaultMode=_FILE_MODE)),
    TypeRule(
        type=f"{_V1}DownwardAPIVolumeSource", default=defaults.missing(defaultMode=_FILE_MODE)
    ),
    TypeRule(type=f"{_V1}ProjectedVolumeSource", default=defaults.missing(defaultMode=_FILE_MODE)),
    TypeRule(
        type=f"{_V1}ServiceAccountTokenProjection",
        default=defaults.missing(expirationSeconds=_HOUR),
    ),
    TypeRule(type=f"{_V1}HostPathVolumeSource", default=defaults.missing(type="")),
)
