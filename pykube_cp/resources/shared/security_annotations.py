"""The annotations that seccomp and AppArmor profiles were once given by."""

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import pods

SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"
APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/"

_NO_SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_NO_APP_ARMOR = 'deprecated since v1.30; use the "appArmorProfile" field instead'


def app_armor_profile(annotation: str) -> Object | None:
    """The profile that an annotation names; None for what is no profile."""
    # upstream: pkg/api/pod/util.go ApparmorFieldForAnnotation
    if annotation == "unconfined":
        return {"type": "Unconfined"}
    if annotation == "runtime/default":
        return {"type": "RuntimeDefault"}
    kind, _, profile = annotation.partition("/")
    if kind == "localhost" and profile:
        return {"type": "Localhost", "localhostProfile": profile}
    return None


def warnings(
    spec: Object, annotations: dict[str, str], path: Path, *, is_template: bool
) -> list[str]:
    """About annotations without the field; a pod's own AppArmor ones are seen to by ``sync``."""
    found = []
    where = path.child("metadata", "annotations")
    context = spec.get("securityContext") or {}
    if SECCOMP_POD in annotations and context.get("seccompProfile") is None:
        found.append(f"{where.key(SECCOMP_POD)}: {_NO_SECCOMP}")
    for container in pods.containers(spec) if annotations else ():
        own = container.get("securityContext") or {}
        key = SECCOMP_CONTAINER + container.get("name", "")
        if key in annotations and own.get("seccompProfile") is None:
            found.append(f"{where.key(key)}: {_NO_SECCOMP}")
        key = APP_ARMOR + container.get("name", "")
        if is_template and key in annotations and own.get("appArmorProfile") is None:
            profile = context.get("appArmorProfile")
            if profile is None or profile != app_armor_profile(annotations[key]):
                found.append(f"{where.key(key)}: {_NO_APP_ARMOR}")
    return found


def sync(pod: Object) -> list[str]:
    """Carry a pod's AppArmor annotations over to its fields; the answer is warnings."""
    # upstream: pkg/registry/core/pod/strategy.go applyAppArmorVersionSkew
    spec = pod["spec"]
    annotations = pod["metadata"].get("annotations") or {}
    if not annotations or (spec.get("os") or {}).get("name") == "windows":
        return []
    found = []
    general = (spec.get("securityContext") or {}).get("appArmorProfile")
    for container in pods.containers(spec):
        key = APP_ARMOR + container.get("name", "")
        context = container.get("securityContext") or {}
        if key not in annotations or context.get("appArmorProfile") is not None:
            continue
        profile = app_armor_profile(annotations[key])
        differs = profile is not None and profile != general
        if differs:
            container["securityContext"] = context | {"appArmorProfile": profile}
        if differs or profile is None:
            found.append(f"{Path('metadata', 'annotations').key(key)}: {_NO_APP_ARMOR}")
    return found
