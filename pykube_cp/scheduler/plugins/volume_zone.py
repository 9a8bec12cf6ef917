"""Volumes labelled with a zone or region can be used there only."""

# upstream: pkg/scheduler/framework/plugins/volumezone/volume_zone.go

from dataclasses import dataclass

import numpy as np

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.volumes import class_of
from pykube_cp.scheduler.events import Action, ClusterEvent, EventHint, Resource
from pykube_cp.scheduler.interface import (
    SKIP,
    CycleState,
    FilterPlugin,
    PreFilterPlugin,
    Status,
    Verdicts,
    unresolvable,
    verdicts,
)
from pykube_cp.scheduler.kinds import (
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    STORAGE_CLASSES,
)
from pykube_cp.scheduler.shared.volumes import claim_not_found
from pykube_cp.scheduler.vectors import BoolVector, Rows

_CONFLICT = (unresolvable("node(s) had no available volume zone"),)
_CURRENT_LABEL = {
    "failure-domain.beta.kubernetes.io/zone": "topology.kubernetes.io/zone",
    "failure-domain.beta.kubernetes.io/region": "topology.kubernetes.io/region",
}
_LABELS = (*_CURRENT_LABEL, *_CURRENT_LABEL.values())
_DELIMITER = "__"
Topology = tuple[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Topologies:
    """Labels that the node must have, and the values that will do."""

    topologies: list[Topology]


class VolumeZone(PreFilterPlugin, FilterPlugin):
    """By labels of PersistentVolumes; node affinity of volumes is VolumeBinding's."""

    name = "VolumeZone"

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        topologies: list[Topology] = []
        for key in state.pod.claims:
            _, _, name = key.partition("/")
            volume = self._volume(name, state.pod.namespace)
            if isinstance(volume, Status):
                return volume
            topologies.extend(_topologies(volume) if volume is not None else ())
        if not topologies:
            return SKIP
        state.put(_Topologies(topologies))
        return None

    def _volume(self, claim_name: str, namespace: str) -> Object | Status | None:
        """The claim's volume; None if it will be made for the node that is chosen."""
        # upstream: getPVbyPod
        if not claim_name:
            return unresolvable("PersistentVolumeClaim had no name")
        claim = self.handle.get(PERSISTENT_VOLUME_CLAIMS, claim_name, namespace)
        if claim is None:
            return unresolvable(claim_not_found(claim_name))
        volume_name = claim["spec"].get("volumeName")
        if volume_name:
            volume = self.handle.get(PERSISTENT_VOLUMES, volume_name)
            if volume is None:
                return unresolvable(f'persistentvolume "{volume_name}" not found')
            return volume
        class_name = class_of(claim)
        if not class_name:
            return unresolvable("PersistentVolumeClaim had no pv name and storageClass name")
        storage_class = self.handle.get(STORAGE_CLASSES, class_name)
        if storage_class is None:
            return unresolvable(f'storageclass.storage.k8s.io "{class_name}" not found')
        mode = storage_class.get("volumeBindingMode")
        if mode is None:
            return unresolvable(f'VolumeBindingMode not set for StorageClass "{class_name}"')
        return (
            None if mode == "WaitForFirstConsumer" else unresolvable("PersistentVolume had no name")
        )

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        label = self.handle.snapshot.label
        labelled: BoolVector = np.zeros(len(rows), np.bool_)
        for key in _LABELS:
            labelled |= label(key).has(rows)
        matched: BoolVector = np.ones(len(rows), np.bool_)
        for key, values in state.get(_Topologies).topologies:
            column = label(key)
            here = column.is_any_of(values, rows)
            if key in _CURRENT_LABEL:
                current = label(_CURRENT_LABEL[key]).is_any_of(values, rows)
                here = np.where(column.has(rows), here, current)
            matched &= here
        # A node without any such label is in a cluster that has no zones.
        return verdicts((labelled & ~matched).astype(np.int64), _CONFLICT)

    def events_to_register(self) -> tuple[EventHint, ...]:
        changed = Action.ADD | Action.UPDATE
        claim = ClusterEvent(Resource.PERSISTENT_VOLUME_CLAIM, changed)
        volume = ClusterEvent(Resource.PERSISTENT_VOLUME, changed)
        node = ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL)
        return (
            EventHint(ClusterEvent(Resource.STORAGE_CLASS, Action.ADD), _waits_for_consumer),
            EventHint(node),
            EventHint(claim, _is_used),
            EventHint(volume, _topology_changed),
        )


def _topologies(volume: Object) -> list[Topology]:
    found = []
    for key in _LABELS:
        text = objects.labels(volume).get(key)
        if text is None:
            continue
        values = [value.strip() for value in text.split(_DELIMITER)]
        if all(values):
            found.append((key, frozenset(values)))
    return found


def _is_used(pod: Object, _old: Object | None, new: Object | None) -> bool:
    if new is None or objects.namespace(new) != objects.namespace(pod):
        return False
    return any(
        objects.nested(volume, "persistentVolumeClaim", "claimName") == objects.name(new)
        for volume in pod["spec"].get("volumes") or ()
    )


def _waits_for_consumer(_pod: Object, _old: Object | None, new: Object | None) -> bool:
    return new is not None and new.get("volumeBindingMode") == "WaitForFirstConsumer"


def _topology_changed(_pod: Object, old: Object | None, new: Object | None) -> bool:
    return old is None or new is None or _topologies(old) != _topologies(new)
