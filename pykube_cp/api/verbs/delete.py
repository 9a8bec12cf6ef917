"""Delete one object, or a collection of them."""
# upstream: apiserver pkg/endpoints/handlers/delete.go

from pykube_cp.admission.interface import Operation
from pykube_cp.api.decode import decode_delete_options
from pykube_cp.api.request import ListResult, ObjectResult
from pykube_cp.api.scope import Options, Scope
from pykube_cp.api.selection import select
from pykube_cp.machinery import errors
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import Deletion
from pykube_cp.resources.shared.statuses import success


async def handle(scope: Scope) -> ObjectResult:
    """The object when it goes on existing or the kind answers with it, else a Status."""
    raw, options = await decode_delete_options(scope)
    obj, gone = await _delete(scope, scope.name, raw, options)
    if gone and not scope.store.resource.strategy.returns_deleted_object:
        return ObjectResult(scope.resource, obj=success(scope.resource.group_resource, obj))
    orphans = raw.get("orphanDependents")
    status = 202 if not gone and orphans is False else 200
    return ObjectResult(scope.resource, obj=scope.to_served(obj), status=status)


async def handle_collection(scope: Scope) -> ListResult:
    """All that match, deleted one by one; what is gone already is no error."""
    raw, options = await decode_delete_options(scope)
    selection = select(scope.request.query, scope.resource, "")
    cache = await scope.store.cache()
    found = [
        entry
        for entry in cache.entries(scope.namespace)
        if selection.matches is None or selection.matches(entry)
    ]
    revision = scope.services.caches.revision
    for entry in found:
        each = Scope(scope.services, scope.request, scope.resource, scope.store)
        try:
            await _delete(each, entry.name, raw, options, namespace=entry.namespace)
        except errors.StatusError as error:
            if not errors.is_not_found(error):
                raise
    return ListResult(scope.resource, found, revision)


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
