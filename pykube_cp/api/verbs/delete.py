"""Delete one object, or a collection of them."""
# upstream: apiserver pkg/endpoints/handlers/delete.go

from msgspec.structs import replace

from pykube_cp.admission.interface import Operation
from pykube_cp.api import delete_options
from pykube_cp.api.filters.authorization import attributes_of
from pykube_cp.api.request import ListResult, ObjectResult
from pykube_cp.api.scope import Options, Scope
from pykube_cp.api.verbs import list as list_verb
from pykube_cp.authz.interface import Decision
from pykube_cp.machinery import errors
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object, deep_copy
from pykube_cp.registry.deletion import UNSAFE
from pykube_cp.registry.strategy import Deletion
from pykube_cp.resources.shared.statuses import success

_UNSAFE_VERB = "unsafe-delete-ignore-read-errors"


async def handle(scope: Scope) -> ObjectResult:
    """The object when it goes on existing or the kind answers with it, else a Status."""
    raw, options = await delete_options.read(scope)
    if raw.get(UNSAFE):
        return await _delete_unread(scope, options)
    scope.store.resource.strategy.refuse_deletion(scope.name)
    _warn(scope, raw)
    obj, gone = await _delete(scope, scope.name, raw, options)
    known = bool(obj["metadata"].get("name"))
    if gone and known and not scope.store.resource.strategy.returns_deleted_object:
        return ObjectResult(scope.resource, obj=success(scope.resource.group_resource, obj))
    orphans = raw.get("orphanDependents")
    status = 202 if not gone and orphans is False else 200
    return ObjectResult(scope.resource, obj=scope.to_served(obj), status=status)


async def handle_collection(scope: Scope) -> ListResult:
    """All that match, deleted one by one; what is gone already is no error."""
    found = await list_verb.handle(scope)
    raw, options = await delete_options.read(scope)
    delete_options.check_collection(raw)
    _warn(scope, raw)
    for entry in found.entries:
        each = Scope(scope.services, scope.request, scope.resource, scope.store)
        try:
            await _delete(each, entry.name, deep_copy(raw), options, namespace=entry.namespace)
        except errors.StatusError as error:
            if not errors.is_not_found(error):
                raise
    return found


async def _delete_unread(scope: Scope, options: Options) -> ObjectResult:
    """An object that cannot be read goes without any question; all others stay."""
    # upstream: apiserver pkg/registry/generic/registry/corrupt_obj_deleter.go
    attributes = replace(attributes_of(scope.request), verb=_UNSAFE_VERB)
    decision, reason = await scope.services.authorization.authorize(attributes)
    if decision is not Decision.ALLOW:
        text = f"not permitted to do {quote(_UNSAFE_VERB)}, reason: {reason}"
        raise errors.forbidden(scope.resource.group_resource, scope.name, text)
    obj = await scope.store.delete_unread(scope.context(options), scope.name)
    return ObjectResult(scope.resource, obj=success(scope.resource.group_resource, obj))


def _warn(scope: Scope, raw: Object) -> None:
    warnings = scope.store.resource.strategy.warnings_on_delete(Deletion(options=raw))
    scope.request.warnings.extend(warnings)


async def _delete(
    scope: Scope, name: str, raw: Object, options: Options, namespace: str | None = None
) -> tuple[Object, bool]:
    deletion = Deletion(grace_period_seconds=raw.get("gracePeriodSeconds"), options=raw)
    context = scope.context(options)
    if namespace is not None:
        context.namespace = namespace

    async def admit(obj: Object | None, old: Object | None) -> None:
        attributes = scope.attributes(Operation.DELETE, obj, old, options, raw)
        attributes.name = name
        attributes.namespace = context.namespace
        await scope.services.admission.admit(attributes)
        await scope.services.admission.validate(attributes)

    return await scope.store.delete(context, name, deletion, admit)
