"""Create an object."""
# upstream: apiserver pkg/endpoints/handlers/create.go createHandler

from pykube_cp.admission.interface import Operation
from pykube_cp.api import owners, ownership
from pykube_cp.api.decode import decode_object
from pykube_cp.api.request import ObjectResult
from pykube_cp.api.scope import Scope, check_namespace
from pykube_cp.registry import metadata


async def handle(scope: Scope) -> ObjectResult:
    """201 with the object as stored."""
    options = scope.options("CreateOptions")
    obj = await decode_object(scope, scope.resource.gvk, options)
    check_namespace(obj, scope.namespace)
    owners.deduplicate(obj, scope.request.warnings)
    metadata.wipe(obj)
    obj = ownership.record(scope, obj, None, options)
    obj = scope.to_stored(obj)
    obj = await scope.mutate(Operation.CREATE, obj, None, options)
    check_namespace(obj, scope.namespace)
    admit = scope.validator(Operation.CREATE, options)
    entry = await scope.store.create(scope.context(options), obj, admit)
    return ObjectResult(scope.resource, entry=entry, status=201)
