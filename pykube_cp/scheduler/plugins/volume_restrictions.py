"""Keeps apart pods that must not use the same volume."""

# upstream: pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import (
    ASSIGNED_POD_DELETE,
    NODE_ADD,
    Action,
    ClusterEvent,
    EventHint,
    Resource,
)
from pykube_cp.scheduler.interface import (
    SKIP,
    CycleState,
    FilterPlugin,
    PreFilterPlugin,
    Status,
    Verdicts,
    unresolvable,
    unschedulable,
    verdicts,
)
from pykube_cp.scheduler.kinds import PERSISTENT_VOLUME_CLAIMS
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.shared.volumes import claim_not_found
from pykube_cp.scheduler.vectors import Rows, zeros

_STATUSES = (
    unschedulable("node(s) had no available disk"),
    unschedulable(
        "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
        "already in-use by another pod"
    ),
)
_DISK, _CLAIM = 1, 2
_EXCLUSIVE_SOURCES = ("gcePersistentDisk", "awsElasticBlockStore", "rbd", "iscsi")


@dataclass(slots=True)
class _Claims:
    """Claims of the pod that one pod may use at a time, and how often others use them."""

    exclusive: set[str]
    in_use: int
    disks: list[Object]


class VolumeRestrictions(PreFilterPlugin, FilterPlugin):
    """Disks that one node can attach once, and claims with access mode ReadWriteOncePod."""

    name = "VolumeRestrictions"
    follows_pods = True

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        pod = state.pod
        disks = [
            volume
            for volume in pod.volumes
            if any(volume.get(source) for source in _EXCLUSIVE_SOURCES)
        ]
        exclusive: set[str] = set()
        for key in pod.claims:
            _, _, name = key.partition("/")
            claim = self.handle.get(PERSISTENT_VOLUME_CLAIMS, name, pod.namespace)
            if claim is None:
                return unresolvable(claim_not_found(name))
            if "ReadWriteOncePod" in (claim["spec"].get("accessModes") or ()):
                exclusive.add(key)
        in_use = sum(key in self.handle.snapshot.index.claims for key in exclusive)
        if not disks and not in_use:
            return SKIP
        state.put(_Claims(exclusive, in_use, disks))
        return None

    def add_pod(self, state: CycleState, pod: PodInfo, row: int) -> None:
        claims = state.get(_Claims)
        claims.in_use += sum(key in claims.exclusive for key in pod.claims)

    def remove_pod(self, state: CycleState, pod: PodInfo, row: int) -> None:
        claims = state.get(_Claims)
        claims.in_use -= sum(key in claims.exclusive for key in pod.claims)

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        claims, pods = state.get(_Claims), self.handle.snapshot.pods
        codes = zeros(len(rows))
        if claims.in_use > 0:
            codes[:] = _CLAIM
        if claims.disks:
            taken = (
                any(_disk_conflict(claims.disks, other.volumes) for other in pods[row].values())
                for row in rows
            )
            codes[np.fromiter(taken, np.bool_, len(rows))] = _DISK
        return verdicts(codes, _STATUSES)

    def events_to_register(self) -> tuple[EventHint, ...]:
        claim = ClusterEvent(Resource.PERSISTENT_VOLUME_CLAIM, Action.ADD)
        return (
            EventHint(ASSIGNED_POD_DELETE, _frees_volume),
            EventHint(NODE_ADD),
            EventHint(claim, _names_claim),
        )


def _disk_conflict(volumes: Iterable[Object], others: Iterable[Object]) -> bool:
    others = list(others)
    return any(_same_disk(volume, other) for volume in volumes for other in others)


def _same_disk(volume: Object, other: Object) -> bool:
    """Whether both are the same disk and not both only read it."""
    # upstream: isVolumeConflict
    for source in _EXCLUSIVE_SOURCES:
        one, two = volume.get(source), other.get(source)
        if not one or not two:
            continue
        both_read = bool(one.get("readOnly") and two.get("readOnly"))
        if _is_same(source, one, two) and (source == "awsElasticBlockStore" or not both_read):
            return True
    return False


def _is_same(source: str, one: Object, two: Object) -> bool:
    if source == "rbd":
        monitors = set(one.get("monitors") or ())
        return not monitors.isdisjoint(two.get("monitors") or ()) and (
            (one.get("pool"), one.get("image")) == (two.get("pool"), two.get("image"))
        )
    key = {"gcePersistentDisk": "pdName", "awsElasticBlockStore": "volumeID", "iscsi": "iqn"}
    return bool(one.get(key[source]) == two.get(key[source]))


def _claim_names(pod: Object) -> set[str]:
    return {
        volume["persistentVolumeClaim"]["claimName"]
        for volume in pod["spec"].get("volumes") or ()
        if volume.get("persistentVolumeClaim")
    }


def _frees_volume(pod: Object, old: Object | None, _new: Object | None) -> bool:
    if old is None or objects.namespace(old) != objects.namespace(pod):
        return False
    volumes, others = (one["spec"].get("volumes") or () for one in (pod, old))
    return _disk_conflict(volumes, others) or not _claim_names(pod).isdisjoint(_claim_names(old))


def _names_claim(pod: Object, _old: Object | None, new: Object | None) -> bool:
    return (
        new is not None
        and objects.namespace(new) == objects.namespace(pod)
        and objects.name(new) in _claim_names(pod)
    )
