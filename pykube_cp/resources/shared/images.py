"""Names of container images."""
# upstream: pkg/util/parsers/parsers.go ParseImageName

import re

from pykube_cp.machinery.remember import remembered

PULL_POLICIES = ("Always", "IfNotPresent", "Never")

_COMPONENT = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_COMPONENT}(?:\.{_COMPONENT})*|\[(?:[a-fA-F0-9:]+)\])(?::[0-9]+)?"
_PATH = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = rf"{_DOMAIN}/{_PATH}(?:/{_PATH})*"
_TAG = r"[\w][\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?P<name>{_NAME})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?", re.ASCII
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")
_MAX_NAME = 255


@remembered(4096)
def tag_of(image: str) -> str:
    """The tag, ``latest`` when neither tag nor digest is given; empty for what is no image name."""
    if not image or _IDENTIFIER.fullmatch(image):
        return ""
    match = _REFERENCE.fullmatch(_normalized(image))
    if match is None or len(match["name"]) > _MAX_NAME:
        return ""
    if match["tag"]:
        return match["tag"]
    return "" if match["digest"] else "latest"


def pull_policy(image: str) -> str:
    """The default pull policy of an image."""
    return "Always" if tag_of(image) == "latest" else "IfNotPresent"


def _normalized(image: str) -> str:
    """With the registry that Docker implies."""
    first, slash, _ = image.partition("/")
    has_domain = slash and (
        "." in first or ":" in first or first == "localhost" or first.lower() != first
    )
    return image if has_domain else f"docker.io/{image}"
