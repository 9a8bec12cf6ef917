"""Keeps within the number of volumes that a CSI driver can attach to a node."""

# upstream: pkg/scheduler/framework/plugins/nodevolumelimits/csi.go

import secrets
from collections import Counter
from collections.abc import Iterator

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.volumes import class_of
from pykube_cp.scheduler.events import (
    ASSIGNED_POD_DELETE,
    Action,
    ClusterEvent,
    EventHint,
    Resource,
)
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.interface import (
    SKIP,
    Arguments,
    CycleState,
    FilterPlugin,
    PreFilterPlugin,
    Status,
    Verdicts,
    unresolvable,
    unschedulable,
)
from pykube_cp.scheduler.kinds import (
    CSI_DRIVERS,
    CSI_NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    STORAGE_CLASSES,
    VOLUME_ATTACHMENTS,
)
from pykube_cp.scheduler.pod_info import is_assigned, nominated_node
from pykube_cp.scheduler.shared.volumes import check_owned, claim_not_found, claim_refs, uses_claim
from pykube_cp.scheduler.vectors import Rows, zeros

_EXCEEDED = "node(s) exceed max volume count"
_BY_NODE = "va.spec.nodename"
Attached = dict[str, str]


class _MissingClaimError(Exception):
    """A claim of the pod is not there."""


class NodeVolumeLimits(PreFilterPlugin, FilterPlugin):
    """Counts distinct volumes by driver: of the pods on the node, and attached besides."""

    name = "NodeVolumeLimits"

    def __init__(self, handle: Handle, arguments: Arguments) -> None:
        super().__init__(handle, arguments)
        # Volumes not provisioned yet have no handle of their own.
        self._prefix = secrets.token_hex(16)
        handle.informers.of(VOLUME_ATTACHMENTS).add_index(_BY_NODE, _node_of_attachment)

    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        return None if any(claim_refs(state.pod.pod)) else SKIP

    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        try:
            wanted = self._volumes_of(state.pod.pod, strict=True)
        except _MissingClaimError as error:
            reason = str(error)
            return Verdicts(zeros(len(rows)) + 1, lambda _code: unresolvable(reason))
        return self._verdicts(wanted, rows) if wanted else None

    def _verdicts(self, wanted: Attached, rows: Rows) -> Verdicts | None:
        reasons: list[str] = []
        codes = zeros(len(rows))
        for place, row in enumerate(rows.tolist()):
            reason = self._objection(row, wanted)
            if reason:
                if reason not in reasons:
                    reasons.append(reason)
                codes[place] = reasons.index(reason) + 1
        return Verdicts(codes, lambda code: unschedulable(reasons[code - 1])) if reasons else None

    def _objection(self, row: int, wanted: Attached) -> str:
        csi_node = self.handle.get(CSI_NODES, self.handle.snapshot.names[row])
        drivers: list[Object] = objects.nested(csi_node, "spec", "drivers", default=[])
        installed = {driver["name"] for driver in drivers}
        for driver in wanted.values():
            if driver not in installed and self._must_be_installed(driver):
                return f"{driver} CSI driver is not installed on the node"
        limits = {
            driver["name"]: limit
            for driver in drivers
            if (limit := objects.nested(driver, "allocatable", "count")) is not None
        }
        if limits.keys().isdisjoint(wanted.values()):
            return ""
        attached = self._attached(row)
        present = Counter(attached.values())
        new = Counter(driver for volume, driver in wanted.items() if volume not in attached)
        over = any(
            present[driver] + count > limits[driver]
            for driver, count in new.items()
            if driver in limits
        )
        return _EXCEEDED if over else ""

    def _must_be_installed(self, driver: str) -> bool:
        # upstream: checkCSIDriverOnNode
        found = self.handle.get(CSI_DRIVERS, driver)
        return bool(objects.nested(found, "spec", "preventPodSchedulingIfMissing"))

    def _attached(self, row: int) -> Attached:
        """Volumes on a node: those of its pods, and those that are attached for whatever reason."""
        found: Attached = {}
        for pod in self.handle.snapshot.pods[row].values():
            found.update(self._volumes_of(pod.pod, strict=False))
        attachments = self.handle.informers.of(VOLUME_ATTACHMENTS).lister
        for attachment in attachments.by_index(_BY_NODE, self.handle.snapshot.names[row]):
            name = objects.nested(attachment, "spec", "source", "persistentVolumeName")
            volume = self.handle.get(PERSISTENT_VOLUMES, name) if name else None
            handle = objects.nested(volume, "spec", "csi", "volumeHandle")
            driver = attachment["spec"].get("attacher")
            if driver and handle is not None:
                found[f"{driver}/{handle}"] = driver
        return found

    def _volumes_of(self, pod: Object, *, strict: bool) -> Attached:
        """Volumes to be attached, unique name -> driver; missing claims are an error if strict."""
        # upstream: filterAttachableVolumes
        found: Attached = {}
        namespace = objects.namespace(pod)
        for ref in claim_refs(pod):
            if not ref.name:
                raise ValueError("PersistentVolumeClaim had no name")
            claim = self.handle.get(PERSISTENT_VOLUME_CLAIMS, ref.name, namespace)
            if claim is None:
                if strict:
                    raise _MissingClaimError(
                        f"looking up PVC {namespace}/{ref.name}: {claim_not_found(ref.name)}"
                    )
                continue
            if ref.ephemeral:
                check_owned(pod, claim)
            driver, handle = self._driver_of(claim)
            if driver and handle:
                found[f"{driver}/{handle}"] = driver
        return found

    def _driver_of(self, claim: Object) -> tuple[str, str]:
        """Driver and volume handle of a claim, empty if its volume is not CSI's."""
        # upstream: getCSIDriverInfo, getCSIDriverInfoFromSC
        name = claim["spec"].get("volumeName")
        volume = self.handle.get(PERSISTENT_VOLUMES, name) if name else None
        if volume is not None:
            source = volume["spec"].get("csi") or {}
            return source.get("driver", ""), source.get("volumeHandle", "")
        class_name = class_of(claim)
        storage_class = self.handle.get(STORAGE_CLASSES, class_name) if class_name else None
        if storage_class is None:
            return "", ""
        return storage_class.get("provisioner", ""), f"{self._prefix}-{objects.key(claim)}"

    def events_to_register(self) -> tuple[EventHint, ...]:
        return (
            EventHint(ClusterEvent(Resource.CSI_NODE, Action.ADD)),
            EventHint(ClusterEvent(Resource.CSI_NODE, Action.UPDATE), _limit_grew),
            EventHint(ASSIGNED_POD_DELETE, _detaches),
            EventHint(ClusterEvent(Resource.PERSISTENT_VOLUME_CLAIM, Action.ADD), _is_own_claim),
            EventHint(ClusterEvent(Resource.VOLUME_ATTACHMENT, Action.DELETE), _has_claims),
        )


def _node_of_attachment(attachment: Object) -> tuple[str, ...]:
    return (attachment["spec"].get("nodeName") or "",)


def _limits(csi_node: Object | None) -> Iterator[tuple[str, int]]:
    for driver in objects.nested(csi_node, "spec", "drivers", default=()):
        yield driver["name"], objects.nested(driver, "allocatable", "count", default=0)


def _limit_grew(_pod: Object, old: Object | None, new: Object | None) -> bool:
    before = dict(_limits(old))
    return any(limit > before.get(driver, 0) for driver, limit in _limits(new))


def _has_claims(pod: Object, _old: Object | None, _new: Object | None) -> bool:
    return any(True for _ in claim_refs(pod))


def _detaches(_pod: Object, old: Object | None, _new: Object | None) -> bool:
    return (
        old is not None
        and bool(is_assigned(old) or nominated_node(old))
        and any(True for _ in claim_refs(old))
    )


def _is_own_claim(pod: Object, _old: Object | None, new: Object | None) -> bool:
    return new is not None and uses_claim(pod, new)
