"""Calling a page of ``resources/subresources``: decode, admit, call, answer."""

from dataclasses import replace
from typing import Any

from pykube_cp.admission.interface import Operation
from pykube_cp.api import components, ownership
from pykube_cp.api.decode import Validation, check_kind, check_version, read_body, refusal
from pykube_cp.api.endpoints import not_allowed
from pykube_cp.api.request import ObjectResult
from pykube_cp.api.scope import Options, Scope, check_name, check_namespace, copy_of
from pykube_cp.api.verbs.patch import Patch, read
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import defaulting, metadata
from pykube_cp.registry.resource import Resource
from pykube_cp.registry.store import Store
from pykube_cp.resources.columns.autoscaling import SCALE
from pykube_cp.resources.subresources.interface import Call, Page

_OPERATIONS = {
    "create": Operation.CREATE,
    "update": Operation.UPDATE,
    "patch": Operation.UPDATE,
}
_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions"}


async def handle(scope: Scope, page: Page) -> ObjectResult:
    """The page's answer to one of its verbs."""
    verb = scope.request.info.verb
    handler = page.verbs.get(verb)
    if handler is None:
        raise not_allowed()
    patch = await read(scope) if verb == "patch" else None
    options = patch.options if patch is not None else _options(scope, verb)
    body = await _body(scope, page, options) if verb in {"create", "update"} else None
    operation = _OPERATIONS.get(verb, Operation.UPDATE)
    if body is not None and verb == "create":
        attributes = scope.attributes(operation, body, None, options)
        await scope.services.admission.admit(attributes)
        body = attributes.object
    call = _call(scope, options, body, patch, operation)
    answer = await handler(call)
    return ObjectResult(_shown_as(scope, page), obj=answer.obj, status=answer.status)


def _options(scope: Scope, verb: str) -> Options:
    return scope.options(_OPTIONS[verb]) if verb in _OPTIONS else Options()


def _shown_as(scope: Scope, page: Page) -> Resource:
    """The row for Tables of the answer: a scale has columns of its own."""
    if page.subresource != "scale":
        return scope.resource
    return replace(
        scope.resource, columns=SCALE, conversion=None, row_conditions=None, finish_rows=None
    )


async def _body(scope: Scope, page: Page, options: Options) -> Object:
    validation = Validation(scope.request.warnings, options.field_validation)
    body, found = await read_body(scope, page.accepts, strict=validation.mode != "Ignore")
    accepts = next((each for each in page.accepts_also if _is_of(body, each)), page.accepts)
    stated = check_kind(body, accepts)
    validation.judge(found, refusal(page.accepts, stated))
    check_version(stated, accepts)
    defaulting.default(body, accepts)
    if scope.request.info.verb == "create":
        if not page.keeps_system_fields:
            metadata.wipe(body)
        check_namespace(body, scope.namespace)
        return ownership.record(scope, body, None, options)
    if scope.resource.namespaced:
        check_namespace(body, scope.namespace)
    check_name(body, scope.name)
    return body


def _is_of(body: Object, gvk: GVK) -> bool:
    return (body.get("apiVersion"), body.get("kind")) == (gvk.api_version, gvk.kind)


def _call(
    scope: Scope,
    options: Options,
    body: Object | None,
    patch: Patch | None,
    operation: Operation,
) -> Call:
    services = scope.services

    def store_of(gvr: GVR) -> Store:
        row = services.catalog.resource(gvr)
        assert row is not None
        return services.store(row)

    def record(obj: Object, live: Object | None) -> Object:
        return ownership.record(scope, obj, live, options)

    async def wanted(live: Object) -> Object:
        if patch is not None:
            obj = patch.applied(live)
        else:
            assert body is not None
            obj = ownership.record(scope, copy_of(body), live, options)
        return await scope.mutate(operation, obj, live, options)

    async def validate(obj: Object | None) -> None:
        await services.admission.validate(scope.attributes(operation, obj, None, options))

    async def admit(obj: Object | None, old: Object | None) -> None:
        if obj is None:
            attributes = scope.attributes(Operation.DELETE, obj, old, options)
            attributes.subresource = ""
            await services.admission.validate(attributes)
            return
        await services.admission.validate(scope.attributes(operation, obj, old, options))

    return Call(
        resource=scope.resource,
        name=scope.name,
        namespace=scope.namespace,
        verb=scope.request.info.verb,
        user=scope.request.user,
        store=scope.store,
        stores=store_of,
        context=scope.context(options),
        body=body,
        admit=admit,
        wanted=wanted,
        validate=validate,
        record=record,
        authorizer=services.authorization,
        authenticator=services.authentication,
        signer=services.token_signer,
        query=scope.request.query,
        extra=_extra(scope),
    )


def _extra(scope: Scope) -> dict[str, Any]:
    extra: dict[str, Any] = {"authenticate_token": scope.services.authentication.authenticate_token}
    if not scope.services.config.components_beside:
        extra["component_health"] = components.health
    return extra
