"""Kinds of ``resource.k8s.io``."""

from collections.abc import Iterator
from typing import Any, ClassVar

from pykube_cp.machinery import clock
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry.strategy import Rollback, Strategy, WriteContext
from pykube_cp.registry.validation import IMMUTABLE, validate_immutable
from pykube_cp.resources.shared import conditions, device_access, device_status, features
from pykube_cp.resources.shared.go_names import internal
from pykube_cp.resources.shared.spec_and_status import (
    KeptMetaStatusStrategy,
    SpecAndStatusStrategy,
)

_STATUS = Path("status")
_TEMPLATE_SPEC = "io.k8s.api.resource.v1.ResourceClaimTemplateSpec"
_POOL_STATUS = "io.k8s.api.resource.v1alpha3.ResourcePoolStatusRequestStatus"
_LISTS = ("bools", "ints", "strings", "versions")

Owners = Iterator[Object]


# Claims.


def _asked(spec: Object) -> Owners:
    """What asks for devices: each request, or its alternatives."""
    for request in nested(spec, "devices", "requests", default=()) or ():
        if request.get("exactly") is not None:
            yield request["exactly"]
        yield from request.get("firstAvailable") or ()


def _allocated(obj: Object) -> Owners:
    yield from device_status.results(obj.get("status") or {})


class ResourceClaimStrategy(SpecAndStatusStrategy):
    """Claims for devices."""

    # upstream: pkg/registry/resource/resourceclaim/strategy.go

    has_generation = False
    returns_deleted_object = True

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        before = old["spec"] if old is not None else None
        features.drop(_asked, obj["spec"], before, "derivedAttributes")

    async def begin_create(self, ctx: WriteContext, obj: Object) -> Rollback | None:
        await device_access.check_requests(ctx, obj["spec"].get("devices") or {})
        return None

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        found = validate_immutable(obj["spec"], old["spec"], Path("spec"))
        return [error.by_declaration("immutable") for error in found]


class ResourceClaimStatusStrategy(KeptMetaStatusStrategy):
    """``resourceclaims/status``."""

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        features.drop(_allocated, obj, old, "skipNodeOperations")
        _drop_deallocated(obj, old)

    async def begin_update(self, ctx: WriteContext, obj: Object, old: Object) -> Rollback | None:
        await device_access.check_status(ctx, obj.get("status") or {}, old.get("status") or {})
        return None

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return device_status.check(obj, old, _STATUS)


def _drop_deallocated(obj: Object, old: Object) -> None:
    """What was reported on devices that the claim no longer has."""
    # upstream: dropDeallocatedStatusDevices
    status = obj.get("status") or {}
    if not status.get("devices"):
        return
    gone = {device_status.id_of(result) for result in _allocated(old)}
    gone -= {device_status.id_of(result) for result in _allocated(obj)}
    kept = [device for device in status["devices"] if device_status.id_of(device) not in gone]
    if kept:
        status["devices"] = kept
    else:
        del status["devices"]


class ResourceClaimTemplateStrategy(Strategy):
    """Templates of claims."""

    # upstream: pkg/registry/resource/resourceclaimtemplate/strategy.go

    returns_deleted_object = True

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        features.drop(_asked, obj["spec"].get("spec") or {}, None, "derivedAttributes")

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        before = old["spec"].get("spec") or {}
        features.drop(_asked, obj["spec"].get("spec") or {}, before, "derivedAttributes")

    async def begin_create(self, ctx: WriteContext, obj: Object) -> Rollback | None:
        await device_access.check_requests(ctx, nested(obj, "spec", "spec", "devices", default={}))
        return None

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        if not validate_immutable(obj["spec"], old["spec"], Path("spec")):
            return []
        shown = internal(obj["spec"], _TEMPLATE_SPEC)
        return [FieldError.invalid(Path("spec"), shown, IMMUTABLE)]


# Classes and slices.


class DeviceClassStrategy(Strategy):
    """Device classes."""

    # upstream: pkg/registry/resource/deviceclass/strategy.go

    has_generation = True
    returns_deleted_object = True
    name_origin = "format=k8s-long-name"


def _devices(slice_: Object) -> Owners:
    yield from slice_["spec"].get("devices") or ()


def _consumptions(slice_: Object) -> Owners:
    for device in _devices(slice_):
        yield from device.get("consumesCounters") or ()


def _attributes(slice_: Object) -> Owners:
    for device in _devices(slice_):
        yield from (device.get("attributes") or {}).values()


def _spec(obj: Object) -> Owners:
    yield obj["spec"]


class ResourceSliceStrategy(Strategy):
    """Resource slices."""

    # upstream: pkg/registry/resource/resourceslice/strategy.go

    has_generation = True
    returns_deleted_object = True

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        self._prepare(obj, None)

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        self._prepare(obj, old)

    def _prepare(self, obj: Object, old: Object | None) -> None:
        features.drop(_consumptions, obj, old, "compatibilityGroups")
        features.drop(_devices, obj, old, "nodeAllocatableResources")
        features.drop(_attributes, obj, old, *_LISTS)
        features.drop(_spec, obj, old, "partitionTypeAttribute")
        features.drop(_spec, obj, old, "skipNodeOperations")

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        driver = obj["spec"].get("driver") or ""
        if driver == driver.lower():
            return []
        text = "driver names should be lowercase"
        return [f"spec.driver: {text}; {quote(driver)} contains uppercase characters"]

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return self.warnings_on_create(ctx, obj)


# Taints.


class DeviceTaintRuleStrategy(SpecAndStatusStrategy):
    """Taints of devices, by rule; only older versions may be written whatever was there."""

    # upstream: pkg/registry/resource/devicetaintrule/strategy.go

    allow_unconditional_update = False

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        """The time belongs to the effect."""
        if old is None:
            return
        now, before = obj["spec"].get("taint") or {}, old["spec"].get("taint") or {}
        if now.get("effect") != before.get("effect"):
            if now.get("timeAdded") == before.get("timeAdded"):
                now["timeAdded"] = clock.timestamp()


class OlderDeviceTaintRuleStrategy(DeviceTaintRuleStrategy):
    """Taint rules of the versions before ``v1``."""

    allow_unconditional_update = True


class DeviceTaintRuleStatusStrategy(KeptMetaStatusStrategy):
    """``devicetaintrules/status``."""

    allow_unconditional_update = False
    max_conditions = 8

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        given = nested(obj, "status", "conditions", default=()) or ()
        where = _STATUS.child("conditions")
        found = conditions.check(given, where)
        if len(given) > self.max_conditions:
            found.append(FieldError.too_many(where, len(given), self.max_conditions))
        return found


class OlderDeviceTaintRuleStatusStrategy(DeviceTaintRuleStatusStrategy):
    """The same of the versions before ``v1``."""

    allow_unconditional_update = True


# Requests for the status of pools.


class ResourcePoolStatusRequestStrategy(Strategy):
    """Questions about the devices of a driver."""

    # upstream: pkg/registry/resource/resourcepoolstatusrequest/strategy.go

    allow_unconditional_update = False
    reset_fields: ClassVar[Object] = {"f:status": {}}
    returns_deleted_object = True

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        obj.pop("status", None)
        features.drop(_spec, obj, None, "defaultPartitionTypeAttribute")

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        obj.pop("status", None)
        if "status" in old:
            obj["status"] = old["status"]
        features.drop(_spec, obj, old, "defaultPartitionTypeAttribute")


class ResourcePoolStatusRequestStatusStrategy(KeptMetaStatusStrategy):
    """Answers, which are given once."""

    allow_unconditional_update = False

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        # upstream: pkg/apis/resource/validation/validation_resourcepoolstatusrequest.go
        now, before = obj.get("status"), old.get("status")
        if before is not None:
            shown: Any = internal(now, _POOL_STATUS) if now is not None else None
            return [
                FieldError.invalid(_STATUS, shown, error.detail)
                for error in validate_immutable(now, before, _STATUS)
            ]
        return conditions.check((now or {}).get("conditions") or (), _STATUS.child("conditions"))
