"""What is served: ``/api``, ``/apis`` and below, per group and aggregated."""
# upstream: apiserver pkg/endpoints/discovery, kube-aggregator pkg/apiserver/handler_apis.go

import hashlib

import orjson

from pykube_cp.api import respond
from pykube_cp.api.endpoints import Endpoint, Route
from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.services import Services
from pykube_cp.machinery.codec import catalog as codecs
from pykube_cp.machinery.codec.negotiation import NotAcceptableError, negotiate
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.catalog import Catalog, Group
from pykube_cp.registry.resource import Resource, Subresource

_AGGREGATED = GVK("apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList")


def endpoints(services: Services) -> dict[str, Endpoint]:
    """The two roots; both offer the aggregated form."""
    media = services.media
    aggregated = {core: _Aggregated(services.catalog, media, core=core) for core in (True, False)}

    async def core(request: Request) -> Outcome:
        if _wants_aggregated(request, media):
            return aggregated[True].response(request)
        return respond.plain(request, _api_versions(services), media=media)

    async def groups(request: Request) -> Outcome:
        if _wants_aggregated(request, media):
            return aggregated[False].response(request)
        return respond.plain(request, group_list(services.catalog), media=media)

    return {
        "/api": Endpoint(core, produces=tuple(media.types)),
        "/apis": Endpoint(groups),
        "/apis/": Endpoint(groups),
    }


def paths(catalog: Catalog) -> list[str]:
    """Of groups and versions."""
    found: list[str] = []
    for group in catalog.groups():
        root = f"/apis/{group.name}" if group.name else "/api"
        found += [root, *(f"{root}/{version}" for version in group.versions)]
    return found


def find(services: Services, path: str) -> Endpoint | None:
    """What answers at ``/api/v1``, ``/apis/GROUP`` or ``/apis/GROUP/VERSION``, if it is served."""
    catalog, media = services.catalog, services.media
    prefix, *parts = path.removeprefix("/").removesuffix("/").split("/")
    found: Object | None = None
    if prefix == "api" and len(parts) == 1:
        found = resource_list(catalog, "", parts[0])
    elif prefix == "apis" and len(parts) == 2:
        found = resource_list(catalog, parts[0], parts[1])
    elif prefix == "apis" and len(parts) == 1:
        group = catalog.group(parts[0])
        if group is not None and group.name:
            found = {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
            if not path.endswith("/"):  # the aggregator answers here, and looks at nothing else
                return Endpoint(_answer(found, media))
    if found is None:
        return None
    return Endpoint(_answer(found, media), produces=tuple(media.types))


def _answer(obj: Object, media: codecs.Media) -> Route:
    async def handle(request: Request) -> Outcome:
        return respond.plain(request, obj, media=media)

    return handle


def resource_list(catalog: Catalog, group: str, version: str) -> Object | None:
    """The resources of a group and version; None when it is not served."""
    rows = catalog.resources(group, version)
    if not rows:
        return None
    # The core group's answer has no version: clients of the first releases did not expect one.
    versioned = {"apiVersion": "v1"} if group else {}
    return {
        "kind": "APIResourceList",
        **versioned,
        "groupVersion": rows[0].api_version,
        "resources": [item for row in rows for item in _api_resources(row)],
    }


def _api_versions(services: Services) -> Object:
    # Without a version, as the core group's list.
    config = services.config
    address = f"{config.advertise_address}:{config.port}"
    return {
        "kind": "APIVersions",
        "versions": list((services.catalog.group("") or Group("", ("v1",))).versions),
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def group_list(catalog: Catalog) -> Object:
    """All groups but the core one."""
    groups = [_group(group) for group in catalog.groups() if group.name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def _group(group: Group) -> Object:
    versions = [
        {"groupVersion": f"{group.name}/{version}", "version": version}
        for version in group.versions
    ]
    return {"name": group.name, "versions": versions, "preferredVersion": versions[0]}


def _api_resources(row: Resource) -> list[Object]:
    main: Object = {
        "name": row.plural,
        "singularName": row.singular,
        "namespaced": row.namespaced,
        "kind": row.kind,
        "verbs": list(row.verbs),
    }
    if row.short_names:
        main["shortNames"] = list(row.short_names)
    if row.categories:
        main["categories"] = list(row.categories)
    if row.storage_version_hash:
        main["storageVersionHash"] = row.storage_version_hash
    return [main, *(_api_subresource(row, sub) for sub in row.subresources)]


def _api_subresource(row: Resource, sub: Subresource) -> Object:
    item: Object = {
        "name": f"{row.plural}/{sub.name}",
        "singularName": "",
        "namespaced": row.namespaced,
    }
    kind = row.kind_of(sub)
    if (kind.group, kind.version) != (row.group, row.version):
        item["group"], item["version"] = kind.group, kind.version
    return {**item, "kind": kind.kind, "verbs": list(sub.verbs)}


def _is_aggregated(media_type: str, target: GVK | None) -> bool:
    # upstream: .../discovery/aggregated/negotiation.go DiscoveryEndpointRestrictions
    del media_type
    return target == _AGGREGATED


def _wants_aggregated(request: Request, media: codecs.Media) -> bool:
    # upstream: .../discovery/aggregated/wrapper.go WrappedHandler.ServeHTTP; a plain media range
    # before the aggregated one does not count
    try:
        accepted = negotiate(request.header("accept"), media.codecs, allows=_is_aggregated)
    except NotAcceptableError:
        return False
    return accepted.convert == _AGGREGATED


class _Aggregated:
    """The aggregated document of one root, kept until the catalog changes."""

    def __init__(self, catalog: Catalog, media: codecs.Media, *, core: bool) -> None:
        self._catalog, self._media = catalog, media
        self._core = core
        self._generation = -1
        self._document: Object = {}
        self._tag = ""

    def response(self, request: Request) -> Response:
        """The document, or 304 when the client has it already."""
        # upstream: .../discovery/aggregated/etag.go ServeHTTPWithETag
        if self._generation != self._catalog.generation:
            self._make()
        headers = [("ETag", self._tag), ("Vary", "Accept"), ("Cache-Control", "public")]
        if request.header("if-none-match") == self._tag:
            return Response(304, headers=headers)
        return respond.plain(
            request, self._document, headers, allows=_is_aggregated, media=self._media
        )

    def _make(self) -> None:
        self._generation = self._catalog.generation
        self._document = aggregated_list(self._catalog, core=self._core)
        digest = hashlib.sha512(orjson.dumps(self._document["items"])).hexdigest()
        self._tag = f'"{digest.upper()}"'


def aggregated_list(catalog: Catalog, *, core: bool) -> Object:
    """All resources of the core group, or of all others."""
    groups = [group for group in catalog.groups() if bool(group.name) is not core]
    return {
        "kind": _AGGREGATED.kind,
        "apiVersion": _AGGREGATED.api_version,
        "metadata": {},
        "items": [_group_discovery(catalog, group) for group in groups],
    }


def _group_discovery(catalog: Catalog, group: Group) -> Object:
    return {
        "metadata": {"name": group.name} if group.name else {},
        "versions": [
            {
                "version": version,
                "resources": [
                    _resource_discovery(row) for row in catalog.resources(group.name, version)
                ],
                "freshness": "Current",
            }
            for version in group.versions
        ],
    }


def _resource_discovery(row: Resource) -> Object:
    item: Object = {
        "resource": row.plural,
        "responseKind": _response_kind(row, row.gvk),
        "scope": "Namespaced" if row.namespaced else "Cluster",
        "singularResource": row.singular,
        "verbs": list(row.verbs),
    }
    if row.short_names:
        item["shortNames"] = list(row.short_names)
    if row.categories:
        item["categories"] = list(row.categories)
    if row.subresources:
        item["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": _response_kind(row, row.kind_of(sub)),
                "verbs": list(sub.verbs),
            }
            for sub in row.subresources
        ]
    return item


def _response_kind(row: Resource, kind: GVK) -> Object:
    """Group and version are empty where they are the row's own, unless it is a custom one."""
    # upstream: apiserver pkg/endpoints/installer.go ConvertGroupVersionIntoToDiscovery,
    # apiextensions-apiserver pkg/apiserver/customresource_discovery_controller.go sync
    if not row.is_custom and (kind.group, kind.version) == (row.group, row.version):
        return {"group": "", "version": "", "kind": kind.kind}
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}
