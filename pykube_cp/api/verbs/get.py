"""Read one object."""

from pykube_cp.api.request import ObjectResult
from pykube_cp.api.scope import Scope
from pykube_cp.api.versions import parse_version, wait_for


async def handle(scope: Scope) -> ObjectResult:
    """The stored bytes, untouched."""
    if version := scope.request.query.get("resourceVersion"):
        await wait_for(scope.services.caches, parse_version(version))
    entry = await scope.store.get(scope.namespace, scope.name)
    return ObjectResult(scope.resource, entry=entry)
