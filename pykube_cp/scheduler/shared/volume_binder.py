"""Which volumes a pod would get on a node, and binding them once the node is chosen."""

# upstream: pkg/scheduler/framework/plugins/volumebinding/binder.go

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.volumes import SELECTED_NODE, class_of
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.kinds import (
    CSI_DRIVERS,
    CSI_STORAGE_CAPACITIES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
    STORAGE_CLASSES,
)
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.shared.affinity_terms import label_match
from pykube_cp.scheduler.shared.assume_cache import AssumeCache
from pykube_cp.scheduler.shared.quantities import nano
from pykube_cp.scheduler.shared.volumes import (
    NO_PROVISIONER,
    ClaimRef,
    bound_volume,
    check_owned,
    claim_refs,
    find_matching_volume,
    fits_node_affinity,
    is_fully_bound,
    requested_storage,
    with_selected_node,
)

BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind"
NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
NOT_ENOUGH_SPACE = "node(s) did not have enough free storage"
NO_SUCH_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


@dataclass(slots=True)
class PodClaims:
    """Claims of one pod, by what is still to be done for them.

    Attributes:
        delayed: to be bound, or provisioned, for the node that is chosen.
        immediate: not bound yet, by somebody else's doing.
        volumes: volumes of each storage class that occurs in ``delayed``.
    """

    bound: list[Object] = field(default_factory=list)
    delayed: list[Object] = field(default_factory=list)
    immediate: list[Object] = field(default_factory=list)
    volumes: dict[str, list[Object]] = field(default_factory=dict)


@dataclass(slots=True)
class Provision:
    """A claim to be provisioned; ``capacity`` says what the node's storage has, if known."""

    claim: Object
    capacity: Object | None = None


@dataclass(slots=True)
class PodVolumes:
    """What is to be done if a certain node is chosen."""

    bindings: list[tuple[Object, Object]] = field(default_factory=list)
    provisions: list[Provision] = field(default_factory=list)


class VolumeBinder:
    """Volumes and claims with what has been decided for them."""

    def __init__(self, handle: Handle, bind_timeout: float) -> None:
        self._handle = handle
        self._bind_timeout = bind_timeout
        self._claims = AssumeCache(handle.informers.of(PERSISTENT_VOLUME_CLAIMS))
        self._volumes = AssumeCache(handle.informers.of(PERSISTENT_VOLUMES))
        self._changed: asyncio.Future[None] | None = None
        for gvr in (PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES):
            handle.informers.of(gvr).on(self._on_change, self._on_change, self._on_change)

    def _on_change(self, *_objects: Object) -> None:
        if self._changed is not None:
            self._changed.set_result(None)
            self._changed = None

    # Looking.

    def claims_of(self, pod: PodInfo) -> PodClaims:
        """The pod's claims; ``ValueError`` if one is missing."""
        # upstream: GetPodVolumeClaims
        found = PodClaims()
        for ref in claim_refs(pod.pod):
            claim = self._claim(pod, ref)
            if is_fully_bound(claim):
                found.bound.append(claim)
            elif self._is_delayed(claim) and not claim["spec"].get("volumeName"):
                found.delayed.append(claim)
            else:
                found.immediate.append(claim)
        for storage_class in {class_of(claim) for claim in found.delayed}:
            found.volumes[storage_class] = [
                volume for volume in self._volumes if class_of(volume) == storage_class
            ]
        # Small claims choose first, so that each takes the smallest volume that will do.
        found.delayed.sort(key=requested_storage)
        return found

    def _claim(self, pod: PodInfo, ref: ClaimRef) -> Object:
        key = f"{pod.namespace}/{ref.name}"
        claim = self._claims.get(key)
        if claim is None:
            not_found = f'persistentvolumeclaims "{key}" not found'
            raise ValueError(f'error getting PVC "{key}": {not_found}')
        if ref.ephemeral:
            check_owned(pod.pod, claim)
        return claim

    def _is_delayed(self, claim: Object) -> bool:
        # upstream: component-helpers storage/volume/pv_helpers.go IsDelayBindingMode
        name = class_of(claim)
        found = self._handle.get(STORAGE_CLASSES, name) if name else None
        if found is None:
            return False
        mode = found.get("volumeBindingMode")
        if mode is None:
            raise ValueError(f'VolumeBindingMode not set for StorageClass "{name}"')
        return bool(mode == "WaitForFirstConsumer")

    def volume(self, name: str) -> Object | None:
        return self._volumes.get(name)

    def find(self, claims: PodClaims, node: Object) -> tuple[PodVolumes, list[str]]:
        """What the claims still to be bound would get on ``node``, and what speaks against it."""
        # upstream: FindPodVolumes
        found, to_provision, to_match = PodVolumes(), [], []
        for claim in claims.delayed:
            selected = objects.annotations(claim).get(SELECTED_NODE)
            if selected is None:
                to_match.append(claim)
            elif selected == objects.name(node):
                to_provision.append(claim)
            else:
                return found, [BIND_CONFLICT]
        labels = objects.labels(node)
        taken: set[str] = set()
        for claim in to_match:
            volumes = claims.volumes[class_of(claim)]
            volume = find_matching_volume(claim, volumes, labels, taken)
            if volume is None:
                to_provision.append(claim)
            else:
                taken.add(objects.name(volume))
                found.bindings.append((volume, claim))
        reason = self._check_provisions(to_provision, labels, found)
        return found, [reason] if reason else []

    def _check_provisions(
        self, claims: list[Object], labels: Mapping[str, str], found: PodVolumes
    ) -> str:
        # upstream: checkVolumeProvisions
        for claim in claims:
            name = class_of(claim)
            if not name:
                raise ValueError(f'no class for claim "{objects.key(claim)}"')
            storage_class = self._handle.get(STORAGE_CLASSES, name)
            if storage_class is None:
                raise ValueError(f'failed to find storage class "{name}"')
            if storage_class.get("provisioner") in {None, "", NO_PROVISIONER}:
                return BIND_CONFLICT
            if not _matches_topology(storage_class.get("allowedTopologies") or (), labels):
                return BIND_CONFLICT
            enough, capacity = self._capacity(claim, storage_class, labels)
            if not enough:
                return NOT_ENOUGH_SPACE
            found.provisions.append(Provision(claim, capacity))
        return ""

    def _capacity(
        self, claim: Object, storage_class: Object, labels: Mapping[str, str]
    ) -> tuple[bool, Object | None]:
        # upstream: hasEnoughCapacity
        wanted = requested_storage(claim)
        driver = self._handle.get(CSI_DRIVERS, storage_class["provisioner"])
        if not wanted or not objects.nested(driver, "spec", "storageCapacity"):
            return True, None
        for capacity in self._handle.list(CSI_STORAGE_CAPACITIES):
            topology = capacity.get("nodeTopology")
            if (
                capacity.get("storageClassName") == objects.name(storage_class)
                and (volume_limit(capacity) or 0) >= wanted
                and topology is not None
                and label_match(topology)(labels)
            ):
                return True, capacity
        return False, None

    # Deciding.

    def assume(self, pod: PodInfo, node: str, volumes: PodVolumes) -> bool:
        """Hold the volumes in memory; True if there is nothing left to bind."""
        # upstream: AssumePodVolumes
        if all(is_fully_bound(self._claim(pod, ref)) for ref in claim_refs(pod.pod)):
            return True
        bindings: list[tuple[Object, Object]] = []
        provisions: list[Provision] = []
        try:
            for volume, claim in volumes.bindings:
                bound = bound_volume(volume, claim)
                if bound is not None:
                    self._volumes.assume(bound)
                bindings.append((volume if bound is None else bound, claim))
            for provision in volumes.provisions:
                chosen = with_selected_node(provision.claim, node)
                self._claims.assume(chosen)
                provisions.append(Provision(chosen))
        except ValueError:
            self.revert(PodVolumes(bindings, provisions))
            raise
        volumes.bindings, volumes.provisions = bindings, provisions
        return False

    def revert(self, volumes: PodVolumes) -> None:
        """Take ``assume`` back."""
        for volume, _ in volumes.bindings:
            self._volumes.restore(volume)
        for provision in volumes.provisions:
            self._claims.restore(provision.claim)

    # Writing.

    async def bind(self, pod: PodInfo, volumes: PodVolumes) -> None:
        """Write what was assumed, and wait until all is bound."""
        # upstream: BindPodVolumes
        await self._write(volumes)
        deadline = clock.monotonic() + self._bind_timeout
        while not self._is_bound(pod, volumes):
            left = deadline - clock.monotonic()
            if left <= 0:
                raise TimeoutError("binding volumes: context deadline exceeded")
            if self._changed is None:
                self._changed = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._changed], timeout=left)

    async def _write(self, volumes: PodVolumes) -> None:
        # upstream: bindAPIUpdate
        client = self._handle.client
        written, chosen = 0, 0
        try:
            for volume, claim in volumes.bindings:
                updated = await client.update(PERSISTENT_VOLUMES, volume)
                volumes.bindings[written] = (updated, claim)
                written += 1
            for provision in volumes.provisions:
                updated = await client.update(PERSISTENT_VOLUME_CLAIMS, provision.claim)
                volumes.provisions[chosen] = Provision(updated)
                chosen += 1
        finally:
            self.revert(PodVolumes(volumes.bindings[written:], volumes.provisions[chosen:]))

    def _is_bound(self, pod: PodInfo, volumes: PodVolumes) -> bool:
        """Whether all is bound; ``ValueError`` if it will not be."""
        # upstream: checkBindings
        node = self._handle.get(NODES, pod.node_name)
        if node is None:
            not_found = f'node "{pod.node_name}" not found'
            raise ValueError(f'binding volumes: failed to get node "{pod.node_name}": {not_found}')
        if self._handle.get(PODS, pod.name, pod.namespace) is None:
            not_found = f'pod "{pod.name}" not found'
            raise ValueError(f"binding volumes: pod does not exist any more: {not_found}")
        return all(
            self._is_binding_done(volume, claim, node) for volume, claim in volumes.bindings
        ) and all(
            self._is_provision_done(provision.claim, node) for provision in volumes.provisions
        )

    def _is_binding_done(self, written: Object, claim: Object, node: Object) -> bool:
        volume = self._volumes.get_known(objects.name(written))
        current = self._claims.get_known(objects.key(claim))
        if volume is None or current is None:
            raise ValueError("binding volumes: failed to check binding: not found")
        if _is_older(volume, written):
            return False
        _check_affinity(volume, node)
        if not objects.nested(volume, "spec", "claimRef", "uid"):
            raise ValueError(f'binding volumes: ClaimRef got reset for pv "{objects.name(volume)}"')
        return is_fully_bound(current)

    def _is_provision_done(self, written: Object, node: Object) -> bool:
        claim = self._claims.get_known(objects.key(written))
        name = objects.name(written)
        if claim is None:
            raise ValueError("binding volumes: failed to check provisioning pvc: not found")
        if _is_older(claim, written):
            return False
        if SELECTED_NODE not in objects.annotations(claim):
            raise ValueError(f'binding volumes: selectedNode annotation reset for PVC "{name}"')
        if objects.annotations(claim)[SELECTED_NODE] != objects.name(node):
            raise ValueError(f'binding volumes: provisioning failed for PVC "{name}"')
        if claim["spec"].get("volumeName"):
            volume = self._volumes.get_known(claim["spec"]["volumeName"])
            if volume is None:
                return False
            _check_affinity(volume, node)
        return is_fully_bound(claim)


def _check_affinity(volume: Object, node: Object) -> None:
    if not fits_node_affinity(volume, objects.labels(node)):
        raise ValueError(
            f'binding volumes: pv "{objects.name(volume)}" node affinity doesn\'t match node '
            f'"{objects.name(node)}": no matching NodeSelectorTerms'
        )


def _is_older(known: Object, written: Object) -> bool:
    """Whether the informer has not seen yet what was written."""
    try:
        return int(objects.resource_version(known)) < int(objects.resource_version(written))
    except ValueError:
        return False


def _matches_topology(terms: Iterable[Object], labels: Mapping[str, str]) -> bool:
    """Whether nodes with these labels are allowed; all are if no terms are given."""
    # upstream: pkg/apis/core/v1/helper/helpers.go MatchTopologySelectorTerms
    terms = list(terms)
    return not terms or any(
        term.get("matchLabelExpressions")
        and all(
            labels.get(expression["key"]) in (expression.get("values") or ())
            for expression in term["matchLabelExpressions"]
        )
        for term in terms
    )


def volume_limit(capacity: Object) -> int | None:
    """The largest volume a CSIStorageCapacity promises, in billionths of a byte."""
    text = capacity.get("maximumVolumeSize") or capacity.get("capacity")
    return None if text is None else nano(str(text))
