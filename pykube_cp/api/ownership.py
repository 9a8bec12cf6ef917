"""Who set which field: managedFields on every write, and server-side apply."""

from functools import cache
from http import HTTPStatus

from pykube_cp.api.decode import Validation, finish
from pykube_cp.api.scope import Options, Scope, copy_of
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
        reset_fields=_reset_fields(scope),
    )


def apply(scope: Scope, patch: Object, live: Object | None, options: Options) -> Object:
    """The live object with the applied configuration merged into it; 409 with the conflicts."""
    # As the client wrote it: what canonical form would add is not what he means to own.
    try:
        merged = manager.apply(
            live,
            copy_of(patch),
            described=_described(scope.resource.gvk),
            manager=options.field_manager,
            force=bool(options.force),
            subresource=scope.request.info.subresource,
            time=clock.timestamp(),
            api_version=scope.resource.api_version,
            reset_fields=_reset_fields(scope),
        )
    except manager.ApplyConflict as conflict:
        raise errors.apply_conflict(conflict.causes, str(conflict)) from None
    except manager.ApplyError as error:
        raise _refusal(error) from None
    return finish(merged, scope.resource.gvk, Validation(scope.request.warnings, "Ignore"))


def _refusal(error: manager.ApplyError) -> errors.StatusError:
    if error.code == HTTPStatus.BAD_REQUEST:
        return errors.bad_request(str(error))
    return errors.StatusError(error.code, "", str(error))


def _reset_fields(scope: Scope) -> Object:
    """What this endpoint does not store, so nobody comes to own it by sending it here."""
    # upstream: apiserver pkg/registry/rest/rest.go ResetFieldsStrategy
    if scope.request.info.subresource == "status":
        return {"f:spec": {}}
    if scope.resource.subresource("status") is not None:
        return {"f:status": {}}
    return {}
