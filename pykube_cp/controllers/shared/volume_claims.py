"""What PersistentVolumes, their claims and StorageClasses say of one another."""
# upstream: component-helpers storage/volume/pv_helpers.go

from collections.abc import Iterable

from pykube_cp.machinery import objects, quantity, selectors
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.volumes import (
    attributes_class,
    class_of,
    ephemeral_claim_name,
    has_access_modes,
    is_bound_to,
    is_for_pod,
    modes_differ,
)

PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
MIGRATED_TO = "pv.kubernetes.io/migrated-to"
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"
BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
PRE_RESIZE_CAPACITY = "volume.alpha.kubernetes.io/pre-resize-capacity"
PODS_BY_CLAIM = "pods-volume-claim"


class VolumeMismatchError(Exception):
    """A volume cannot serve a claim; the text says why."""


def waits_for_consumer(storage_class: Object | None) -> bool:
    return bool(storage_class and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer")


def capacity(volume: Object) -> quantity.Quantity:
    return quantity.parse(str(objects.nested(volume, "spec", "capacity", "storage", default="0")))


def requested(claim: Object) -> quantity.Quantity:
    path = ("spec", "resources", "requests", "storage")
    return quantity.parse(str(objects.nested(claim, *path, default="0")))


def check_volume(volume: Object, claim: Object) -> None:
    """Raise ``VolumeMismatchError`` unless the volume can serve a claim that names it."""
    # upstream: pkg/controller/volume/persistentvolume/pv_controller.go checkVolumeSatisfyClaim
    if objects.is_deleting(volume):
        raise VolumeMismatchError(f'the volume is marked for deletion "{objects.name(volume)}"')
    if capacity(volume).value() < requested(claim).value():
        raise VolumeMismatchError("requested PV is too small")
    if class_of(volume) != class_of(claim):
        raise VolumeMismatchError("storageClassName does not match")
    if attributes_class(volume) != attributes_class(claim):
        raise VolumeMismatchError("volumeAttributesClassName does not match")
    if modes_differ(claim, volume):
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
    if capacity(volume) < size or modes_differ(claim, volume):
        return False
    return attributes_class(volume) == attributes_class(claim) and not objects.is_deleting(volume)


def _is_free_for(volume: Object, claim: Object) -> bool:
    if objects.nested(volume, "status", "phase") != "Available":
        return False
    selector = claim["spec"].get("selector")
    if selector and not selectors.from_label_selector(selector).matches(objects.labels(volume)):
        return False
    return class_of(volume) == class_of(claim)


def claim_names(pod: Object) -> list[str]:
    """Names of the claims that a Pod's volumes use, those of generic ephemeral volumes included."""
    names: list[str] = []
    for volume in pod["spec"].get("volumes") or ():
        if source := volume.get("persistentVolumeClaim"):
            names.append(source["claimName"])
        elif volume.get("ephemeral"):
            names.append(ephemeral_claim_name(pod, volume))
    return names


def claim_index(pod: Object) -> list[str]:
    """The index ``PODS_BY_CLAIM``: keys of the claims that a Pod uses."""
    namespace = objects.namespace(pod)
    return [objects.join_key(namespace, name) for name in claim_names(pod)]


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
