"""Pods: themselves, and through their subresources."""
# upstream: pkg/registry/core/pod/strategy.go

from typing import ClassVar

from pykube_cp.machinery import addresses, clock, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import Deletion, Strategy, WriteContext
from pykube_cp.resources.shared import (
    pod_fields,
    pod_level_resources,
    pod_quality,
    pod_resize,
    pod_selectors,
    pod_status_updates,
    pod_updates,
    pod_warnings,
    security_annotations,
)
from pykube_cp.resources.shared.meta import keep_meta_for_status

_ENDED = {"Failed", "Succeeded"}
_KEPT_CLAIM_STATUS = (
    "resourceClaimStatuses",
    "extendedResourceClaimStatus",
    "nodeAllocatableResourceClaimStatuses",
)


class PodStrategy(Strategy):
    """Pods as clients write them."""

    judges_name_again = True

    has_generation = True
    reset_fields: ClassVar[Object] = {"f:status": {}}
    returns_deleted_object = True

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        obj["status"] = {"phase": "Pending"}
        pod_fields.drop_disabled(obj, None)
        if obj["spec"].get("schedulingGates"):
            now = clock.timestamp()
            obj["status"]["conditions"] = [_GATED | {"lastTransitionTime": now}]
        pod_selectors.apply_label_keys(obj)
        ctx.warnings.extend(security_annotations.sync(obj))
        pod_level_resources.set_defaults(obj)
        obj["status"]["qosClass"] = pod_quality.quality_of(obj)

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status") or {}
        _keep_pod_level_resources(obj, old)
        pod_fields.drop_disabled(obj, old)

    def validate(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        return pod_updates.validate_on_create(obj)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return pod_updates.validate_update(obj, old)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        found = []
        texts = names.is_dns1123_label(obj["metadata"].get("name", ""))
        if texts:
            found.append(
                "metadata.name: this is used in the Pod's hostname, which can result in surprising "
                f"behavior; a DNS label is recommended: [{' '.join(texts)}]"
            )
        return found + pod_warnings.warnings_for_pod(obj)

    def check_graceful_delete(self, obj: Object, deletion: Deletion) -> bool:
        """Pods that run nowhere, or no more, are gone at once."""
        spec = obj["spec"]
        period = deletion.grace_period_seconds
        if period is None:
            period = spec.get("terminationGracePeriodSeconds") or 0
        if not spec.get("nodeName") or (obj.get("status") or {}).get("phase") in _ENDED:
            period = 0
        deletion.grace_period_seconds = 1 if period < 0 else period
        return True


class PodStatusStrategy(PodStrategy):
    """``pods/status``, which kubelets write."""

    has_generation = False
    reset_fields: ClassVar[Object] = {
        "f:metadata": {"f:deletionTimestamp": {}, "f:ownerReferences": {}},
        "f:spec": {},
    }

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        obj["spec"] = old["spec"]
        obj["metadata"].pop("deletionTimestamp", None)
        keep_owners(obj, old)
        status, before = obj.setdefault("status", {}), old.get("status") or {}
        if not status.get("qosClass") and before.get("qosClass"):
            status["qosClass"] = before["qosClass"]
        for field in _KEPT_CLAIM_STATUS:
            if status.get(field) is None and before.get(field) is not None:
                status[field] = before[field]
        _keep_observed_generation(status, before)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return pod_status_updates.validate(obj, old)

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        found = []
        for field in ("podIPs", "hostIPs"):
            for position, item in enumerate(obj["status"].get(field) or ()):
                path = Path("status", field).index(position).child("ip")
                found += addresses.warnings_for_ip(path, item.get("ip", ""))
        return found


class PodEphemeralContainersStrategy(PodStrategy):
    """``pods/ephemeralcontainers``: they may be added."""

    reset_fields: ClassVar[Object] = {}

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        added = (obj.get("spec") or {}).get("ephemeralContainers")
        obj["spec"] = dict(old["spec"])
        obj["spec"].pop("ephemeralContainers", None)
        if added:
            obj["spec"]["ephemeralContainers"] = added
        obj["status"] = old.get("status") or {}
        keep_meta_for_status(obj, old)
        pod_fields.drop_disabled(obj, old)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return pod_updates.validate_ephemeral_containers(obj, old)


class PodResizeStrategy(PodStrategy):
    """``pods/resize``: resources of containers may change."""

    reset_fields: ClassVar[Object] = {}

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        pod_resize.keep_resizable(obj, old)
        keep_meta_for_status(obj, old)
        _keep_pod_level_resources(obj, old)
        pod_level_resources.set_defaults(obj)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return pod_resize.validate(obj, old)


_GATED: Object = {
    "type": "PodScheduled",
    "status": "False",
    "lastProbeTime": None,
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


def keep_owners(obj: Object, old: Object) -> None:
    """Old kubelets spoil owner references."""
    obj["metadata"].pop("ownerReferences", None)
    if owners := old["metadata"].get("ownerReferences"):
        obj["metadata"]["ownerReferences"] = owners


def _keep_pod_level_resources(obj: Object, old: Object) -> None:
    """For clients that do not know the field."""
    kept = old["spec"].get("resources")
    if obj["spec"].get("resources") is None and kept is not None:
        obj["spec"]["resources"] = {
            field: dict(kept[field]) if isinstance(kept[field], dict) else kept[field]
            for field in kept
        }


def _keep_observed_generation(status: Object, before: Object) -> None:
    """A client that leaves it out does not clear it."""
    # upstream: preserveOldObservedGeneration
    if not status.get("observedGeneration") and before.get("observedGeneration"):
        status["observedGeneration"] = before["observedGeneration"]
    known: dict[str, list[int]] = {}
    for condition in before.get("conditions") or ():
        seen = known.setdefault(condition.get("type", ""), [])
        seen.append(condition.get("observedGeneration") or 0)
    for condition in status.get("conditions") or ():
        left = known.get(condition.get("type", ""))
        generation = left.pop(0) if left else 0
        if not condition.get("observedGeneration") and generation:
            condition["observedGeneration"] = generation
