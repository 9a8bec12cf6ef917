"""Read off method and path what is asked."""
# upstream: apiserver pkg/endpoints/request/requestinfo.go RequestInfoFactory.NewRequestInfo

from pykube_cp.api.request import Handler, Outcome, Query, Request, RequestInfo
from pykube_cp.api.services import Services
from pykube_cp.machinery import errors, selectors
from pykube_cp.machinery.gvk import GVR

_VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_COLLECTION_VERBS = frozenset({"list", "watch", "deletecollection"})


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package."""
    del services

    async def handle(request: Request) -> Outcome:
        request.info = parse(request)
        return await following(request)

    return handle


def parse(request: Request) -> RequestInfo:
    """The request's info; requests outside ``/api`` and ``/apis`` keep the method as verb."""
    info = RequestInfo(request.path, request.method.lower())
    parts = [part for part in request.path.split("/") if part]
    if len(parts) < 3 or parts[0] not in {"api", "apis"}:
        return info
    info.prefix = parts[0]
    if parts[0] == "apis":
        if len(parts) < 4:
            return info
        info.group = parts[1]
        parts = parts[1:]
    info.version = parts[1]
    info.is_resource = True
    rest = parts[2:]
    info.verb = _VERBS.get(request.method, "")
    if rest[0] == "watch" and len(rest) > 1 and info.verb == "get":
        info.verb = "watch"
        rest = rest[1:]
    _locate(info, rest)
    _settle_verb(info, request.query)
    return info


def of_resource(
    method: str, gvr: GVR, namespace: str, name: str, subresource: str, query: Query
) -> RequestInfo:
    """What ``parse`` would find in the path of these."""
    group, version, resource = gvr
    info = RequestInfo("", _VERBS[method], is_resource=True)
    info.prefix = "apis" if group else "api"
    info.group, info.version, info.resource = group, version, resource
    info.namespace = name if resource == "namespaces" and name else namespace
    info.name, info.subresource = name, subresource
    info.parts = (resource, name, subresource)
    _settle_verb(info, query)
    return info


def _locate(info: RequestInfo, rest: list[str]) -> None:
    """Namespace, resource, name and subresource of the path behind the version."""
    if rest[0] == "namespaces" and len(rest) > 1:
        info.namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
    info.parts = tuple(rest)
    info.resource = rest[0]
    info.name = rest[1] if len(rest) > 1 else ""
    info.subresource = rest[2] if len(rest) > 2 else ""


def _settle_verb(info: RequestInfo, query: Query) -> None:
    if not info.name and info.verb == "get":
        info.verb = "watch" if query.flag("watch") else "list"
    elif not info.name and info.verb == "delete":
        info.verb = "deletecollection"
    if info.verb in _COLLECTION_VERBS and "fieldSelector" in query:
        # A collection narrowed to one name is authorized as that name.
        try:
            selector = selectors.parse_field_selector(query.get("fieldSelector"))
        except (ValueError, errors.StatusError):
            return
        name = selector.requires_exact_match("metadata.name")
        if name and not info.name:
            info.name = name
