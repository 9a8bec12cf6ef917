"""What PersistentVolumes, their claims and StorageClasses say of one another."""
# upstream: component-helpers storage/volume/pv_helpers.go

from collections.abc import Iterable

from pykube_cp.machinery import objects, quantity, selectors
from pykube_cp.machinery.objects import Object

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
MIGRATED_TO = "pv.kubernetes.io/migrated-to"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
PRE_RESIZE_CAPACITY = "volume.alpha.kubernetes.io/pre-resize-capacity"
PODS_BY_CLAIM = "pods-volume-claim"
_BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


class VolumeMismatchError(Exception):
    """A volume cannot serve a claim; the text says why."""


def claim_class(claim: Object) -> str:
    """The StorageClass that a claim asks for, empty for none."""
    annotated: str | None = objects.annotations(claim).get(_BETA_CLASS)
    named: str = claim["spec"].get("storageClassName") or ""
    return named if annotated is None else annotated


def has_class(claim: Object) -> bool:
    """Whether the claim says anything of a class; the empty class is something."""
    return (
        _BETA_CLASS in objects.annotations(claim)
        or claim["spec"].get("storageClassName") is not None
    )


def volume_class(volume: Object) -> str:
    annotated: str | None = objects.annotations(volume).get(_BETA_CLASS)
    named: str = volume["spec"].get("storageClassName") or ""
    return named if annotated is None else annotated


def is_default_class(storage_class: Object) -> bool:
    annotations = objects.annotations(storage_class)
    return any(annotations.get(name) == "true" for name in _DEFAULT_CLASS)


def default_class(classes: Iterable[Object]) -> Object | None:
    """The newest default class."""
    # upstream: pkg/volume/util/storageclass.go GetDefaultClass
    found = sorted(filter(is_default_class, classes), key=objects.name)
    return max(
        found, key=lambda item: objects.metadata(item).get("creationTimestamp") or "", default=None
    )


def waits_for_consumer(storage_class: Object | None) -> bool:
    return bool(storage_class and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer")


def claim_key_of(volume: Object) -> str:
    """Key of the claim that a volume refers to, empty for none."""
    reference = volume["spec"].get("claimRef")
    if not reference:
        return ""
    return objects.join_key(reference.get("namespace", ""), reference.get("name", ""))


def is_bound_to(volume: Object, claim: Object) -> bool:
    """Whether the volume is reserved for or bound to this very claim."""
    # upstream: component-helpers storage/volume/pv_helpers.go IsVolumeBoundToClaim
    reference = volume["spec"].get("claimRef")
    if not reference or claim_key_of(volume) != objects.key(claim):
        return False
    return reference.get("uid", "") in {"", objects.uid(claim)}


def claim_reference(claim: Object) -> Object:
    return {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": objects.namespace(claim),
        "name": objects.name(claim),
        "uid": objects.uid(claim),
        "resourceVersion": objects.resource_version(claim),
    }


def capacity(volume: Object) -> quantity.Quantity:
    return quantity.parse(str(objects.nested(volume, "spec", "capacity", "storage", default="0")))


def requested(claim: Object) -> quantity.Quantity:
    path = ("spec", "resources", "requests", "storage")
    return quantity.parse(str(objects.nested(claim, *path, default="0")))


def volume_modes_differ(claim: Object, volume: Object) -> bool:
    mode = volume["spec"].get("volumeMode") or "Filesystem"
    return bool((claim["spec"].get("volumeMode") or "Filesystem") != mode)


def has_access_modes(claim: Object, volume: Object) -> bool:
    wanted = claim["spec"].get("accessModes") or ()
    return set(wanted) <= set(volume["spec"].get("accessModes") or ())


def attributes_class(obj: Object) -> str:
    found: str = obj["spec"].get("volumeAttributesClassName") or ""
    return found


def check_volume(volume: Object, claim: Object) -> None:
    """Raise ``VolumeMismatchError`` unless the volume can serve a claim that names it."""
    # upstream: pkg/controller/volume/persistentvolume/pv_controller.go checkVolumeSatisfyClaim
    if objects.is_deleting(volume):
        raise VolumeMismatchError(f'the volume is marked for deletion "{objects.name(volume)}"')
    if capacity(volume).value() < requested(claim).value():
        raise VolumeMismatchError("requested PV is too small")
    if volume_class(volume) != claim_class(claim):
        raise VolumeMismatchError("storageClassName does not match")
    if attributes_class(volume) != attributes_class(claim):
        raise VolumeMismatchError("volumeAttributesClassName does not match")
    if volume_modes_differ(claim, volume):
        raise VolumeMismatchError("incompatible volumeMode")
    if not has_access_modes(claim, volume):
        raise VolumeMismatchError("incompatible accessMode")


def find_volume(claim: Object, volumes: Iterable[Object], *, delayed: bool) -> Object | None:
    """The volume reserved for the claim, else the smallest that fits with the fewest access modes.

    With ``delayed`` only one that is reserved counts: the scheduler chooses among the others.
    """
    # upstream: component-helpers storage/volume/pv_helpers.go FindMatchingVolume
    size = requested(claim)
    suitable = [
        volume
        for volume in volumes
        if has_access_modes(claim, volume) and _is_suitable(volume, claim, size)
    ]
    for volume in sorted(suitable, key=_mode_count):
        if is_bound_to(volume, claim):
            return volume
    if delayed:
        return None
    free = [volume for volume in suitable if _is_free_for(volume, claim)]
    return min(free, key=lambda item: (_mode_count(item), capacity(item)), default=None)


def _mode_count(volume: Object) -> int:
    return len(volume["spec"].get("accessModes") or ())


def _is_suitable(volume: Object, claim: Object, size: quantity.Quantity) -> bool:
    if volume["spec"].get("claimRef") and not is_bound_to(volume, claim):
        return False
    if capacity(volume) < size or volume_modes_differ(claim, volume):
        return False
    return attributes_class(volume) == attributes_class(claim) and not objects.is_deleting(volume)


def _is_free_for(volume: Object, claim: Object) -> bool:
    if objects.nested(volume, "status", "phase") != "Available":
        return False
    selector = claim["spec"].get("selector")
    if selector and not selectors.from_label_selector(selector).matches(objects.labels(volume)):
        return False
    return volume_class(volume) == claim_class(claim)


def claim_names(pod: Object) -> list[str]:
    """Names of the claims that a Pod's volumes use, those of generic ephemeral volumes included."""
    names: list[str] = []
    for volume in pod["spec"].get("volumes") or ():
        if source := volume.get("persistentVolumeClaim"):
            names.append(source["claimName"])
        elif volume.get("ephemeral"):
            names.append(ephemeral_claim_name(pod, volume))
    return names


def ephemeral_claim_name(pod: Object, volume: Object) -> str:
    # upstream: component-helpers storage/ephemeral/ephemeral.go VolumeClaimName
    return f"{objects.name(pod)}-{volume['name']}"


def claim_index(pod: Object) -> list[str]:
    """The index ``PODS_BY_CLAIM``: keys of the claims that a Pod uses."""
    namespace = objects.namespace(pod)
    return [objects.join_key(namespace, name) for name in claim_names(pod)]


def is_for_pod(claim: Object, pod: Object) -> bool:
    """Whether the claim was made for a volume of this very Pod."""
    owner = objects.controller_of(claim)
    return owner is not None and owner.get("uid") == objects.uid(pod)


def uses_claim(pod: Object, claim: Object) -> bool:
    """Whether a volume of the Pod is this claim."""
    name = objects.name(claim)
    return any(
        objects.nested(volume, "persistentVolumeClaim", "claimName") == name
        or (
            volume.get("ephemeral") is not None
            and ephemeral_claim_name(pod, volume) == name
            and is_for_pod(claim, pod)
        )
        for volume in pod["spec"].get("volumes") or ()
    )


def has_ended(pod: Object) -> bool:
    """Whether no container of the Pod runs or will run."""
    # upstream: pkg/volume/util/util.go IsPodTerminated
    status = pod.get("status") or {}
    if status.get("phase") in {"Failed", "Succeeded"}:
        return True
    return objects.is_deleting(pod) and not any(
        not (item.get("state") or {}).keys() & {"terminated", "waiting"}
        for item in status.get("containerStatuses") or ()
    )
