"""What may change about persistent volumes and claims, and which volumes are mounted with options."""
# upstream: pkg/apis/core/validation/validation.go ValidatePersistentVolumeUpdate

from pykube_cp.machinery import objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity
from pykube_cp.machinery.volumes import CLASS_ANNOTATION
from pykube_cp.registry.validation import IMMUTABLE, validate_immutable
from pykube_cp.resources.shared.go_names import internal
from pykube_cp.resources.shared.pod_updates import difference

_NOT_SOURCES = {
    "capacity",
    "accessModes",
    "claimRef",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "mountOptions",
    "volumeMode",
    "nodeAffinity",
    "volumeAttributesClassName",
}
_ATTRIBUTES = "volumeAttributesClassName"


_MOUNT_OPTIONS = "volume.beta.kubernetes.io/mount-options"
_WITH_MOUNT_OPTIONS = frozenset(
    {
        "gcePersistentDisk",
        "awsElasticBlockStore",
        "glusterfs",
        "nfs",
        "rbd",
        "quobyte",
        "iscsi",
        "cinder",
        "cephfs",
        "azureFile",
        "vsphereVolume",
        "azureDisk",
        "photonPersistentDisk",
    }
)


def check_mount_options(volume: Object) -> list[FieldError]:
    # upstream: pkg/volume/validation/pv_validation.go checkMountOption
    given = {field for field, value in volume["spec"].items() if value is not None}
    if given & _WITH_MOUNT_OPTIONS or _MOUNT_OPTIONS not in objects.annotations(volume):
        return []
    where = Path("metadata", "annotations", _MOUNT_OPTIONS)
    return [FieldError.forbidden(where, "may not specify mount options for this volume type")]


def validate_volume(volume: Object, old: Object) -> list[FieldError]:
    """Where the data lies never changes."""
    spec, before, path = volume["spec"], old["spec"], Path("spec")
    now, then = _source(spec), _source(before)
    if now.get("csi") and then.get("csi") and "controllerExpandSecretRef" not in then["csi"]:
        csi = {k: v for k, v in now["csi"].items() if k != "controllerExpandSecretRef"}
        now = now | {"csi": csi}
    found = []
    if now != then:
        text = "spec.persistentvolumesource is immutable after creation\n"
        where = path.child("persistentvolumesource")
        found.append(FieldError.forbidden(where, text + difference(then, now)))
    modes = spec.get("volumeMode"), before.get("volumeMode")
    found += validate_immutable(*modes, Path("volumeMode"))
    if before.get("nodeAffinity") is not None:
        found += _node_affinity(spec.get("nodeAffinity"), before["nodeAffinity"])
    if before.get(_ATTRIBUTES) is not None and spec.get(_ATTRIBUTES) is None:
        text = "update from non-nil value to nil is forbidden"
        found.append(FieldError.forbidden(path.child(_ATTRIBUTES), text))
    return found


def _node_affinity(now: Object | None, before: Object) -> list[FieldError]:
    # upstream: validatePvNodeAffinity
    wanted, known = (objects.nested(it or {}, *_TERMS, default=[]) for it in (now, before))
    renamed = [_with_new_keys(old, new) for old, new in zip(known, wanted, strict=False)]
    if now is not None and renamed == wanted and len(known) == len(wanted):
        return []
    text = f"{IMMUTABLE}, except for updating from beta label to GA"
    shown = None if now is None else internal(now, "io.k8s.api.core.v1.VolumeNodeAffinity")
    return [FieldError.invalid(Path("nodeAffinity"), shown, text)]


_TERMS = ("required", "nodeSelectorTerms")


def _with_new_keys(term: Object, new: Object) -> Object:
    """The old term, with the keys of today where the new one has them."""
    shown = dict(term)
    for field in ("matchExpressions", "matchFields"):
        others = new.get(field) or []
        if len(shown.get(field) or []) == len(others) and others:
            pairs = zip(shown[field], others, strict=True)
            shown[field] = [_with_new_key(one, other.get("key")) for one, other in pairs]
    return shown


def _with_new_key(requirement: Object, key: str | None) -> Object:
    """Upstream takes an empty new key for the one of today, too, where there is none."""
    if _GA_LABELS.get(requirement.get("key", ""), "") != (key or ""):
        return requirement
    return requirement | {"key": key}


_GA_LABELS = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}


def _source(spec: Object) -> Object:
    return {key: value for key, value in spec.items() if key not in _NOT_SOURCES}


def validate_claim(claim: Object, old: Object) -> list[FieldError]:
    """A claim may get its volume, and more room once it has one."""
    # upstream: ValidatePersistentVolumeClaimUpdate
    spec, before, path = claim["spec"], old["spec"], Path("spec")
    now, then = _comparable(claim, old)
    found = _class_annotation(claim, old)
    if now != then:
        text = (
            "spec is immutable after creation except resources.requests and "
            "volumeAttributesClassName for bound claims\n"
        )
        found.append(FieldError.forbidden(path, text + difference(then, now)))
    found += _size(spec, old, path.child("resources", "requests", "storage"))
    modes = spec.get("volumeMode"), before.get("volumeMode")
    found += validate_immutable(*modes, Path("volumeMode"))
    current = (old.get("status") or {}).get("currentVolumeAttributesClassName")
    wanted = spec.get(_ATTRIBUTES)
    if wanted != before.get(_ATTRIBUTES) and current is not None and not wanted:
        what = "nil" if wanted is None else "empty string"
        text = (
            f"update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil"
        )
        found.append(FieldError.forbidden(path.child(_ATTRIBUTES), text))
    return found


def _comparable(claim: Object, old: Object) -> tuple[Object, Object]:
    """Both specs with what may change made equal."""
    now, then = objects.deep_copy(claim["spec"]), dict(old["spec"])
    if not then.get("volumeName") and now.get("volumeName"):
        then["volumeName"] = now["volumeName"]
    annotated = CLASS_ANNOTATION in objects.annotations(old)
    if then.get("storageClassName") is None and now.get("storageClassName") is not None:
        if not annotated or objects.annotations(old)[CLASS_ANNOTATION] == now["storageClassName"]:
            del now["storageClassName"]
    if (claim.get("status") or {}).get("phase") == "Bound":
        requests = (now.get("resources") or {}).get("requests")
        size = objects.nested(then, "resources", "requests", "storage")
        if requests is not None and size is not None:
            requests["storage"] = size
        now.pop(_ATTRIBUTES, None)
        if _ATTRIBUTES in then:
            now[_ATTRIBUTES] = then[_ATTRIBUTES]
    return now, then


def _class_annotation(claim: Object, old: Object) -> list[FieldError]:
    # upstream: validateStorageClassUpgradeFromAnnotation, ValidateImmutableAnnotation
    now = objects.annotations(claim).get(CLASS_ANNOTATION)
    before = objects.annotations(old).get(CLASS_ANNOTATION)
    if before is not None and old["spec"].get("storageClassName") is None:
        if claim["spec"].get("storageClassName") == before and now in {None, before}:
            return []
    if (now or "") == (before or ""):
        return []
    where = Path("metadata", "annotations", CLASS_ANNOTATION)
    return [FieldError.invalid(where, now or "", IMMUTABLE)]


def _size(spec: Object, old: Object, path: Path) -> list[FieldError]:
    """Asking for less is allowed down to what there is already."""
    wanted = objects.nested(spec, "resources", "requests", "storage", default="0")
    before = objects.nested(old, "spec", "resources", "requests", "storage", default="0")
    actual = objects.nested(old, "status", "capacity", "storage", default="0")
    size = Quantity.parse(str(wanted))
    if size < Quantity.parse(str(before)) and size <= Quantity.parse(str(actual)):
        return [FieldError.forbidden(path, "field can not be less than status.capacity")]
    return []
