"""Claims and volumes of pods."""

# upstream: component-helpers storage/volume/helpers.go, storage/volume/pv_helpers.go,
# storage/ephemeral/ephemeral.go

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.shared.affinity_terms import label_match
from pykube_cp.scheduler.shared.node_affinity import node_selector
from pykube_cp.scheduler.shared.quantities import nano

BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
NO_PROVISIONER = "kubernetes.io/no-provisioner"
_BETA_STORAGE_CLASS = "volume.beta.kubernetes.io/storage-class"


@dataclass(frozen=True, slots=True)
class ClaimRef:
    """A claim that a volume of a pod stands for; an ephemeral one is made for this pod alone."""

    name: str
    ephemeral: bool = False


def claim_refs(pod: Object) -> Iterator[ClaimRef]:
    """Claims of a pod, in the order of its volumes."""
    for volume in pod["spec"].get("volumes") or ():
        claim = volume.get("persistentVolumeClaim")
        if claim:
            yield ClaimRef(claim.get("claimName") or "")
        elif volume.get("ephemeral"):
            yield ClaimRef(f"{objects.name(pod)}-{volume['name']}", ephemeral=True)


def claim_not_found(name: str) -> str:
    # upstream: client-go listers/core/v1/persistentvolumeclaim.go; listers speak in the singular
    return f'persistentvolumeclaim "{name}" not found'


def uses_claim(pod: Object, claim: Object) -> bool:
    return objects.namespace(pod) == objects.namespace(claim) and any(
        ref.name == objects.name(claim) for ref in claim_refs(pod)
    )


def check_owned(pod: Object, claim: Object) -> None:
    """``ValueError`` if an ephemeral claim belongs to somebody else."""
    owner = objects.controller_of(claim)
    if owner is None or owner.get("uid") != objects.uid(pod):
        raise ValueError(
            f"PVC {objects.key(claim)} was not created for pod {objects.key(pod)} "
            "(pod is not owner)"
        )


def claim_class(claim: Object) -> str:
    """The name of the claim's storage class, ``""`` for none."""
    beta = objects.annotations(claim).get(_BETA_STORAGE_CLASS)
    return beta if beta is not None else claim["spec"].get("storageClassName") or ""


def volume_class(volume: Object) -> str:
    beta = objects.annotations(volume).get(_BETA_STORAGE_CLASS)
    return beta if beta is not None else volume["spec"].get("storageClassName") or ""


def is_fully_bound(claim: Object) -> bool:
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in objects.annotations(claim)


def requested_storage(claim: Object) -> int:
    """In billionths of a byte."""
    return nano(str(objects.nested(claim, "spec", "resources", "requests", "storage", default="0")))


def storage_capacity(volume: Object) -> int:
    """In billionths of a byte."""
    return nano(str(objects.nested(volume, "spec", "capacity", "storage", default="0")))


def fits_node_affinity(volume: Object, labels: Mapping[str, str]) -> bool:
    """Whether a volume can be used on nodes with these labels."""
    # upstream: CheckNodeAffinity
    required = objects.nested(volume, "spec", "nodeAffinity", "required")
    return required is None or node_selector(required).matches_labels(labels)


def is_bound_to(volume: Object, claim: Object) -> bool:
    """Whether the volume names the claim, maybe without uid."""
    # upstream: IsVolumeBoundToClaim
    ref = volume["spec"].get("claimRef")
    if not ref:
        return False
    same_name = (ref.get("namespace"), ref.get("name")) == (
        objects.namespace(claim),
        objects.name(claim),
    )
    return same_name and ref.get("uid") in {None, "", objects.uid(claim)}


def find_matching_volume(
    claim: Object, volumes: list[Object], labels: Mapping[str, str], taken: set[str]
) -> Object | None:
    """The smallest volume that will do for the claim on a node with these labels."""
    # upstream: FindMatchingVolume
    wanted = requested_storage(claim)
    match = label_match(claim["spec"].get("selector") or {})
    best: Object | None = None
    for volume in volumes:
        if objects.name(volume) in taken or not _may_serve(volume, claim, wanted):
            continue
        usable = fits_node_affinity(volume, labels)
        if is_bound_to(volume, claim):
            # Bound beforehand to this claim: this volume or none.
            return volume if usable else None
        if (
            usable
            and objects.nested(volume, "status", "phase") == "Available"
            and match(objects.labels(volume))
            and volume_class(volume) == claim_class(claim)
            and _has_access_modes(volume, claim)
            and (best is None or storage_capacity(volume) < storage_capacity(best))
        ):
            best = volume
    return best


def _may_serve(volume: Object, claim: Object, wanted: int) -> bool:
    volume_spec, claim_spec = volume["spec"], claim["spec"]
    if volume_spec.get("claimRef") and not is_bound_to(volume, claim):
        return False
    attributes = "volumeAttributesClassName"
    return (
        storage_capacity(volume) >= wanted
        and (volume_spec.get("volumeMode") or "Filesystem")
        == (claim_spec.get("volumeMode") or "Filesystem")
        and (volume_spec.get(attributes) or "") == (claim_spec.get(attributes) or "")
        and not objects.is_deleting(volume)
    )


def _has_access_modes(volume: Object, claim: Object) -> bool:
    offered = volume["spec"].get("accessModes") or ()
    return set(claim["spec"].get("accessModes") or ()).issubset(offered)


def bound_volume(volume: Object, claim: Object) -> Object | None:
    """The volume bound to the claim; None if it is so already."""
    # upstream: GetBindVolumeToClaim
    ref = volume["spec"].get("claimRef") or {}
    changed = False
    bound: Object = objects.deep_copy(volume)
    if ref.get("uid") != objects.uid(claim) or not is_bound_to(volume, claim):
        bound["spec"]["claimRef"] = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": objects.namespace(claim),
            "name": objects.name(claim),
            "uid": objects.uid(claim),
            "resourceVersion": objects.resource_version(claim),
        }
        changed = True
    if not is_bound_to(volume, claim) and BOUND_BY_CONTROLLER not in objects.annotations(volume):
        _annotate(bound, BOUND_BY_CONTROLLER, "yes")
        changed = True
    return bound if changed else None


def with_selected_node(claim: Object, node: str) -> Object:
    """The claim with the node for which it is to be provisioned."""
    chosen: Object = objects.deep_copy(claim)
    _annotate(chosen, SELECTED_NODE, node)
    return chosen


def _annotate(obj: Object, key: str, value: str) -> None:
    annotations = dict(objects.annotations(obj))
    annotations[key] = value
    obj["metadata"]["annotations"] = annotations
