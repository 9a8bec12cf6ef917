"""Kinds that extend the API."""

from pykube_cp.machinery import clock, names
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import Deletion, WriteContext
from pykube_cp.resources.shared.spec_and_status import KeptMetaStatusStrategy, SpecAndStatusStrategy


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


class APIServiceStatusStrategy(KeptMetaStatusStrategy):
    """``apiservices/status``."""
