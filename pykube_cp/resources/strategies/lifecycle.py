"""Kinds of ``lifecycle.k8s.io``; what their specs must be is declared by their types."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import WriteContext
from pykube_cp.resources.shared import conditions, evictions
from pykube_cp.resources.shared.spec_and_status import (
    SpecAndStatusStrategy,
    VersionedStatusStrategy,
)


class EvictionStrategy(SpecAndStatusStrategy):
    """Evictions, and requests for them."""

    # upstream: pkg/registry/lifecycle/eviction/strategy.go

    allow_unconditional_update = False

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.in_bytes(super().validate_name(name, prefix=prefix))


class EvictionStatusStrategy(VersionedStatusStrategy):
    """``evictions/status``."""

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return evictions.check(obj.get("status") or {}, old.get("status") or {})


class RequestStatusStrategy(VersionedStatusStrategy):
    """``evictionrequests/status``."""

    # upstream: pkg/registry/lifecycle/evictionrequest/strategy.go

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        listed = (obj.get("status") or {}).get("conditions") or ()
        return conditions.check(listed, Path("status", "conditions"))
