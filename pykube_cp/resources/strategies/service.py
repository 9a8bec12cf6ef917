"""Services."""
# upstream: pkg/registry/core/service/strategy.go

from typing import ClassVar

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import allocator
from pykube_cp.registry.strategy import Rollback, StatusStrategy, Strategy, WriteContext
from pykube_cp.resources.shared import service_fields, service_updates, service_warnings
from pykube_cp.resources.shared.service_allocation import Allocation
from pykube_cp.resources.shared.spec_and_status import empty_status


class ServiceStrategy(Strategy):
    """Services take addresses and ports from ``ctx.services``.

    ``service_ips`` maps families to ``AddressAllocator``, the cluster's first family first;
    ``node_ports`` is a ``PortAllocator``.
    """

    judges_name_again = True

    allow_create_on_update = True
    returns_deleted_object = True
    reset_fields: ClassVar[Object] = {"f:status": {}}

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        obj["status"] = empty_status(obj)

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status") or empty_status(obj)
        service_fields.drop_for_type(obj, old)

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        return names.is_dns1123_label(name, prefix=prefix)

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return service_warnings.warnings(obj, None)

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return service_warnings.warnings(obj, old)

    async def begin_create(self, ctx: WriteContext, obj: Object) -> Rollback | None:
        service_fields.normalize_cluster_ips(obj["spec"], None)
        return _allocate(ctx, obj, None)

    async def begin_update(self, ctx: WriteContext, obj: Object, old: Object) -> Rollback | None:
        service_fields.patch_allocated(obj["spec"], old["spec"])
        service_fields.normalize_cluster_ips(obj["spec"], old["spec"])
        return _allocate(ctx, obj, old)

    def canonicalize(self, obj: Object) -> None:
        # upstream: pkg/registry/core/service/storage/storage.go defaultOnReadInternalTrafficPolicy
        if obj["spec"].get("type") == "ExternalName":
            obj["spec"].pop("internalTrafficPolicy", None)

    async def after_delete(self, ctx: WriteContext, obj: Object) -> None:
        ips = ctx.services["service_ips"]
        for address in allocator.cluster_ips(obj):
            pool = ips.get("IPv6" if ":" in address else "IPv4")
            if pool is not None:
                pool.release(address)
        for port in allocator.node_ports(obj):
            ctx.services["node_ports"].release(port)


class ServiceStatusStrategy(StatusStrategy):
    """``services/status``."""

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        return service_updates.validate_status(obj, old)

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return service_warnings.of_status(obj)


def _allocate(ctx: WriteContext, obj: Object, old: Object | None) -> Rollback | None:
    allocation = Allocation(
        obj, old, ctx.services["service_ips"], ctx.services["node_ports"], dry_run=ctx.dry_run
    )
    allocation.run()
    if ctx.dry_run:
        return None

    async def rollback() -> None:
        allocation.revert()

    return rollback
