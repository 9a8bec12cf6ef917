"""Who set which field: managedFields on every write, and server-side apply."""

from functools import cache
from http import HTTPStatus

from pykube_cp.api.scope import Options, Scope, copy_of
from pykube_cp.machinery import clock, empties, errors, restore, schema
from pykube_cp.machinery.apply import manager, shapes
from pykube_cp.machinery.apply.fields import FieldsError
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import defaulting
from pykube_cp.registry.resource import Resource


@cache
def _described(gvk: GVK) -> "schema.Type | None":
    try:
        return schema.type_of(gvk)
    except KeyError:
        return None


def _converter(scope: Scope) -> manager.Convert:
    """Objects of the request in another version of their kind, for managers who named it.

    Upstream converts by way of the internal type of the request's group, so that there is no
    way for kinds that are served in two groups.
    """
    # upstream: apimachinery pkg/util/managedfields/internal/versionconverter.go
    row, catalog = scope.resource, scope.services.catalog

    def of_version(version: str) -> tuple[Resource, schema.Type]:
        try:
            gvk = GVK.of({"apiVersion": version, "kind": row.kind})
        except ValueError as error:
            raise FieldsError(str(error)) from None
        found, described = catalog.kind(gvk), _described(gvk)
        is_same = found is not None and found.storage_gvr == row.storage_gvr
        if described is None or not is_same or {gvk.group, row.group} != {row.storage_gvr.group}:
            raise manager.UnknownVersionError(version)
        assert found is not None
        return found, described

    def convert(obj: Object, version: str) -> manager.Typed:
        other, described = of_version(version)
        if obj["apiVersion"] != version:
            own, _ = of_version(obj["apiVersion"])
            obj = copy_of(obj)
            obj = own.conversion.to_storage(obj) if own.conversion is not None else obj
            obj = other.conversion.from_storage(obj) if other.conversion is not None else obj
        return manager.Typed(shapes.of_type(described), obj)

    return convert


def record(scope: Scope, obj: Object, live: Object | None, options: Options) -> Object:
    """``obj`` with managedFields that say what this write changed.

    A write must never fail because of its bookkeeping, so what the client sent as managedFields is
    dropped when it makes no sense.
    """
    # upstream: apiserver pkg/endpoints/handlers/fieldmanager FieldManager.UpdateNoErrors
    written = _there_and_back(scope, obj)
    given = empties.dropped(written, scope.request.empties)
    made = manager.update(
        live,
        empties.shown(written, given),
        described=_described(scope.kind),
        manager=scope.manager(options),
        subresource=scope.request.info.subresource,
        time=clock.timestamp(),
        api_version=scope.kind.api_version,
        reset_fields=scope.reset_fields,
        convert=_converter(scope),
    )
    return empties.hidden(made, given)


def _there_and_back(scope: Scope, obj: Object) -> Object:
    """With what it comes to say by being converted, such as fields that become annotations."""
    conversion = scope.resource.conversion
    if conversion is None or GVK.of(obj) != scope.resource.gvk:
        return obj
    return conversion.from_storage(conversion.to_storage(obj))


def apply(scope: Scope, patch: Object, live: Object | None, options: Options) -> Object:
    """The live object with the applied configuration merged into it; 409 with the conflicts."""
    # As the client wrote it: what canonical form would add is not what he means to own.
    stated = manager.kind_text(patch)
    if stated != _text(scope.kind):
        raise errors.bad_request(f"invalid object type: {stated}")
    try:
        merged = manager.apply(
            live,
            copy_of(patch),
            described=_described(scope.kind),
            manager=options.field_manager,
            force=bool(options.force),
            subresource=scope.request.info.subresource,
            time=clock.timestamp(),
            api_version=scope.kind.api_version,
            reset_fields=scope.reset_fields,
            convert=_converter(scope),
        )
    except manager.ApplyConflict as conflict:
        raise errors.apply_conflict(conflict.causes, str(conflict)) from None
    except manager.ApplyError as error:
        raise _refusal(error) from None
    return _typed(merged, patch, scope.kind)


def _typed(merged: Object, patch: Object, gvk: GVK) -> Object:
    """In canonical form and with defaults."""
    # upstream: apimachinery pkg/util/managedfields/internal/structuredmerge.go Apply
    kind = _described(gvk)
    if kind is None:
        return merged
    try:
        made, _ = restore.normalize(merged, kind, strict=False)
    except restore.RestoreError as error:
        text = (
            f"failed to convert new object ({manager.named(patch)}) to proper version: "
            f"unable to convert unstructured object to {_text(gvk)}: {error}"
        )
        raise errors.StatusError(HTTPStatus.INTERNAL_SERVER_ERROR, "", text) from None
    rest = {key: value for key, value in made.items() if key not in {"kind", "apiVersion"}}
    obj: Object = {"kind": gvk.kind, "apiVersion": gvk.api_version, **rest}
    defaulting.default(obj, gvk)
    return obj


def _text(gvk: GVK) -> str:
    return f"{gvk.group}/{gvk.version}, Kind={gvk.kind}"


def _refusal(error: manager.ApplyError) -> errors.StatusError:
    if error.code == HTTPStatus.BAD_REQUEST:
        return errors.bad_request(str(error))
    return errors.StatusError(error.code, "", str(error))
