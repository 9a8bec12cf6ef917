"""Which paths there are below a group and version, and which methods each of them takes."""
# upstream: apiserver pkg/endpoints/installer.go registerResourceHandlers, github.com/emicklei/go-restful
# curly.go

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pykube_cp.api.endpoints import OBJECT_MEDIA, STREAM_MEDIA
from pykube_cp.api.request import RequestInfo
from pykube_cp.machinery.gvk import GVR
from pykube_cp.registry.catalog import Catalog
from pykube_cp.registry.resource import Resource, Subresource

_EVERYWHERE = (("GET", "list"),)
_COLLECTION = (("GET", "list"), ("POST", "create"), ("DELETE", "deletecollection"))
_ITEM = (("GET", "get"), ("PUT", "update"), ("PATCH", "patch"), ("DELETE", "delete"))
_PART = (*_ITEM, ("POST", "create"))
_WATCH = (("GET", "watch"),)
_PROXY = (*_PART, ("HEAD", "get"), ("OPTIONS", "get"))
_ANY_MEDIA = ("*/*",)
_PRODUCES: Mapping[str, tuple[str, ...]] = {
    "log": ("text/plain", *OBJECT_MEDIA),
    **dict.fromkeys(("attach", "exec", "portforward"), _ANY_MEDIA),
}


@dataclass(frozen=True, slots=True)
class Route:
    """A path that is served: what it is about, and its methods with the verb each of them is."""

    resource: Resource
    subresource: Subresource | None
    methods: Mapping[str, str]
    produces: tuple[str, ...] = OBJECT_MEDIA


def find(catalog: Catalog, info: RequestInfo) -> Route | None:
    """The route of a path; None when nobody serves it, whatever the method."""
    row = catalog.resource(GVR(info.group, info.version, info.resource))
    if row is None:
        return None
    found = _watched(row, info) if info.by_prefix else _plain(row, info)
    return found if found is not None and found.methods else None


def _watched(row: Resource, info: RequestInfo) -> Route | None:
    if info.by_prefix != "watch" or len(info.parts) > 2 or not _is_placed(row, info):
        return None
    return Route(row, None, _methods(_WATCH, row.verbs), STREAM_MEDIA)


def _plain(row: Resource, info: RequestInfo) -> Route | None:
    if not _is_placed(row, info):
        return None
    match len(info.parts):
        case 1 if row.namespaced and not info.in_namespace:
            return Route(row, None, _methods(_EVERYWHERE, row.verbs), STREAM_MEDIA)
        case 1:
            return Route(row, None, _methods(_COLLECTION, row.verbs), STREAM_MEDIA)
        case 2:
            return Route(row, None, _methods(_ITEM, row.verbs))
        case length:
            return _part(row, info.subresource, has_path=length > 3)


def _part(row: Resource, name: str, *, has_path: bool) -> Route | None:
    sub = row.subresource(name)
    if sub is None or (has_path and name != "proxy"):
        return None
    if name == "proxy":
        return Route(row, sub, dict(_PROXY), _ANY_MEDIA)
    return Route(row, sub, _methods(_PART, sub.verbs), _PRODUCES.get(name, OBJECT_MEDIA))


def _is_placed(row: Resource, info: RequestInfo) -> bool:
    """Whether the path names a namespace where it has to, and only there."""
    everywhere = row.namespaced and len(info.parts) == 1
    return info.in_namespace is row.namespaced or everywhere


@cache
def _methods(form: tuple[tuple[str, str], ...], verbs: tuple[str, ...]) -> Mapping[str, str]:
    return {method: verb for method, verb in form if verb in verbs}
