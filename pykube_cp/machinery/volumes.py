"""What claims, volumes and storage classes say of one another."""
# upstream: component-helpers storage/volume/pv_helpers.go, storage/ephemeral/ephemeral.go

from collections.abc import Iterable

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
"""What named a storage class before there was a field; it still goes first."""
_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


# Storage classes.


def class_of(obj: Object) -> str:
    """The storage class of a volume, or that a claim asks for; empty for none."""
    annotated: str | None = objects.annotations(obj).get(CLASS_ANNOTATION)
    named: str = (obj.get("spec") or {}).get("storageClassName") or ""
    return named if annotated is None else annotated


def has_class(claim: Object) -> bool:
    """Whether the claim says anything of a class; the empty class is something."""
    return (
        CLASS_ANNOTATION in objects.annotations(claim)
        or claim["spec"].get("storageClassName") is not None
    )


def is_default_class(storage_class: Object) -> bool:
    annotations = objects.annotations(storage_class)
    return any(annotations.get(name) == "true" for name in _DEFAULT_CLASS)


def default_class(classes: Iterable[Object]) -> Object | None:
    """The newest default class; of two made in the same second the alphabetically first."""
    # upstream: pkg/volume/util/storageclass.go GetDefaultClass
    found = sorted(filter(is_default_class, classes), key=objects.name)
    return max(
        found, key=lambda item: objects.metadata(item).get("creationTimestamp") or "", default=None
    )


# Claims and volumes.


def claim_key_of(volume: Object) -> str:
    """Key of the claim that a volume refers to, empty for none."""
    reference = volume["spec"].get("claimRef")
    if not reference:
        return ""
    return objects.join_key(reference.get("namespace", ""), reference.get("name", ""))


def is_bound_to(volume: Object, claim: Object) -> bool:
    """Whether the volume is reserved for or bound to this very claim."""
    # upstream: as above, IsVolumeBoundToClaim
    reference = volume["spec"].get("claimRef")
    if not reference or claim_key_of(volume) != objects.key(claim):
        return False
    return (reference.get("uid") or "") in {"", objects.uid(claim)}


def claim_reference(claim: Object) -> Object:
    return {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": objects.namespace(claim),
        "name": objects.name(claim),
        "uid": objects.uid(claim),
        "resourceVersion": objects.resource_version(claim),
    }


def modes_differ(claim: Object, volume: Object) -> bool:
    mode = volume["spec"].get("volumeMode") or "Filesystem"
    return bool((claim["spec"].get("volumeMode") or "Filesystem") != mode)


def has_access_modes(claim: Object, volume: Object) -> bool:
    wanted = claim["spec"].get("accessModes") or ()
    return set(wanted) <= set(volume["spec"].get("accessModes") or ())


def attributes_class(obj: Object) -> str:
    found: str = obj["spec"].get("volumeAttributesClassName") or ""
    return found


# Claims and pods.


def ephemeral_claim_name(pod: Object, volume: Object) -> str:
    return f"{objects.name(pod)}-{volume['name']}"


def is_for_pod(claim: Object, pod: Object) -> bool:
    """Whether the claim was made for a volume of this very Pod."""
    owner = objects.controller_of(claim)
    return owner is not None and owner.get("uid") == objects.uid(pod)
