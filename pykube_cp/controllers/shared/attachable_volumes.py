"""Which volumes of Pods have to be attached to a node before they can be mounted there."""
# upstream: pkg/controller/volume/attachdetach/util/util.go CreateVolumeSpec

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from pykube_cp.machinery import objects, volumes
from pykube_cp.machinery.objects import Object

_SHARED_MODES = frozenset({"ReadWriteMany", "ReadOnlyMany"})
Get = Callable[[str], Object | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachableVolume:
    """A volume as nodes name it; ``driver`` and ``handle`` are empty for what is not CSI.

    An ``exclusive`` volume may be attached to one node at a time.
    """

    unique_name: str
    name: str
    driver: str = ""
    handle: str = ""
    exclusive: bool = False

    def attachment_name(self, node: str) -> str:
        """Name of the VolumeAttachment to a node."""
        # upstream: pkg/volume/csi/csi_attacher.go getAttachmentName
        text = f"{self.handle}{self.driver}{node}"
        return f"csi-{hashlib.sha256(text.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class VolumeLookup:
    """Where claims, volumes and drivers are found by key."""

    claims: Get
    volumes: Get
    drivers: Get

    def of_pod(self, pod: Object) -> list[AttachableVolume]:
        """The attachable volumes of a Pod, as far as its claims are bound."""
        found = (self._of_source(pod, volume) for volume in pod["spec"].get("volumes") or ())
        return [volume for volume in found if volume is not None]

    def _of_source(self, pod: Object, volume: Object) -> AttachableVolume | None:
        if source := volume.get("persistentVolumeClaim"):
            return self._of_claim(pod, source["claimName"])
        if volume.get("ephemeral") is not None:
            return self._of_claim(pod, volumes.ephemeral_claim_name(pod, volume))
        unique_name = _in_tree_name(volume)
        if not unique_name:
            return None
        return AttachableVolume(unique_name=unique_name, name=volume["name"])

    def _of_claim(self, pod: Object, name: str) -> AttachableVolume | None:
        claim = self.claims(objects.join_key(objects.namespace(pod), name))
        if claim is None or objects.nested(claim, "status", "phase") != "Bound":
            return None
        volume = self.volumes(claim["spec"].get("volumeName", ""))
        if volume is None:
            return None
        if objects.nested(volume, "spec", "claimRef", "uid") != objects.uid(claim):
            return None
        return self.of_volume(volume)

    def of_volume(self, volume: Object) -> AttachableVolume | None:
        """A PersistentVolume, if it is attachable."""
        spec, name = volume["spec"], objects.name(volume)
        modes = set(spec.get("accessModes") or ())
        exclusive = bool(modes) and not modes & _SHARED_MODES
        if csi := spec.get("csi"):
            if not self._needs_attachment(csi["driver"]):
                return None
            return AttachableVolume(
                unique_name=f"kubernetes.io/csi/{csi['driver']}^{csi['volumeHandle']}",
                name=name,
                driver=csi["driver"],
                handle=csi["volumeHandle"],
                exclusive=exclusive,
            )
        unique_name = _in_tree_name(spec)
        if not unique_name:
            return None
        return AttachableVolume(unique_name=unique_name, name=name, exclusive=exclusive)

    def _needs_attachment(self, driver: str) -> bool:
        found = self.drivers(driver)
        return found is None or found["spec"].get("attachRequired", True) is not False


def _in_tree_name(source: Object) -> str:
    """How nodes name an iSCSI or Fibre Channel volume, the only attachable ones left in tree."""
    if iscsi := source.get("iscsi"):
        lun = iscsi.get("lun", 0)
        return f"kubernetes.io/iscsi/{iscsi['targetPortal']}:{iscsi['iqn']}:{lun}"
    if channel := source.get("fc"):
        if wwns := channel.get("targetWWNs"):
            return f"kubernetes.io/fc/{_go_list(wwns)}:{channel.get('lun', 0)}"
        return f"kubernetes.io/fc/{_go_list(channel.get('wwids') or [])}"
    return ""


def _go_list(items: list[str]) -> str:
    return f"[{' '.join(items)}]"
