"""Change parts of an object: JSON patch, merge patch, strategic merge patch, server-side apply."""
# upstream: apiserver pkg/endpoints/handlers/patch.go PatchResource

from typing import Any

from pykube_cp.admission.interface import Operation
from pykube_cp.api import ownership, patching
from pykube_cp.api.configuration import Configuration, of_cbor
from pykube_cp.api.decode import Validation, read_bytes
from pykube_cp.api.request import ObjectResult
from pykube_cp.api.scope import Options, Scope, check_name, check_namespace
from pykube_cp.machinery import errors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object


async def handle(scope: Scope) -> ObjectResult:
    """200 with the object as stored, 201 when apply created it."""
    patch = await read(scope)

    async def change(old: Object | None) -> Object:
        live = scope.to_served(old) if old is not None else None
        obj = scope.to_stored(patch.applied(live))
        operation = Operation.UPDATE if old is not None else Operation.CREATE
        return await scope.mutate(operation, obj, old, patch.options)

    updated = await scope.store.update(
        scope.context(patch.options),
        scope.name,
        change,
        scope.validator(Operation.UPDATE, patch.options),
        strategy=scope.strategy,
        may_create=patch.may_create,
        create_admit=scope.creation_validator(patch.options),
    )
    status = 201 if updated.created else 200
    return ObjectResult(scope.resource, entry=updated.entry, status=status)


class Patch:
    """A request's patch of whatever kind, with its options."""

    def __init__(self, scope: Scope, media_type: str, body: Any, options: Options) -> None:
        self._scope = scope
        self.options = options
        self.is_apply = media_type in patching.APPLIES
        validation = Validation(scope.request.warnings, options.field_validation)
        if self.is_apply:
            self._configuration = Configuration(body, validation)
        else:
            self._patcher = patching.compile_patch(scope, media_type, body, validation)

    @property
    def may_create(self) -> bool:
        return self.is_apply and self._scope.subresource is None

    def applied(self, live: Object | None) -> Object:
        """The object as it shall be, with its managedFields; 404 if there is nothing to patch."""
        # upstream: apiserver pkg/endpoints/handlers/patch.go patcher.applyPatch
        scope = self._scope
        if self.is_apply:
            obj = self._apply(live)
        elif live is None:
            raise errors.not_found(scope.resource.group_resource, scope.name)
        else:
            obj = ownership.record(scope, self._patcher(live), live, self.options)
        check_namespace(obj, scope.namespace)
        check_name(obj, scope.name)
        return obj

    def _apply(self, live: Object | None) -> Object:
        scope = self._scope
        obj = ownership.apply(scope, self._configuration.read(), live, self.options)
        self._configuration.judge()
        uid = (obj.get("metadata") or {}).get("uid")
        if live is None and uid:
            text = (
                f"uid mismatch: the provided object specified uid {uid}, "
                "and no existing object was found"
            )
            raise errors.conflict(scope.resource.group_resource, scope.name, text)
        return obj


async def read(scope: Scope) -> Patch:
    """The request's patch, as far as it can be judged without the object."""
    media_type = _media_type(scope.request.header("content-type"))
    known = patching.accepted(scope.services, scope.resource)
    if media_type not in known:
        raise errors.unsupported_media_type(known)
    is_apply = media_type in patching.APPLIES
    given = scope.request.object
    data = await read_bytes(scope) if given is None else b""
    options = scope.options("PatchOptions", _check_apply if is_apply else _check_other)
    if given is None and media_type == patching.APPLY_CBOR:
        given = await scope.read_large(len(data), of_cbor, data)
    elif given is None:
        given = data if is_apply else await scope.read_large(len(data), patching.parse, data)
    return await scope.read_large(len(data), Patch, scope, media_type, given, options)


def _media_type(content_type: str) -> str:
    """Up to the semicolon, as it is."""
    name, semicolon, _ = content_type.partition(";")
    return name if name or not semicolon else content_type


def _check_apply(options: Options) -> list[FieldError]:
    # upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidatePatchOptions
    if options.field_manager:
        return []
    return [FieldError.required(Path("fieldManager"), "is required for apply patch")]


def _check_other(options: Options) -> list[FieldError]:
    if options.force is None:
        return []
    return [FieldError.forbidden(Path("force"), "may not be specified for non-apply patch")]
