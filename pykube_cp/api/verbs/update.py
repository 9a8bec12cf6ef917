"""Replace an object, or the part of it that a subresource shows."""
# upstream: apiserver pkg/endpoints/handlers/update.go UpdateResource

from pykube_cp.admission.interface import Operation
from pykube_cp.api import owners, ownership
from pykube_cp.api.decode import decode_object
from pykube_cp.api.request import ObjectResult
from pykube_cp.api.scope import Scope, check_name, check_namespace, copy_of
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.metadata import check_preconditions


async def handle(scope: Scope) -> ObjectResult:
    """200 with the object as stored, 201 when the kind allows creation by update."""
    options = scope.options("UpdateOptions")
    body = await decode_object(scope, scope.resource.gvk, options)
    check_namespace(body, scope.namespace)
    check_name(body, scope.name)
    owners.deduplicate(body, scope.request.warnings)

    async def change(old: Object | None) -> Object:
        obj = copy_of(body)
        meta = {"name": scope.name, "namespace": scope.namespace}
        uid = obj["metadata"].get("uid", "")
        known = old or {"metadata": meta}
        check_preconditions(scope.store.resource, known, uid, dry_run=options.dry_run)
        live = scope.to_served(old) if old is not None else None
        obj = ownership.record(scope, obj, live, options)
        obj = scope.to_stored(obj)
        operation = Operation.UPDATE if old is not None else Operation.CREATE
        return await scope.mutate(operation, obj, old, options)

    updated = await scope.store.update(
        scope.context(options),
        scope.name,
        change,
        scope.validator(Operation.UPDATE, options),
        strategy=scope.strategy,
        may_create=scope.subresource is None and scope.strategy.allow_create_on_update,
        create_admit=scope.creation_validator(options),
    )
    status = 201 if updated.created else 200
    return ObjectResult(scope.resource, entry=updated.entry, status=status)
