"""Kinds that extend the API."""

from typing import ClassVar

from pykube_cp.machinery import clock, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import validation
from pykube_cp.registry.strategy import Deletion, StatusStrategy, WriteContext
from pykube_cp.resources.shared import crd_checks
from pykube_cp.resources.shared.spec_and_status import SpecAndStatusStrategy


class CustomResourceDefinitionStrategy(SpecAndStatusStrategy):
    """Definitions; versions that were ever stored are remembered."""

    # upstream: apiextensions-apiserver pkg/registry/customresourcedefinition/strategy.go

    allow_unconditional_update = False
    precondition_text = "precondition failed"

    def begin_deletion(self, obj: Object, deletion: Deletion) -> bool:
        """Announced first: the objects go before their definition."""
        # upstream: apiextensions-apiserver pkg/registry/customresourcedefinition/etcd.go REST.Delete
        meta = obj["metadata"]
        if meta.get("deletionTimestamp"):
            return False
        meta["deletionTimestamp"] = clock.timestamp()
        known = meta.get("finalizers") or []
        if _CLEANUP not in known:
            meta["finalizers"] = [*known, _CLEANUP]
        _set_terminating(obj)
        return True

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        super().prepare_for_create(ctx, obj)
        obj["status"]["storedVersions"] = []
        _remember_stored(obj)

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        _remember_stored(obj)

    def validate(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        return crd_checks.check(obj, None)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return _metadata_again(obj, old) + crd_checks.check(obj, old)


class CustomResourceDefinitionStatusStrategy(StatusStrategy):
    """``customresourcedefinitions/status``."""

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return _metadata_again(obj, old)


def _metadata_again(obj: Object, old: Object) -> list[FieldError]:
    """Kinds without declared rules say twice what is wrong with their metadata."""
    meta, before = obj["metadata"], old["metadata"]
    return validation.validate_object_meta_update(meta, before, Path("metadata"))


_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


def _set_terminating(definition: Object) -> None:
    # upstream: apiextensions-apiserver pkg/apis/apiextensions/helpers.go SetCRDCondition
    condition = {
        "type": "Terminating",
        "status": "True",
        "lastTransitionTime": clock.timestamp(),
        "reason": "InstanceDeletionPending",
        "message": (
            "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
        ),
    }
    status = definition.get("status") or {}
    others = [each for each in status.get("conditions") or () if each["type"] != "Terminating"]
    definition["status"] = {**status, "conditions": [*others, condition]}


def _remember_stored(definition: Object) -> None:
    versions = definition["spec"].get("versions") or ()
    stored = next((version["name"] for version in versions if version.get("storage")), None)
    status = definition.get("status") or {}
    known = list(status.get("storedVersions") or [])
    if stored is not None and stored not in known:
        known.append(stored)
    definition["status"] = {**status, "storedVersions": known}


class APIServiceStrategy(SpecAndStatusStrategy):
    """API services; local ones are available at once."""

    # upstream: kube-aggregator pkg/registry/apiservice/strategy.go

    has_generation = False
    allow_unconditional_update = False

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        super().prepare_for_create(ctx, obj)
        if obj["spec"].get("service") is None:
            obj["status"]["conditions"] = [
                {
                    "type": "Available",
                    "status": "True",
                    "lastTransitionTime": clock.timestamp(),
                    "reason": "Local",
                    "message": "Local APIServices are always available",
                }
            ]

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.is_path_segment_name(name, prefix=prefix)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return _metadata_again(obj, old)


class APIServiceStatusStrategy(StatusStrategy):
    """``apiservices/status``, through which few metadata change."""

    reset_fields: ClassVar[Object] = {"f:metadata": {}, "f:spec": {}}

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        for field in ("labels", "annotations", "finalizers", "ownerReferences"):
            obj["metadata"].pop(field, None)
            if field in old["metadata"]:
                obj["metadata"][field] = old["metadata"][field]

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return _metadata_again(obj, old)
