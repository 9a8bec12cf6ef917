"""Writing what binds a PersistentVolume and a claim: first the volume, then the claim."""
# upstream: pkg/controller/volume/persistentvolume/pv_controller.go bind

from dataclasses import dataclass

from pykube_cp.client.interface import Client
from pykube_cp.client.recorder import Recorder
from pykube_cp.controllers.shared.cluster_kinds import PERSISTENT_VOLUMES
from pykube_cp.controllers.shared.kinds import PERSISTENT_VOLUME_CLAIMS
from pykube_cp.controllers.shared.volume_claims import PRE_RESIZE_CAPACITY
from pykube_cp.controllers.shared.written import WrittenObjects
from pykube_cp.machinery import objects, quantity, volumes
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.volumes import BIND_COMPLETED, BOUND_BY_CONTROLLER, is_bound_to

# Of a claim's status, what follows from its volume.
_FROM_VOLUME = ("accessModes", "capacity", "currentVolumeAttributesClassName")


@dataclass(slots=True, kw_only=True)
class VolumeBinding:
    """Writes volumes and claims, and sees its own writes at once."""

    client: Client
    recorder: Recorder
    volumes: WrittenObjects
    claims: WrittenObjects

    async def bind(self, volume: Object, claim: Object) -> None:
        """Bring both to Bound; picks up where an earlier attempt has stopped."""
        volume = await self._bind_volume(volume, claim)
        volume = await self.set_volume_phase(volume, "Bound")
        claim = await self._bind_claim(claim, volume)
        await self.set_claim_phase(claim, "Bound", volume)

    async def _bind_volume(self, volume: Object, claim: Object) -> Object:
        # upstream: component-helpers storage/volume/pv_helpers.go GetBindVolumeToClaim
        by_user = is_bound_to(volume, claim)
        changed = objects.deep_copy(volume)
        reference = volume["spec"].get("claimRef") or {}
        if not by_user or reference.get("uid") != objects.uid(claim):
            changed["spec"]["claimRef"] = volumes.claim_reference(claim)
        if not by_user:
            _annotate(changed, BOUND_BY_CONTROLLER)
        return await self._write_volume(volume, changed)

    async def _bind_claim(self, claim: Object, volume: Object) -> Object:
        changed = objects.deep_copy(claim)
        if claim["spec"].get("volumeName") != objects.name(volume):
            changed["spec"]["volumeName"] = objects.name(volume)
            _annotate(changed, BOUND_BY_CONTROLLER)
        _annotate(changed, BIND_COMPLETED)
        return await self.write_claim(claim, changed)

    async def unbind(self, volume: Object) -> None:
        """Undo a binding; what a user has reserved stays reserved."""
        # upstream: pkg/controller/volume/persistentvolume/pv_controller.go unbindVolume
        changed = objects.deep_copy(volume)
        annotations = changed["metadata"].get("annotations") or {}
        if annotations.pop(BOUND_BY_CONTROLLER, None) is not None:
            del changed["spec"]["claimRef"]
        else:
            changed["spec"]["claimRef"].pop("uid", None)
        await self.set_volume_phase(await self._write_volume(volume, changed), "Available")

    async def _write_volume(self, before: Object, changed: Object) -> Object:
        if changed == before:
            return before
        return self.volumes.remember(await self.client.update(PERSISTENT_VOLUMES, changed))

    async def write_claim(self, before: Object, changed: Object) -> Object:
        """Update a claim's spec and metadata if they differ."""
        if changed == before:
            return before
        return self.claims.remember(await self.client.update(PERSISTENT_VOLUME_CLAIMS, changed))

    async def set_volume_phase(
        self, volume: Object, phase: str, reason: str = "", message: str = ""
    ) -> Object:
        """Set the phase if it differs; with ``reason`` a warning tells of the change."""
        if objects.nested(volume, "status", "phase") == phase:
            return volume
        changed = objects.deep_copy(volume)
        status = changed.setdefault("status", {})
        status["phase"] = phase
        status["message"] = message
        written = await self.client.update(PERSISTENT_VOLUMES, changed, subresource="status")
        if reason:
            self.recorder.event(written, "Warning", reason, message)
        return self.volumes.remember(written)

    async def set_claim_phase(
        self, claim: Object, phase: str, volume: Object | None = None
    ) -> Object:
        """Set the phase and what follows from the volume, if any of it differs."""
        # upstream: pkg/controller/volume/persistentvolume/pv_controller.go updateClaimStatus
        changed = objects.deep_copy(claim)
        status = changed.setdefault("status", {})
        before = status.get("phase")
        status["phase"] = phase
        if volume is None:
            for field in _FROM_VOLUME:
                status.pop(field, None)
        else:
            _take_from_volume(status, volume, before, phase)
        if changed == claim:
            return claim
        written = await self.client.update(PERSISTENT_VOLUME_CLAIMS, changed, subresource="status")
        return self.claims.remember(written)

    async def lose_claim(self, claim: Object, reason: str, message: str) -> None:
        """Set a claim to Lost and tell of it, once."""
        if objects.nested(claim, "status", "phase") != "Lost":
            lost = await self.set_claim_phase(claim, "Lost")
            self.recorder.event(lost, "Warning", reason, message)


def _take_from_volume(status: Object, volume: Object, before: str | None, phase: str) -> None:
    modes = volume["spec"].get("accessModes")
    if (status.get("accessModes") or None) != (modes or None):
        status["accessModes"] = modes
    # Once bound, the capacities may rightly differ: that of the claim is the file system's.
    if before != phase:
        wanted = _capacity_of(volume)
        current = objects.nested(status, "capacity", "storage")
        if current is None or quantity.parse(current) != quantity.parse(wanted["storage"]):
            status["capacity"] = wanted
    attributes_class = volume["spec"].get("volumeAttributesClassName")
    if before == "Pending" and phase == "Bound" and attributes_class:
        status["currentVolumeAttributesClassName"] = attributes_class


def _capacity_of(volume: Object) -> dict[str, str]:
    capacity: dict[str, str] = dict(volume["spec"].get("capacity") or {})
    before_resize = objects.annotations(volume).get(PRE_RESIZE_CAPACITY)
    return {"storage": before_resize} if before_resize else capacity


def _annotate(obj: Object, name: str) -> None:
    obj["metadata"].setdefault("annotations", {}).setdefault(name, "yes")
