"""From what is asked to the page that answers it."""

from collections.abc import Callable

import orjson

from pykube_cp.api import (
    connect,
    debug,
    discovery,
    endpoints,
    health,
    metrics,
    version,
    well_known,
    zpages,
)
from pykube_cp.api.endpoints import (
    OBJECT_MEDIA,
    STREAM_MEDIA,
    Endpoint,
    Endpoints,
    not_allowed,
    not_found,
    not_found_page,
    require_acceptable,
)
from pykube_cp.api.openapi import handler as openapi
from pykube_cp.api.request import Handler, Outcome, Request, Response
from pykube_cp.api.scope import Scope, Verb
from pykube_cp.api.services import Services
from pykube_cp.api.subresource import handle as handle_subresource
from pykube_cp.api.verbs import create, delete, get, patch, update, watch
from pykube_cp.api.verbs import list as list_verb
from pykube_cp.machinery import schema
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.resources.subresources.catalog import PAGES
from pykube_cp.resources.subresources.interface import Page

VERBS: dict[str, Verb] = {
    "get": get.handle,
    "list": list_verb.handle,
    "watch": watch.handle,
    "create": create.handle,
    "update": update.handle,
    "patch": patch.handle,
    "delete": delete.handle,
    "deletecollection": delete.handle_collection,
}
_ON_STATUS = frozenset({"get", "update", "patch"})


def build(services: Services) -> Handler:
    """The innermost handler."""
    catalog = services.catalog
    found: dict[str, Endpoint] = {
        **health.endpoints(services),
        **version.endpoints(),
        **discovery.endpoints(services),
        **openapi.endpoints(services),
        **well_known.endpoints(services),
        **metrics.endpoints(services),
        **zpages.endpoints(services),
        **debug.endpoints(),
    }
    index = Endpoint(_index(found, lambda: discovery.paths(catalog)), listed=False)
    found |= {"/": index, "/index.html": index}

    async def route(request: Request) -> Outcome:
        if request.info.is_resource:
            return await _resource(services, request)
        endpoint = endpoints.find(found, request.path) or discovery.find(catalog, request.path)
        if endpoint is None:
            return _nowhere(services, request.path)
        request.is_served = True
        return await endpoint.answer(request)

    return route


def _index(found: Endpoints, more: Callable[[], list[str]]) -> endpoints.Route:
    """All paths there are."""
    # upstream: apiserver pkg/server/routes/index.go

    async def handle(request: Request) -> Outcome:
        del request
        listed = [path for path, endpoint in found.items() if endpoint.listed]
        body = {"paths": sorted({*listed, *more()})}
        return Response(200, orjson.dumps(body, option=orjson.OPT_INDENT_2))

    return handle


def _nowhere(services: Services, path: str) -> Response:
    """Below a served group the answer is a Status, elsewhere a page."""
    prefix, _, rest = path.removeprefix("/").partition("/")
    group = rest.partition("/")[0] if prefix == "apis" else ""
    if (prefix == "api" and rest) or (group and services.catalog.group(group) is not None):
        raise not_found()
    return not_found_page()


async def _resource(services: Services, request: Request) -> Outcome:
    info = request.info
    resource = services.catalog.resource(GVR(info.group, info.version, info.resource))
    if resource is None:
        if services.catalog.group(info.group) is not None:
            raise not_found()
        return not_found_page()
    if resource.namespaced and not info.namespace and info.verb not in {"list", "watch"}:
        if info.verb == "deletecollection":
            raise not_allowed()
        raise not_found()
    scope = Scope(services, request, resource, services.store(resource))
    page = PAGES.get(((resource.group, resource.plural), info.subresource))
    if info.subresource or page is not None:
        return await _subresource(scope, page)
    return await _whole(scope)


async def _whole(scope: Scope) -> Outcome:
    info = scope.request.info
    if info.verb not in scope.resource.verbs:
        raise not_allowed()
    scope.request.is_served = True
    if (info.verb in {"get", "update", "patch", "delete"}) is not bool(scope.name) and (
        info.verb not in {"list", "watch", "deletecollection"}
    ):
        raise not_allowed()
    is_stream = info.verb in {"list", "watch"}
    require_acceptable(scope.request, STREAM_MEDIA if is_stream else OBJECT_MEDIA)
    _warn(scope.request, scope.resource.gvk)
    if scope.request.query.flag("watch") and info.verb == "list":
        return await watch.handle(scope)
    return await VERBS[info.verb](scope)


async def _subresource(scope: Scope, page: Page | None) -> Outcome:
    info = scope.request.info
    if info.subresource:
        scope.subresource = scope.resource.subresource(info.subresource)
        if scope.subresource is None:
            raise not_found()
        _warn(scope.request, scope.subresource.kind)
    scope.request.is_served = True
    if info.subresource == "log":
        require_acceptable(scope.request, ("text/plain", *OBJECT_MEDIA))
    if connect.serves(scope.resource, info.subresource):
        return await connect.handle(scope)
    require_acceptable(scope.request, OBJECT_MEDIA)
    if page is not None:
        return await handle_subresource(scope, page)
    assert scope.subresource is not None
    if info.verb not in scope.subresource.verbs or info.verb not in _ON_STATUS:
        raise not_allowed()
    return await VERBS[info.verb](scope)


def _warn(request: Request, gvk: GVK) -> None:
    """Tell the client that there is a better kind."""
    # upstream: apiserver pkg/endpoints/installer.go registerResourceHandlers
    if warning := schema.deprecation_warning(gvk):
        request.warnings.append(warning)
