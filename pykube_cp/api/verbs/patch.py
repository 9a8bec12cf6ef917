"""Change parts of an object: JSON patch, merge patch, strategic merge patch, server-side apply."""
# upstream: apiserver pkg/endpoints/handlers/patch.go PatchResource

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import orjson

from pykube_cp.admission.interface import Operation
from pykube_cp.api import ownership
from pykube_cp.api.decode import BODY_LIMIT, Validation, check_kind, finish, read_yaml
from pykube_cp.api.request import ObjectResult
from pykube_cp.api.scope import Options, Scope, check_name, check_namespace
from pykube_cp.machinery import errors, json_patch, schema, strategic_patch
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

Patcher = Callable[[Object], Object]


async def handle(scope: Scope) -> ObjectResult:
    """200 with the object as stored, 201 when apply created it."""
    media_type = scope.request.header("content-type").partition(";")[0].strip()
    if media_type not in {JSON, MERGE, STRATEGIC, APPLY}:
        raise errors.unsupported_media_type(_accepted(scope))
    options = scope.options("PatchOptions")
    _check_options(options, media_type)
    body = await _read(scope, media_type)
    if media_type == APPLY:
        return await _apply(scope, body, options)
    patcher = _patcher(scope, media_type, body, scope.resource.gvk)
    gives_version = _gives_version(body, media_type)

    async def change(old: Object | None) -> Object:
        assert old is not None
        live = scope.to_served(old)
        validation = Validation(scope.request.warnings, options.field_validation)
        obj = finish(_patched(patcher, live), scope.resource.gvk, validation)
        check_name(obj, scope.name)
        check_namespace(obj, scope.namespace)
        obj = ownership.record(scope, obj, live, options)
        obj = scope.to_stored(obj)
        return await scope.mutate(Operation.UPDATE, obj, old, options)

    updated = await scope.store.update(
        scope.context(options),
        scope.name,
        change,
        scope.validator(Operation.UPDATE, options),
        strategy=scope.strategy,
        retry_given_version=not gives_version,
    )
    return ObjectResult(scope.resource, entry=updated.entry)


async def _apply(scope: Scope, body: Object, options: Options) -> ObjectResult:
    check_kind(body, scope.resource.gvk)
    if body.get("metadata", {}).get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    gives_version = bool((body.get("metadata") or {}).get("resourceVersion"))

    async def change(old: Object | None) -> Object:
        live = scope.to_served(old) if old is not None else None
        obj = ownership.apply(scope, body, live, options)
        check_namespace(obj, scope.namespace)
        check_name(obj, scope.name)
        obj = scope.to_stored(obj)
        if old is not None and not gives_version:
            obj["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        operation = Operation.UPDATE if old is not None else Operation.CREATE
        return await scope.mutate(operation, obj, old, options)

    updated = await scope.store.update(
        scope.context(options),
        scope.name,
        change,
        scope.validator(Operation.UPDATE, options),
        strategy=scope.strategy,
        may_create=scope.subresource is None,
        create_admit=scope.validator(Operation.CREATE, options),
        retry_given_version=not gives_version,
    )
    status = 201 if updated.created else 200
    return ObjectResult(scope.resource, entry=updated.entry, status=status)


async def _read(scope: Scope, media_type: str) -> Any:
    request = scope.request
    if request.object is not None:
        return request.object
    data = await request.body.read(BODY_LIMIT)
    if media_type == APPLY:
        return read_yaml(data)
    try:
        return orjson.loads(data)
    except ValueError as error:
        raise errors.bad_request(f"error decoding patch: {error}") from None


async def read_patch(scope: Scope, gvk: GVK) -> Patcher:
    """The request's patch as a function on objects of ``gvk`` (a subresource's kind)."""
    media_type = scope.request.header("content-type").partition(";")[0].strip()
    if media_type not in {JSON, MERGE, STRATEGIC, APPLY}:
        raise errors.unsupported_media_type(_accepted(scope))
    body = await _read(scope, media_type)
    if media_type == APPLY:
        media_type = MERGE
    patcher = _patcher(scope, media_type, body, gvk)
    return lambda live: _patched(patcher, live)


def _patcher(scope: Scope, media_type: str, body: Any, gvk: GVK) -> Patcher:
    if media_type == JSON:
        return json_patch.compile_patch(body)
    if not isinstance(body, dict):
        raise errors.bad_request("Invalid JSON Patch" if media_type == MERGE else "invalid patch")
    if media_type == MERGE:
        return lambda live: json_patch.merge_patch(live, body)
    try:
        described = schema.type_of(gvk)
    except KeyError:
        raise errors.unsupported_media_type(_accepted(scope)) from None
    return lambda live: strategic_patch.apply(live, body, described)


def _patched(patcher: Patcher, live: Object) -> Object:
    try:
        return patcher(live)
    except json_patch.PatchError as error:
        # upstream: apiserver pkg/endpoints/handlers/patch.go jsonPatcher.applyPatchToCurrentObject
        if error.too_large:
            raise errors.request_entity_too_large(str(error)) from None
        if error.malformed:
            raise errors.bad_request(str(error)) from None
        raise _does_not_fit(str(error)) from None
    except strategic_patch.PatchError as error:
        if error.code == HTTPStatus.BAD_REQUEST:
            raise errors.bad_request(str(error)) from None
        if error.code == HTTPStatus.UNPROCESSABLE_ENTITY:
            raise _does_not_fit(str(error)) from None
        raise errors.StatusError(error.code, "", str(error)) from None


def _does_not_fit(text: str) -> errors.StatusError:
    code = HTTPStatus.UNPROCESSABLE_ENTITY
    return errors.generic_server_response(code, "", ("", ""), "", text, 0, is_unexpected=False)


def _gives_version(body: Any, media_type: str) -> bool:
    """Whether the client pinned a version; then a conflict is his to hear of."""
    if media_type == JSON:
        return any(
            isinstance(step, dict)
            and step.get("path") == "/metadata/resourceVersion"
            and step.get("op") in {"add", "replace", "test"}
            for step in body
        )
    meta = body.get("metadata") if isinstance(body, dict) else None
    return isinstance(meta, dict) and bool(meta.get("resourceVersion"))


def _check_options(options: Options, media_type: str) -> None:
    # upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidatePatchOptions
    found = []
    if media_type == APPLY:
        if not options.field_manager:
            detail = "is required for apply patch"
            found.append(FieldError.required(Path("fieldManager"), detail))
    elif options.force is not None:
        detail = "may not be specified for non-apply patch"
        found.append(FieldError.forbidden(Path("force"), detail))
    if found:
        raise errors.invalid(("meta.k8s.io", "PatchOptions"), "", found)


def _accepted(scope: Scope) -> list[str]:
    known = [JSON, MERGE, APPLY]
    if not scope.resource.is_custom:
        known.insert(2, STRATEGIC)
    return known
