"""Chooses volumes together with the node, and binds them before the pod is bound."""

# upstream: pkg/scheduler/framework/plugins/volumebinding/volume_binding.go, scorer.go

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.volumes import class_of
from pykube_cp.scheduler.events import Action, ClusterEvent, EventHint, Resource
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.interface import (
    SKIP,
    Arguments,
    CycleState,
    FilterPlugin,
    PreBindPlugin,
    PreFilterPlugin,
    PreScorePlugin,
    ReservePlugin,
    ScorePlugin,
    Status,
    Verdicts,
    unresolvable,
)
from pykube_cp.scheduler.kinds import PERSISTENT_VOLUME_CLAIMS
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.shared.node_affinity import node_selector
from pykube_cp.scheduler.shared.quantities import UNIT, nano
from pykube_cp.scheduler.shared.scores import broken_line
from pykube_cp.scheduler.shared.volume_binder import (
    NO_SUCH_VOLUME,
    NODE_CONFLICT,
    PodClaims,
    PodVolumes,
    VolumeBinder,
    volume_limit,
)
from pykube_cp.scheduler.shared.volumes import (
    check_owned,
    claim_not_found,
    claim_refs,
    requested_storage,
    storage_capacity,
    uses_claim,
)
from pykube_cp.scheduler.vectors import BoolVector, IntVector, Rows, zeros

# upstream: pkg/scheduler/apis/config/v1/defaults.go SetDefaults_VolumeBindingArgs
_BIND_TIMEOUT = 600.0
_SHAPE: tuple[Object, ...] = (
    {"utilization": 0, "score": 10},
    {"utilization": 100, "score": 0},
)
_MIGRATED_PLUGINS = "storage.alpha.kubernetes.io/migrated-plugins"


@dataclass(slots=True)
class _Volumes:
    """The pod's claims, and what it would get on each node that was looked at."""

    claims: PodClaims
    by_node: dict[str, PodVolumes] = field(default_factory=dict)
    all_bound: bool = False


class VolumeBinding(
    PreFilterPlugin, FilterPlugin, PreScorePlugin, ScorePlugin, ReservePlugin, PreBindPlugin
):
    """Claims bound already are a matter of node labels, judged at once; others node by node."""

    name = "VolumeBinding"

    def __init__(self, handle: Handle, arguments: Arguments) -> None:
        super().__init__(handle, arguments)
        timeout = float(arguments.get("bindTimeoutSeconds") or _BIND_TIMEOUT)
        self._binder = VolumeBinder(handle, timeout)
        self._score = broken_line(arguments.get("shape") or _SHAPE)

    # Finding nodes.

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        pod = state.pod
        refs = list(claim_refs(pod.pod))
        if not refs:
            return SKIP
        problem = self._problem(pod)
        if problem:
            return unresolvable(problem)
        claims = self._binder.claims_of(pod)
        if claims.immediate:
            return unresolvable("pod has unbound immediate PersistentVolumeClaims")
        state.put(_Volumes(claims))
        return None

    def _problem(self, pod: PodInfo) -> str:
        """What is wrong with a claim of the pod."""
        # upstream: podHasPVCs
        for ref in claim_refs(pod.pod):
            claim = self.handle.get(PERSISTENT_VOLUME_CLAIMS, ref.name, pod.namespace)
            if claim is None:
                if ref.ephemeral:
                    return (
                        "waiting for ephemeral volume controller to create the "
                        f'persistentvolumeclaim "{ref.name}"'
                    )
                return claim_not_found(ref.name)
            if objects.nested(claim, "status", "phase") == "Lost":
                volume = claim["spec"].get("volumeName") or ""
                return (
                    f'persistentvolumeclaim "{ref.name}" bound to non-existent '
                    f'persistentvolume "{volume}"'
                )
            if objects.is_deleting(claim):
                return f'persistentvolumeclaim "{ref.name}" is being deleted'
            if ref.ephemeral:
                try:
                    check_owned(pod.pod, claim)
                except ValueError as error:
                    return str(error)
        return ""

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        volumes = state.get(_Volumes)
        usable, all_exist = self._bound_usable(volumes.claims, rows)
        reasons: list[tuple[str, ...]] = []
        codes = zeros(len(rows))
        for place, row in enumerate(rows.tolist()):
            found = self._reasons(volumes, row, usable=bool(usable[place]), all_exist=all_exist)
            if found:
                if found not in reasons:
                    reasons.append(found)
                codes[place] = reasons.index(found) + 1
        if not reasons:
            return None
        return Verdicts(codes, lambda code: unresolvable(*reasons[code - 1]))

    def _bound_usable(self, claims: PodClaims, rows: Rows) -> tuple[BoolVector, bool]:
        """Where the volumes already bound can be used, and whether they all exist."""
        # upstream: checkBoundClaims
        usable: BoolVector = np.ones(len(rows), np.bool_)
        for claim in claims.bound:
            volume = self._binder.volume(claim["spec"]["volumeName"])
            if volume is None:
                return np.ones(len(rows), np.bool_), False
            required = objects.nested(volume, "spec", "nodeAffinity", "required")
            if required is not None:
                usable &= node_selector(required).matches(self.handle.snapshot, rows)
        return usable, True

    def _reasons(
        self, volumes: _Volumes, row: int, *, usable: bool, all_exist: bool
    ) -> tuple[str, ...]:
        reasons = [] if usable else [NODE_CONFLICT]
        found = PodVolumes()
        if volumes.claims.delayed:
            found, against = self._binder.find(volumes.claims, self.handle.snapshot.node(row))
            reasons.extend(against)
        if not all_exist:
            reasons.append(NO_SUCH_VOLUME)
        if not reasons:
            volumes.by_node[self.handle.snapshot.names[row]] = found
        return tuple(reasons)

    # Choosing among nodes.

    def pre_score(self, state: CycleState, rows: Rows) -> Status | None:
        volumes = state.find(_Volumes)
        return None if volumes is not None and volumes.claims.delayed else SKIP

    def score(self, state: CycleState, rows: Rows) -> IntVector:
        volumes, names = state.get(_Volumes), self.handle.snapshot.names
        scores = (self._score_of(volumes.by_node.get(names[row])) for row in rows)
        return np.fromiter(scores, np.int64, len(rows))

    def _score_of(self, volumes: PodVolumes | None) -> int:
        """The fuller the storage would be the worse, per storage class."""
        if volumes is None:
            return 0
        requested: defaultdict[str, int] = defaultdict(int)
        capacity: defaultdict[str, int] = defaultdict(int)
        if volumes.bindings:
            for volume, claim in volumes.bindings:
                requested[class_of(volume)] += -(-requested_storage(claim) // UNIT)
                capacity[class_of(volume)] += -(-storage_capacity(volume) // UNIT)
        else:
            for provision in volumes.provisions:
                if provision.capacity is not None:
                    name = class_of(provision.claim)
                    total = nano(str(provision.capacity.get("capacity", "0")))
                    requested[name] += -(-requested_storage(provision.claim) // UNIT)
                    capacity[name] = -(-total // UNIT)
        if not requested:
            return 0
        scores = [self._class_score(requested[name], capacity[name]) for name in requested]
        return int(sum(scores) / len(scores) + 0.5)

    def _class_score(self, requested: int, capacity: int) -> int:
        if not capacity or requested > capacity:
            return self._score(100)
        return self._score(requested * 100 // capacity)

    # Taking the node.

    def reserve(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        volumes = state.find(_Volumes)
        if volumes is not None:
            found = volumes.by_node.get(node)
            volumes.all_bound = found is None or self._binder.assume(pod, node, found)
        return None

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
        volumes = state.find(_Volumes)
        if volumes is not None and node in volumes.by_node:
            self._binder.revert(volumes.by_node[node])

    def pre_bind_pre_flight(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        volumes = state.find(_Volumes)
        return SKIP if volumes is None or volumes.all_bound else None

    async def pre_bind(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        await self._binder.bind(pod, state.get(_Volumes).by_node[node])
        return None

    # What may help.

    def events_to_register(self) -> tuple[EventHint, ...]:
        changed = Action.ADD | Action.UPDATE
        node = ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL)
        return (
            EventHint(ClusterEvent(Resource.STORAGE_CLASS, changed), _topologies_changed),
            EventHint(ClusterEvent(Resource.PERSISTENT_VOLUME_CLAIM, changed), _is_own_claim),
            EventHint(ClusterEvent(Resource.PERSISTENT_VOLUME, changed)),
            EventHint(node),
            EventHint(ClusterEvent(Resource.CSI_NODE, changed), _migration_changed),
            EventHint(ClusterEvent(Resource.CSI_DRIVER, Action.UPDATE), _capacity_ignored_now),
            EventHint(ClusterEvent(Resource.CSI_STORAGE_CAPACITY, changed), _capacity_grew),
        )


def _topologies_changed(_pod: Object, old: Object | None, new: Object | None) -> bool:
    assert new is not None
    return old is None or old.get("allowedTopologies") != new.get("allowedTopologies")


def _is_own_claim(pod: Object, _old: Object | None, new: Object | None) -> bool:
    return new is not None and uses_claim(pod, new)


def _migration_changed(_pod: Object, old: Object | None, new: Object | None) -> bool:
    assert new is not None
    return old is None or (
        objects.annotations(old).get(_MIGRATED_PLUGINS)
        != objects.annotations(new).get(_MIGRATED_PLUGINS)
    )


def _capacity_ignored_now(pod: Object, old: Object | None, new: Object | None) -> bool:
    """Whether capacity is no longer checked for a driver that the pod uses inline."""
    assert new is not None
    uses_driver = any(
        objects.nested(volume, "csi", "driver") == objects.name(new)
        for volume in pod["spec"].get("volumes") or ()
    )
    return (
        uses_driver
        and bool(objects.nested(old, "spec", "storageCapacity"))
        and not objects.nested(new, "spec", "storageCapacity")
    )


def _capacity_grew(_pod: Object, old: Object | None, new: Object | None) -> bool:
    assert new is not None
    if old is None:
        return True
    before, after = volume_limit(old), volume_limit(new)
    return after is not None and (before is None or after > before)
