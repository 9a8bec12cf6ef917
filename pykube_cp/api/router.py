"""From what is asked to the page that answers it."""

from collections.abc import Callable

import orjson

from pykube_cp.api import (
    acceptance,
    connect,
    debug,
    discovery,
    endpoints,
    health,
    metrics,
    patching,
    routes,
    version,
    well_known,
    zpages,
)
from pykube_cp.api.endpoints import (
    Endpoint,
    Endpoints,
    not_allowed,
    not_found,
    not_found_page,
    require_acceptable,
    require_consumable,
)
from pykube_cp.api.openapi import handler as openapi
from pykube_cp.api.request import Handler, Outcome, Request, RequestInfo, Response
from pykube_cp.api.request_metrics import REQUESTS
from pykube_cp.api.scope import Scope, Verb
from pykube_cp.api.services import Services
from pykube_cp.api.subresource import handle as handle_subresource
from pykube_cp.api.verbs import create, delete, get, patch, update, watch
from pykube_cp.api.verbs import list as list_verb
from pykube_cp.machinery import errors, schema
from pykube_cp.machinery.codec import catalog as codecs
from pykube_cp.machinery.codec.negotiation import CBOR_SEQUENCE
from pykube_cp.machinery.gvk import GVK
from pykube_cp.resources.subresources.catalog import PAGES

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
        endpoint = endpoints.find(found, request.path) or discovery.find(services, request.path)
        if endpoint is None:
            if endpoints.is_below_any(found, request.path):
                raise not_found()
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
    is_below_group = (prefix == "api" and rest) or (group and services.catalog.group(group))
    if is_below_group:
        raise not_found()
    return not_found_page()


async def _resource(services: Services, request: Request) -> Outcome:
    info = request.info
    route = routes.find(services.catalog, info) if _is_below(request.path, info) else None
    if route is None:
        if not request.path:
            raise not_found()
        return _nowhere(services, request.path)
    if request.method not in route.methods:
        raise not_allowed()
    request.is_served = True
    if info.verb == "patch" and route.produces == endpoints.OBJECT_MEDIA:
        require_consumable(request, patching.accepted(services, route.resource))
    require_acceptable(request, _produces(services, route, request.method))
    if len(info.parts) > 1 and not info.name:
        raise errors.bad_request("name must be provided")
    if not connect.serves(route.resource, info.subresource) or info.subresource == "log":
        request.accepted = acceptance.agree(
            request, services.media, route.resource, route.subresource
        )
    scope = Scope(services, request, route.resource, services.store(route.resource))
    scope.subresource = route.subresource
    _warn(request, scope.kind)
    return await _serve(scope)


def _produces(services: Services, route: routes.Route, method: str) -> tuple[str, ...]:
    """The media types of a route, among them those behind feature gates; streams are read only."""
    streams = route.produces == endpoints.STREAM_MEDIA and method == "GET"
    is_plain = route.produces == endpoints.STREAM_MEDIA and not streams
    found = endpoints.OBJECT_MEDIA if is_plain else route.produces
    if not services.media.has_cbor or endpoints.OBJECT_MEDIA[0] not in found:
        return found
    if not streams:
        return (*found, codecs.CBOR.media_type)
    stream_types = found[len(endpoints.OBJECT_MEDIA) :]
    return (*endpoints.OBJECT_MEDIA, codecs.CBOR.media_type, *stream_types, CBOR_SEQUENCE)


def _is_below(path: str, info: RequestInfo) -> bool:
    """Whether the path begins with group and version as they are served, without empty parts.

    Local clients name what they want and need no path.
    """
    start = f"/apis/{info.group}/{info.version}/" if info.group else f"/api/{info.version}/"
    return not path or path.startswith(start)


async def _serve(scope: Scope) -> Outcome:
    info = scope.request.info
    if connect.serves(scope.resource, info.subresource):
        return await connect.handle(scope)
    page = PAGES.get((scope.resource.group_resource, info.subresource))
    if page is not None:
        return await handle_subresource(scope, page)
    if info.verb == "watch" and "watch" not in scope.resource.verbs:
        raise errors.method_not_supported(scope.resource.group_resource, "watch")
    return await VERBS[info.verb](scope)


def _warn(request: Request, gvk: GVK) -> None:
    """Tell the client that there is a better kind."""
    # upstream: apiserver pkg/endpoints/installer.go registerResourceHandlers
    if warning := schema.deprecation_warning(gvk):
        request.warnings.append(warning)
        REQUESTS.note_deprecated(request.info, warning)
