"""Kinds of ``storage.k8s.io`` and ``storagemigration.k8s.io``."""

import re
from collections.abc import Iterable, Iterator

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import Strategy, WriteContext
from pykube_cp.registry.validation import IMMUTABLE, validate_immutable
from pykube_cp.resources.shared import conditions, features, node_labels
from pykube_cp.resources.shared.checks import invalid
from pykube_cp.resources.shared.go_names import internal
from pykube_cp.resources.shared.immutable import ImmutableFields
from pykube_cp.resources.shared.spec_and_status import (
    SpecAndStatusStrategy,
    VersionedStatusStrategy,
)

_TOKENS = (
    "spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to "
    "prevent possible logging of tokens in volume attributes"
)
_MIGRATION_SPEC = "io.k8s.api.storagemigration.v1.StorageVersionMigrationSpec"
_ENDS = ("Succeeded", "Failed")
_is_version = re.compile("[1-9][0-9]*").fullmatch


class StorageClassStrategy(ImmutableFields):
    """Storage classes."""

    # upstream: pkg/registry/storage/storageclass/strategy.go

    judges_name_again = True

    returns_deleted_object = True
    immutable = (("parameters",), ("provisioner",), ("reclaimPolicy",), ("volumeBindingMode",))

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        # upstream: pkg/api/storage/util.go GetWarningsForStorageClass
        return [
            f"{where.child('key')}: {node_labels.DEPRECATED[expression['key']]}"
            for where, expression in _topologies(obj)
            if expression.get("key") in node_labels.DEPRECATED
        ]

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return self.warnings_on_create(ctx, obj)


def _topologies(storage_class: Object) -> Iterator[tuple[Path, Object]]:
    """Every expression about labels of nodes, and where it is."""
    for position, term in enumerate(storage_class.get("allowedTopologies") or ()):
        where = Path("allowedTopologies").index(position).child("matchLabelExpressions")
        for index, expression in enumerate(term.get("matchLabelExpressions") or ()):
            yield where.index(index), expression


class VolumeAttachmentStrategy(ImmutableFields, SpecAndStatusStrategy):
    """Volume attachments."""

    # upstream: pkg/registry/storage/volumeattachment/strategy.go

    judges_name_again = True

    has_generation = False
    allow_unconditional_update = False
    returns_deleted_object = True
    immutable = (("spec",),)


class CSIDriverStrategy(ImmutableFields):
    """CSI drivers; generations are counted from the first change on."""

    # upstream: pkg/registry/storage/csidriver/strategy.go

    allow_unconditional_update = False
    returns_deleted_object = True
    immutable = (("spec", "volumeLifecycleModes"),)

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        if obj.get("spec") != old.get("spec"):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        now, before = obj["spec"].get("attachRequired"), old["spec"].get("attachRequired")
        found = validate_immutable(now, before, Path("spec", "attachedRequired"))
        return found + super().validate_update(ctx, obj, old)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        spec = obj.get("spec") or {}
        unset = spec.get("serviceAccountTokenInSecrets") is None
        return [_TOKENS] if spec.get("tokenRequests") and unset else []

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        now, before = (one["spec"].get("tokenRequests") or [] for one in (obj, old))
        return [] if now == before else self.warnings_on_create(ctx, obj)


class CSINodeStrategy(SpecAndStatusStrategy):
    """CSI nodes; of a driver only the number of volumes changes."""

    # upstream: pkg/registry/storage/csinode/strategy.go

    judges_name_again = True

    has_generation = False
    allow_unconditional_update = False
    returns_deleted_object = True

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        found = []
        now = {driver.get("name"): driver for driver in obj["spec"].get("drivers") or ()}
        for driver in old["spec"].get("drivers") or ():
            if driver.get("name") in now:
                pair = _fixed(now[driver["name"]]), _fixed(driver)
                found += validate_immutable(*pair, Path("spec", "drivers"))
        return found


def _fixed(driver: Object) -> Object:
    return {key: value for key, value in driver.items() if key != "allocatable"}


class CSINodeStatusStrategy(VersionedStatusStrategy):
    """``csinodes/status``; the health of storage belongs to a feature that is off."""

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        # upstream: pkg/registry/storage/csinode/strategy.go dropDisabledCSINodeFields
        super().prepare_for_update(ctx, obj, old)
        features.drop_own(obj.get("status") or {}, old.get("status"), "storageHealth")


class CSIStorageCapacityStrategy(ImmutableFields):
    """Storage capacities."""

    # upstream: pkg/registry/storage/csistoragecapacity/strategy.go

    judges_name_again = True

    allow_unconditional_update = False
    immutable = (("nodeTopology",), ("storageClassName",))

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return node_labels.warnings_for_selector(obj.get("nodeTopology"), Path("nodeTopology"))

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return self.warnings_on_create(ctx, obj)


class VolumeAttributesClassStrategy(Strategy):
    """Volume attributes classes."""

    # upstream: pkg/registry/storage/volumeattributesclass/strategy.go

    judges_name_again = True

    returns_deleted_object = True


class StorageVersionMigrationStrategy(SpecAndStatusStrategy):
    """Storage version migrations."""

    # upstream: pkg/registry/storagemigration/storagemigration/strategy.go

    has_generation = False
    allow_unconditional_update = False

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        now, before = obj.get("spec") or {}, old.get("spec") or {}
        if now == before:
            return []
        return [FieldError.invalid(Path("spec"), internal(now, _MIGRATION_SPEC), IMMUTABLE)]


class MigrationStatusStrategy(VersionedStatusStrategy):
    """``storageversionmigrations/status``."""

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        # upstream: storagemigration validation.go ValidateStorageVersionMigrationStatusUpdate
        status, before = obj.get("status") or {}, old.get("status") or {}
        version, where = status.get("resourceVersion") or "", Path("status", "resourceVersion")
        found = []
        if version and not _is_version(version):
            text = f"resource version is not well formed: {version}"
            found.append(FieldError.invalid(where, version, text))
        listed, path = status.get("conditions") or [], Path("status", "conditions")
        found += conditions.check(listed, path)
        if before.get("resourceVersion"):
            found += validate_immutable(version, before["resourceVersion"], where)
        return found + invalid(path, conditions.shown(listed), _contradictions(status, before))


def _contradictions(status: Object, old: Object) -> Iterable[str]:
    succeeded, failed = (conditions.is_true(status, kind) for kind in _ENDS)
    if succeeded and failed:
        yield "Both success and failed conditions cannot be true at the same time"
    if conditions.is_true(old, "Succeeded") and not succeeded:
        yield "Success condition cannot be set to false once it is true"
    if conditions.is_true(old, "Failed") and not failed:
        yield "Failed condition cannot be set to false once it is true"
