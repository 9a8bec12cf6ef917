"""Who set which field: managedFields on every write, and server-side apply."""

from functools import cache

from pykube_cp.api.decode import Validation, finish
from pykube_cp.api.scope import Options, Scope
from pykube_cp.machinery import clock, errors, schema
from pykube_cp.machinery.apply import manager
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object


@cache
def _described(gvk: GVK) -> "schema.Type | None":
    try:
        return schema.type_of(gvk)
    except KeyError:
        return None


def record(scope: Scope, obj: Object, live: Object | None, options: Options) -> Object:
    """``obj`` with managedFields that say what this write changed.

    A write must never fail because of its bookkeeping, so what the client sent as managedFields is
    dropped when it makes no sense.
    """
    # upstream: apiserver pkg/endpoints/handlers/fieldmanager FieldManager.UpdateNoErrors
    return manager.update(
        live,
        obj,
        described=_described(scope.resource.gvk),
        manager=scope.manager(options),
        subresource=scope.request.info.subresource,
        time=clock.timestamp(),
        api_version=scope.resource.api_version,
    )


def apply(
    scope: Scope, patch: Object, live: Object | None, options: Options, validation: Validation
) -> Object:
    """The live object with the applied configuration merged into it; 409 with the conflicts."""
    wanted = finish(dict(patch), scope.resource.gvk, validation, fill_defaults=False)
    try:
        merged = manager.apply(
            live,
            wanted,
            described=_described(scope.resource.gvk),
            manager=options.field_manager,
            force=bool(options.force),
            subresource=scope.request.info.subresource,
            time=clock.timestamp(),
            api_version=scope.resource.api_version,
        )
    except manager.ApplyConflict as conflict:
        raise errors.apply_conflict(conflict.causes, str(conflict)) from None
    except manager.ApplyError as error:
        raise errors.bad_request(str(error)) from None
    return finish(merged, scope.resource.gvk, Validation(scope.request.warnings, "Ignore"))
