"""Read off method and path what is asked."""
# upstream: apiserver pkg/endpoints/request/requestinfo.go RequestInfoFactory.NewRequestInfo

import re

from pykube_cp.api.endpoints import NO_SNIFFING, PLAIN
from pykube_cp.api.request import Handler, Outcome, Query, Request, RequestInfo, Response
from pykube_cp.api.services import Services
from pykube_cp.machinery import errors, names, selectors
from pykube_cp.machinery.go_text import harmless, quote
from pykube_cp.machinery.gvk import GVR

_VERBS = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
_BY_PREFIX = frozenset({"watch", "proxy"})
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_COLLECTION_VERBS = frozenset({"list", "watch", "deletecollection"})
_NUMBER = re.compile(r"[+-]?[0-9]+")


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package."""
    del services

    async def handle(request: Request) -> Outcome:
        request.info = parse(request)
        if request.info.error:
            return _makes_no_sense(request)
        return await following(request)

    return handle


def _makes_no_sense(request: Request) -> Response:
    # upstream: apiserver .../handlers/responsewriters/errors.go InternalError
    target = request.raw_path + (f"?{request.query.raw}" if request.query.raw else "")
    text = f"Internal Server Error: {quote(target)}: {request.info.error}, {target}"
    return Response(500, f"{harmless(text)}\n".encode(), PLAIN, [NO_SNIFFING])


def parse(request: Request) -> RequestInfo:
    """The request's info; requests outside ``/api`` and ``/apis`` keep the method as verb."""
    info = RequestInfo(request.path, request.method.lower())
    parts = request.path.strip("/").split("/")
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
    if rest[0] in _BY_PREFIX:
        if len(rest) < 2:
            info.error = (
                "failed to create RequestInfo: unable to determine kind and namespace from url"
            )
            return info
        info.verb = info.by_prefix = rest[0]
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
    info.in_namespace = bool(namespace) and resource != "namespaces"
    info.parts = tuple(part for part in (resource, name, subresource) if part)
    _settle_verb(info, query)
    return info


def _locate(info: RequestInfo, rest: list[str]) -> None:
    """Namespace, resource, name and subresource of the path behind the version."""
    if rest[0] == "namespaces" and len(rest) > 1:
        info.namespace = rest[1]
        if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
            rest = rest[2:]
            info.in_namespace = True
    info.parts = tuple(rest)
    info.resource = rest[0]
    info.name = rest[1] if len(rest) > 1 else ""
    if len(rest) > 2 and info.verb != "proxy":
        info.subresource = rest[2]


def _settle_verb(info: RequestInfo, query: Query) -> None:
    if not info.name and info.verb == "get":
        info.verb = "watch" if query.flag("watch") else "list"
        if "fieldSelector" in query:
            info.name = _selected_name(query)
    elif not info.name and info.verb == "delete":
        info.verb = "deletecollection"
    if info.verb in _COLLECTION_VERBS and not info.by_prefix:
        info.field_selector = query.get("fieldSelector")
        info.label_selector = query.get("labelSelector")


def _selected_name(query: Query) -> str:
    """A collection narrowed to one name is authorized as that name, if the rest makes sense."""
    if any(
        query.get(name) and not _NUMBER.fullmatch(query.get(name))
        for name in ("limit", "timeoutSeconds")
    ):
        return ""
    try:
        selectors.parse(query.get("labelSelector"))
        selector = selectors.parse_field_selector(query.get("fieldSelector"))
    except (ValueError, errors.StatusError):
        return ""
    name = selector.requires_exact_match("metadata.name") or ""
    return "" if names.is_path_segment_name(name) else name
