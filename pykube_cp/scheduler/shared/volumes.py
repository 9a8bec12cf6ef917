"""Claims and volumes of pods."""

# upstream: component-helpers storage/volume/helpers.go, storage/volume/pv_helpers.go,
# storage/ephemeral/ephemeral.go

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.volumes import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    SELECTED_NODE,
    attributes_class,
    claim_reference,
    class_of,
    ephemeral_claim_name,
    has_access_modes,
    is_bound_to,
    is_for_pod,
    modes_differ,
)
from pykube_cp.scheduler.shared.affinity_terms import label_match
from pykube_cp.scheduler.shared.node_affinity import node_selector
from pykube_cp.scheduler.shared.quantities import nano

NO_PROVISIONER = "kubernetes.io/no-provisioner"


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
            yield ClaimRef(ephemeral_claim_name(pod, volume), ephemeral=True)


def claim_not_found(name: str) -> str:
    # upstream: client-go listers/core/v1/persistentvolumeclaim.go; listers speak in the singular
    return f'persistentvolumeclaim "{name}" not found'


def uses_claim(pod: Object, claim: Object) -> bool:
    return objects.namespace(pod) == objects.namespace(claim) and any(
        ref.name == objects.name(claim) for ref in claim_refs(pod)
    )


def check_owned(pod: Object, claim: Object) -> None:
    """``ValueError`` if an ephemeral claim belongs to somebody else."""
    if not is_for_pod(claim, pod):
        raise ValueError(
            f"PVC {objects.key(claim)} was not created for pod {objects.key(pod)} "
            "(pod is not owner)"
        )


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
            and class_of(volume) == class_of(claim)
            and has_access_modes(claim, volume)
            and (best is None or storage_capacity(volume) < storage_capacity(best))
        ):
            best = volume
    return best


def _may_serve(volume: Object, claim: Object, wanted: int) -> bool:
    if volume["spec"].get("claimRef") and not is_bound_to(volume, claim):
        return False
    return (
        storage_capacity(volume) >= wanted
        and not modes_differ(claim, volume)
        and attributes_class(volume) == attributes_class(claim)
        and not objects.is_deleting(volume)
    )


def bound_volume(volume: Object, claim: Object) -> Object | None:
    """The volume bound to the claim; None if it is so already."""
    # upstream: GetBindVolumeToClaim
    ref = volume["spec"].get("claimRef") or {}
    changed = False
    bound: Object = objects.deep_copy(volume)
    if ref.get("uid") != objects.uid(claim) or not is_bound_to(volume, claim):
        bound["spec"]["claimRef"] = claim_reference(claim)
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
