"""Small kinds that the machinery of a cluster lives on."""

from pykube_cp.machinery import addresses, errors, names, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import Strategy, WriteContext
from pykube_cp.registry.validation import validate_immutable
from pykube_cp.resources.shared import node_labels
from pykube_cp.resources.shared.immutable import ImmutableFields
from pykube_cp.resources.shared.spec_and_status import SpecAndStatusStrategy


class LeaseStrategy(Strategy):
    """Leases; coordinated election is off."""

    # upstream: pkg/registry/coordination/lease/strategy.go

    allow_create_on_update = True
    allow_unconditional_update = False

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        self.prepare_for_update(ctx, obj, {})

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        for field in ("strategy", "preferredHolder"):
            if (old.get("spec") or {}).get(field) is None:
                (obj.get("spec") or {}).pop(field, None)


class EndpointSliceStrategy(ImmutableFields):
    """Endpoint slices; labels count as spec."""

    # upstream: pkg/registry/discovery/endpointslice/strategy.go

    has_generation = True
    immutable = (("addressType",),)

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        for endpoint in obj.get("endpoints") or ():
            endpoint.pop("deprecatedTopology", None)

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        if obj.get("endpoints") != old.get("endpoints"):
            self.prepare_for_create(ctx, obj)

    def spec_changed(self, obj: Object, old: Object) -> bool:
        return super().spec_changed(obj, old) or objects.labels(obj) != objects.labels(old)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        found = []
        if obj.get("addressType") == "FQDN":
            found.append("spec.addressType: FQDN endpoints are deprecated")
        return found + self.warnings_on_update(ctx, obj, {})

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        if objects.labels(obj).get("endpointslice.kubernetes.io/managed-by") in _MANAGERS:
            return []
        found = []
        for position, endpoint in enumerate(obj.get("endpoints") or ()):
            for index, address in enumerate(endpoint.get("addresses") or ()):
                path = Path("endpoints").index(position).child("addresses").index(index)
                found += addresses.warnings_for_ip(path, address)
        return found


_MANAGERS = {"endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io"}


class RuntimeClassStrategy(ImmutableFields):
    """Runtime classes."""

    # upstream: pkg/registry/node/runtimeclass/strategy.go

    allow_create_on_update = True
    allow_unconditional_update = False
    immutable = (("handler",),)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return [
            f"scheduling.nodeSelector: {node_labels.DEPRECATED[key]}"
            for key in objects.nested(obj, "scheduling", "nodeSelector", default=())
            if key in node_labels.DEPRECATED
        ]

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return self.warnings_on_create(ctx, obj)


class PriorityClassStrategy(ImmutableFields):
    """Priority classes; the generation stays 1."""

    # upstream: pkg/registry/scheduling/priorityclass/strategy.go

    has_generation = True
    immutable = (("preemptionPolicy",),)

    def refuse_deletion(self, name: str) -> None:
        # upstream: pkg/registry/scheduling/priorityclass/storage/storage.go REST.Delete
        if name in _SYSTEM_PRIORITIES:
            text = "this is a system priority class and cannot be deleted"
            raise errors.forbidden(("scheduling.k8s.io", "priorityclasses"), name, text)

    def spec_changed(self, obj: Object, old: Object) -> bool:
        return False

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        found = []
        if (obj.get("value") or 0) != (old.get("value") or 0):
            text = "may not be changed in an update."
            found.append(FieldError.forbidden(Path("value"), text))
        return found + super().validate_update(ctx, obj, old)


_SYSTEM_PRIORITIES = ("system-node-critical", "system-cluster-critical")


class ServiceCIDRStrategy(SpecAndStatusStrategy):
    """Service CIDRs; a second one may be added."""

    # upstream: pkg/registry/networking/servicecidr/strategy.go

    has_generation = False


class LeaseCandidateStrategy(Strategy):
    """Those who stand for a lease."""

    # upstream: pkg/registry/coordination/leasecandidate/strategy.go

    allow_create_on_update = True
    allow_unconditional_update = False

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.is_config_map_key(name)

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        now, before = ((one.get("spec") or {}).get("leaseName") or "" for one in (obj, old))
        return validate_immutable(now, before, Path("spec", "leaseName"))


class StorageVersionStrategy(SpecAndStatusStrategy):
    """Versions in which servers store objects."""

    # upstream: pkg/registry/apiserverinternal/storageversion/strategy.go

    has_generation = False
    allow_unconditional_update = False

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        # upstream: pkg/apis/apiserverinternal/validation/validation.go ValidateStorageVersionName
        group, dot, resource = name.rpartition(".")
        if not dot:
            return ["name must be in the form of <group>.<resource>"]
        found = [f"the group segment {why}" for why in names.is_dns1123_subdomain(group)]
        return found + [f"the resource segment {why}" for why in names.is_dns1035_label(resource)]


class IPAddressStrategy(ImmutableFields):
    """IP addresses, whose names they are."""

    # upstream: pkg/registry/networking/ipaddress/strategy.go

    immutable = (("spec", "parentRef"),)

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return [error.detail for error in addresses.is_valid_ip(None, name)]


class FlowSchemaStrategy(SpecAndStatusStrategy):
    """Flow schemas and priority levels."""

    # upstream: pkg/registry/flowcontrol/flowschema/strategy.go
