"""Kinds of ``resource.k8s.io``."""

from pykube_cp.registry.strategy import Strategy
from pykube_cp.resources.shared.immutable import ImmutableFields
from pykube_cp.resources.shared.spec_and_status import SpecAndStatusStrategy


class ResourceClaimStrategy(ImmutableFields, SpecAndStatusStrategy):
    """Claims for devices."""

    # upstream: pkg/registry/resource/resourceclaim/strategy.go

    has_generation = False
    returns_deleted_object = True
    immutable = (("spec",),)


class ResourceClaimTemplateStrategy(ImmutableFields):
    """Templates of claims."""

    # upstream: pkg/registry/resource/resourceclaimtemplate/strategy.go

    returns_deleted_object = True
    immutable = (("spec",),)


class DeviceClassStrategy(Strategy):
    """Device classes."""

    # upstream: pkg/registry/resource/deviceclass/strategy.go

    has_generation = True
    returns_deleted_object = True


class ResourceSliceStrategy(ImmutableFields):
    """Resource slices; where they belong never changes."""

    # upstream: pkg/registry/resource/resourceslice/strategy.go

    has_generation = True
    returns_deleted_object = True
    immutable = (("spec", "driver"), ("spec", "pool", "name"), ("spec", "nodeName"))


class DeviceTaintRuleStrategy(SpecAndStatusStrategy):
    """Taints of devices, by rule."""

    # upstream: pkg/registry/resource/devicetaintrule/strategy.go
