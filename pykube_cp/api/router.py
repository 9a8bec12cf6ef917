"""From what is asked to the page that answers it."""

from pykube_cp.api import connect, discovery, health, well_known
from pykube_cp.api.openapi import handler as openapi
from pykube_cp.api.request import Handler, Outcome, Request, Response
from pykube_cp.api.scope import Scope, Verb
from pykube_cp.api.services import Services
from pykube_cp.api.subresource import handle as handle_subresource
from pykube_cp.api.verbs import create, delete, get, patch, update, watch
from pykube_cp.api.verbs import list as list_verb
from pykube_cp.machinery import errors, schema
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
_WITH_SUBPATHS = frozenset({"/healthz", "/livez", "/readyz", "/openapi", "/.well-known", "/openid"})
_ON_STATUS = frozenset({"get", "update", "patch"})


def build(services: Services) -> Handler:
    """The innermost handler."""
    paths = {
        **health.routes(services),
        **discovery.routes(services),
        **openapi.routes(services),
        **well_known.routes(services),
    }

    async def route(request: Request) -> Outcome:
        if request.info.is_resource:
            return await _resource(services, request)
        path = request.path.rstrip("/") or "/"
        handler = paths.get(path) or discovery.group_handler(services, request)
        if handler is None:
            root = "/" + path.split("/")[1]
            handler = paths.get(root) if root in _WITH_SUBPATHS else None
        if handler is None:
            return not_found_page()
        return await handler(request)

    return route


def not_found_page() -> Response:
    """What a path that nobody serves gets."""
    return Response(404, b"404 page not found\n", "text/plain; charset=utf-8")


async def _resource(services: Services, request: Request) -> Outcome:
    info = request.info
    resource = services.catalog.resource(GVR(info.group, info.version, info.resource))
    if resource is None:
        if services.catalog.resources(info.group, info.version):
            raise errors.StatusError(
                404, "NotFound", "the server could not find the requested resource", {}
            )
        return not_found_page()
    if resource.namespaced and not info.namespace and info.verb not in {"list", "watch"}:
        if info.verb == "deletecollection":
            raise _not_allowed()
        return not_found_page()
    scope = Scope(services, request, resource, services.store(resource))
    page = PAGES.get(((resource.group, resource.plural), info.subresource))
    if info.subresource or page is not None:
        return await _subresource(scope, page)
    return await _whole(scope)


async def _whole(scope: Scope) -> Outcome:
    info = scope.request.info
    if info.verb not in scope.resource.verbs:
        raise _not_allowed()
    if (info.verb in {"get", "update", "patch", "delete"}) is not bool(scope.name) and (
        info.verb not in {"list", "watch", "deletecollection"}
    ):
        raise _not_allowed()
    _warn(scope.request, scope.resource.gvk)
    if scope.request.query.flag("watch") and info.verb == "list":
        return await watch.handle(scope)
    return await VERBS[info.verb](scope)


async def _subresource(scope: Scope, page: Page | None) -> Outcome:
    info = scope.request.info
    if info.subresource:
        scope.subresource = scope.resource.subresource(info.subresource)
        if scope.subresource is None:
            return not_found_page()
        _warn(scope.request, scope.subresource.kind)
    if connect.serves(scope.resource, info.subresource):
        return await connect.handle(scope)
    if page is not None:
        return await handle_subresource(scope, page)
    assert scope.subresource is not None
    if info.verb not in scope.subresource.verbs or info.verb not in _ON_STATUS:
        raise _not_allowed()
    return await VERBS[info.verb](scope)


def _warn(request: Request, gvk: GVK) -> None:
    """Tell the client that there is a better kind."""
    # upstream: apiserver pkg/endpoints/installer.go registerResourceHandlers
    if warning := schema.deprecation_warning(gvk):
        request.warnings.append(warning)


def _not_allowed() -> errors.StatusError:
    """405 for a verb that nobody serves at that path."""
    text = "the server does not allow this method on the requested resource"
    return errors.StatusError(405, "MethodNotAllowed", text, {})
