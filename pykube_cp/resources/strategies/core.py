"""Small kinds of the core group."""

import uuid
from base64 import b64decode
from typing import ClassVar

from pykube_cp.machinery import addresses, clock, names, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity
from pykube_cp.registry.strategy import Deletion, StatusStrategy, Strategy, WriteContext
from pykube_cp.registry.validation import IMMUTABLE, validate_immutable
from pykube_cp.resources.shared import (
    claim_sources,
    claim_status,
    claim_warnings,
    event_checks,
    features,
    key_pairs,
    volume_updates,
    volume_warnings,
)
from pykube_cp.resources.shared.go_names import internal
from pykube_cp.resources.shared.spec_and_status import SpecAndStatusStrategy, empty_status

_FROZEN = "field is immutable when `immutable` is set"


def _frozen(obj: Object, old: Object, *fields: str) -> list[FieldError]:
    """Errors about an object that was declared immutable."""
    if not old.get("immutable"):
        return []
    found = []
    if not obj.get("immutable"):
        found.append(FieldError.forbidden(Path("immutable"), _FROZEN))
    for field in fields:
        if (obj.get(field) or {}) != (old.get(field) or {}):
            found.append(FieldError.forbidden(Path(field), _FROZEN))
    return found


class ConfigMapStrategy(Strategy):
    """Config maps."""

    # upstream: pkg/registry/core/configmap/strategy.go

    judges_name_again = True

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return _frozen(obj, old, "data", "binaryData")


class SecretStrategy(Strategy):
    """Secrets; ``stringData`` is only for writing."""

    # upstream: pkg/registry/core/secret/strategy.go, pkg/apis/core/v1/conversion.go

    judges_name_again = True

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        if not obj.get("type"):
            obj["type"] = old.get("type", "")

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        found = validate_immutable(obj.get("type"), old.get("type"), Path("type"))
        return found + _frozen(obj, old, "data")

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        if obj.get("type") != "kubernetes.io/tls":
            return []
        data = obj.get("data") or {}
        pair = [b64decode(data.get(key) or "") for key in ("tls.crt", "tls.key")]
        wrong = key_pairs.why_no_pair(*pair)
        return [wrong] if wrong else []

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return self.warnings_on_create(ctx, obj)


class NamespaceStrategy(Strategy):
    """Namespaces live until their content has gone."""

    # upstream: pkg/registry/core/namespace/strategy.go, storage/storage.go

    returns_deleted_object = True
    precondition_text = "Precondition failed"
    reset_fields: ClassVar[Object] = {"f:status": {}}

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        obj["status"] = {"phase": "Active"}
        spec = obj["spec"] = dict(obj.get("spec") or {})
        finalizers = list(spec.get("finalizers") or [])
        if "kubernetes" not in finalizers:
            finalizers.append("kubernetes")
        spec["finalizers"] = finalizers

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        spec = obj["spec"] = dict(obj.get("spec") or {})
        spec.pop("finalizers", None)
        if kept := (old.get("spec") or {}).get("finalizers"):
            spec["finalizers"] = kept
        obj["status"] = old.get("status") or {}

    def canonicalize(self, obj: Object) -> None:
        meta = obj["metadata"]
        meta["labels"] = {**(meta.get("labels") or {}), "kubernetes.io/metadata.name": meta["name"]}

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.is_dns1123_label(name, prefix=prefix)

    def begin_deletion(self, obj: Object, deletion: Deletion) -> bool:
        """Announced first: the phase tells everybody."""
        meta = obj["metadata"]
        if meta.get("deletionTimestamp"):
            return False
        meta["deletionTimestamp"] = clock.timestamp()
        obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}
        for finalizer, wanted in _wanted_finalizers(deletion.options).items():
            known = meta.get("finalizers") or []
            if wanted and finalizer not in known:
                meta["finalizers"] = [*known, finalizer]
            elif wanted is False and finalizer in known:
                meta["finalizers"] = [each for each in known if each != finalizer]
        if not meta.get("finalizers"):
            meta.pop("finalizers", None)
        return True

    def holds_on(self, obj: Object) -> bool:
        return bool((obj.get("spec") or {}).get("finalizers"))


def _wanted_finalizers(options: Object) -> dict[str, bool | None]:
    """Which finalizers a delete asks for; None leaves one as it is."""
    # upstream: pkg/registry/core/namespace/storage/storage.go shouldHaveOrphanFinalizer
    orphans, policy = options.get("orphanDependents"), options.get("propagationPolicy")
    if orphans is not None:
        return {"orphan": orphans, "foregroundDeletion": not orphans}
    if policy is not None:
        return {"orphan": policy == "Orphan", "foregroundDeletion": policy == "Foreground"}
    return {"orphan": None, "foregroundDeletion": None}


class NamespaceFinalizeStrategy(NamespaceStrategy):
    """``namespaces/finalize`` takes the new finalizers of the spec, keeps the status."""

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status") or {}


class NamespaceStatusStrategy(StatusStrategy):
    """``namespaces/status``."""

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        phase = (obj.get("status") or {}).get("phase", "")
        deleting = bool(obj["metadata"].get("deletionTimestamp"))
        if not deleting and phase != "Active":
            text = "may only be 'Active' if `deletionTimestamp` is empty"
        elif deleting and phase != "Terminating":
            text = "may only be 'Terminating' if `deletionTimestamp` is not empty"
        else:
            return []
        return [FieldError.invalid(Path("status", "Phase"), phase, text)]


class ServiceAccountStrategy(Strategy):
    """Service accounts."""

    # upstream: pkg/registry/core/serviceaccount/strategy.go

    judges_name_again = True

    returns_deleted_object = True

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        if obj.get("secrets"):
            obj["secrets"] = [
                {"name": secret["name"]} if secret.get("name") else {} for secret in obj["secrets"]
            ]

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        self.prepare_for_create(ctx, obj)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return self.warnings_on_update(ctx, obj, {})

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        if _MOUNTABLE in objects.annotations(obj) and _MOUNTABLE not in objects.annotations(old):
            return [
                (
                    f"metadata.annotations[{_MOUNTABLE}]: deprecated in v1.32+; prefer separate "
                    "namespaces to isolate access to mounted secrets"
                )
            ]
        return []


_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"


class EventStrategy(Strategy):
    """Events; they are not collected with what they are about."""

    # upstream: pkg/registry/core/event/strategy.go

    allow_create_on_update = True
    judges_metadata_last = True
    garbage_collection_default = "Unsupported"

    def validate(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        return event_checks.validate(obj, ctx.api_version)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return event_checks.validate_update(obj, old, ctx.api_version)

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        """The core group never judged names of events."""
        return names.is_path_segment_name(name, prefix=prefix)


class EndpointsStrategy(Strategy):
    """Endpoints, the old form."""

    # upstream: pkg/registry/core/endpoint/strategy.go

    judges_name_again = True

    allow_create_on_update = True

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        """About spellings of addresses; the controller's own are canonical."""
        if objects.labels(obj).get("endpoints.kubernetes.io/managed-by") == "endpoint-controller":
            return []
        found = []
        for position, subset in enumerate(obj.get("subsets") or ()):
            for field in ("addresses", "notReadyAddresses"):
                for index, address in enumerate(subset.get(field) or ()):
                    path = Path("subsets").index(position).child(field).index(index).child("ip")
                    found += addresses.warnings_for_ip(path, address.get("ip", ""))
        return found

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return self.warnings_on_create(ctx, obj)


class LimitRangeStrategy(Strategy):
    """Limit ranges."""

    # upstream: pkg/registry/core/limitrange/strategy.go

    judges_name_again = True

    allow_create_on_update = True

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        if not obj["metadata"].get("name"):
            obj["metadata"]["name"] = str(uuid.uuid4())


class ResourceQuotaStrategy(SpecAndStatusStrategy):
    """Quotas; their scopes never change."""

    # upstream: pkg/registry/core/resourcequota/strategy.go

    has_generation = False
    returns_deleted_object = True

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        now, before = obj["spec"].get("scopes") or [], old["spec"].get("scopes") or []
        if set(now) == set(before):
            return []
        return [FieldError.invalid(Path("spec", "scopes"), now, IMMUTABLE)]

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        hard = obj["spec"].get("hard") or {}
        found = []
        for name in ("cpu", "memory", "storage", "ephemeral-storage"):
            request = f"requests.{name}"
            if request not in hard and name in {"cpu", "memory"} and name in hard:
                request = name
            limit = f"limits.{name}"
            if request in hard and limit in hard:
                low, high = Quantity.parse(str(hard[request])), Quantity.parse(str(hard[limit]))
                if low > high:
                    found.append(
                        f"ResourceQuota {request} ({low}) should be less than {limit} ({high})"
                    )
        return found


class NodeStrategy(Strategy):
    """Nodes; a kubelet may set the status when it registers."""

    # upstream: pkg/registry/core/node/strategy.go

    reset_fields: ClassVar[Object] = {"f:status": {}}

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        (obj.get("spec") or {}).pop("configSource", None)
        (obj.get("spec") or {}).pop("podPreemptionPolicy", None)
        (obj.get("status") or {}).pop("config", None)

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status") or empty_status(obj)
        for field in ("configSource", "podPreemptionPolicy"):
            if (old.get("spec") or {}).get(field) is None:
                (obj.get("spec") or {}).pop(field, None)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return _validate_node_update(obj, old)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        spec, found = obj.get("spec") or {}, []
        if spec.get("configSource") is not None:
            found.append("spec.configSource: the feature is removed")
        if spec.get("externalID"):
            found.append("spec.externalID: this field is deprecated, and is unused by Kubernetes")
        for position, cidr in enumerate(spec.get("podCIDRs") or ()):
            found += addresses.warnings_for_cidr(Path("spec", "podCIDRs").index(position), cidr)
        return found

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return self.warnings_on_create(ctx, obj)


def _validate_node_update(obj: Object, old: Object) -> list[FieldError]:
    # upstream: pkg/apis/core/validation/validation.go ValidateNodeUpdate
    spec, before, path = obj.get("spec") or {}, old.get("spec") or {}, Path("spec")
    found = []
    known = before.get("podCIDRs") or []
    if known and known != (spec.get("podCIDRs") or []):
        text = 'node updates may not change podCIDR except from "" to valid'
        found.append(FieldError.forbidden(path.child("podCIDRs"), text))
    provider = before.get("providerID")
    if provider and spec.get("providerID") != provider:
        verb = "modified" if spec.get("providerID") else "cleared"
        where = path.child("providerID")
        text = f"field cannot be {verb} once set"
        found.append(FieldError.invalid(where, None, text))
    if (spec.get("externalID") or "") != (before.get("externalID") or ""):
        found.append(FieldError.forbidden(path.child("externalID"), "may not be updated"))
    return found


class NodeStatusStrategy(StatusStrategy):
    """``nodes/status``."""

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        if (old.get("status") or {}).get("config") is None:
            (obj.get("status") or {}).pop("config", None)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        found, seen = [], list[Object]()
        for position, address in enumerate((obj.get("status") or {}).get("addresses") or ()):
            if address in seen:
                where = Path("status", "addresses").index(position)
                shown = internal(address, "io.k8s.api.core.v1.NodeAddress")
                found.append(FieldError.duplicate(where, shown))
            seen.append(address)
        return found + _validate_node_update(obj, old)


class PersistentVolumeStrategy(SpecAndStatusStrategy):
    """Persistent volumes."""

    # upstream: pkg/registry/core/persistentvolume/strategy.go

    judges_name_again = True

    has_generation = False
    returns_deleted_object = True

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        super().prepare_for_create(ctx, obj)
        obj["status"] |= {"phase": "Pending", "lastPhaseTransitionTime": clock.timestamp()}

    def validate(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        return volume_updates.check_mount_options(obj)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return self.validate(ctx, obj) + volume_updates.validate_volume(obj, old)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return volume_warnings.warnings(obj)

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return volume_warnings.warnings(obj)


class PersistentVolumeStatusStrategy(StatusStrategy):
    """``persistentvolumes/status``."""

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        status, before = obj.setdefault("status", {}), old.get("status") or {}
        moved, known = status.get("lastPhaseTransitionTime"), before.get("lastPhaseTransitionTime")
        if status.get("phase") != before.get("phase"):
            if not moved or moved == known:
                status["lastPhaseTransitionTime"] = clock.timestamp()
        elif not moved and known:
            status["lastPhaseTransitionTime"] = known


class PersistentVolumeClaimStrategy(SpecAndStatusStrategy):
    """Persistent volume claims."""

    # upstream: pkg/registry/core/persistentvolumeclaim/strategy.go

    judges_name_again = True

    has_generation = False
    returns_deleted_object = True

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        super().prepare_for_create(ctx, obj)
        obj["status"]["phase"] = "Pending"

    def prepare_spec(self, ctx: WriteContext, obj: Object, old: Object | None) -> None:
        claim_sources.normalize(obj["spec"], old["spec"] if old else None)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return volume_updates.validate_claim(obj, old)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return claim_warnings.of_claim(obj)

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return self.warnings_on_create(ctx, obj)


class PersistentVolumeClaimStatusStrategy(StatusStrategy):
    """``persistentvolumeclaims/status``; the health belongs to a feature that is off."""

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        super().prepare_for_update(ctx, obj, old)
        features.drop_own(obj.get("status") or {}, old.get("status"), "healthStatus")

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return claim_status.check(obj)
