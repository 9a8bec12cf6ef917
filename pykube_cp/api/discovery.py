"""What is served: ``/api``, ``/apis`` and below, per group and aggregated."""
# upstream: apiserver pkg/endpoints/discovery, pkg/endpoints/discovery/aggregated

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.services import Services
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.catalog import Group
from pykube_cp.registry.resource import Resource, Subresource

Route = Callable[[Request], Awaitable[Outcome]]
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"


def routes(services: Services) -> dict[str, Route]:
    """Handlers of the two roots; both offer the aggregated form."""

    async def core(request: Request) -> Outcome:
        aggregated = _aggregated(services, request, core=True)
        return aggregated or _json(_api_versions(services, request))

    async def groups(request: Request) -> Outcome:
        aggregated = _aggregated(services, request, core=False)
        return aggregated or _json(_group_list(services))

    return {"/api": core, "/apis": groups}


def group_handler(services: Services, request: Request) -> Route | None:
    """The handler of ``/api/v1``, ``/apis/GROUP`` or ``/apis/GROUP/VERSION``, if that is served."""
    parts = [part for part in request.path.split("/") if part]
    if len(parts) == 2 and parts[0] == "api":
        return _resources_route(services, "", parts[1])
    if len(parts) == 3 and parts[0] == "apis":
        return _resources_route(services, parts[1], parts[2])
    if len(parts) == 2 and parts[0] == "apis":
        group = services.catalog.group(parts[1])
        if group is not None and group.name:
            return _answer({"kind": "APIGroup", "apiVersion": "v1", **_group(group)})
    return None


def _resources_route(services: Services, group: str, version: str) -> Route | None:
    rows = services.catalog.resources(group, version)
    if not rows:
        return None
    items = [item for row in rows for item in _api_resources(row)]
    return _answer(
        {
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": rows[0].api_version,
            "resources": items,
        }
    )


def _answer(obj: Object) -> Route:
    async def handle(request: Request) -> Outcome:
        del request
        return _json(obj)

    return handle


def _json(obj: Object) -> Response:
    return Response(200, orjson.dumps(obj) + b"\n", headers=[("Vary", "Accept")])


def _api_versions(services: Services, request: Request) -> Object:
    address = request.header("host") or services.config.advertise_address
    return {
        "kind": "APIVersions",
        "versions": list((services.catalog.group("") or Group("", ("v1",))).versions),
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def _group_list(services: Services) -> Object:
    groups = [_group(group) for group in services.catalog.groups() if group.name]
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
        "kind": sub.kind.kind,
        "verbs": list(sub.verbs),
    }
    if (sub.kind.group, sub.kind.version) != (row.group, row.version):
        item["group"], item["version"] = sub.kind.group, sub.kind.version
    return item


def _aggregated(services: Services, request: Request, *, core: bool) -> Response | None:
    """The aggregated form, when the client prefers it; 304 when it has it already."""
    version = _wanted_version(request.header("accept"))
    if not version:
        return None
    groups = [group for group in services.catalog.groups() if bool(group.name) is not core]
    body = orjson.dumps(
        {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": f"apidiscovery.k8s.io/{version}",
            "metadata": {},
            "items": [_group_discovery(services, group) for group in groups],
        }
    )
    tag = f'"{hashlib.sha256(body).hexdigest().upper()}"'
    headers = [("ETag", tag), ("Vary", "Accept"), ("Cache-Control", "public")]
    if tag in request.header("if-none-match"):
        return Response(304, headers=headers)
    return Response(200, body, _AGGREGATED.format(version), headers)


def _wanted_version(accept: str) -> str:
    """The version of the first aggregated media range that comes before a plain one."""
    for clause in accept.split(","):
        parameters = dict(part.strip().partition("=")[::2] for part in clause.split(";")[1:])
        media_type = clause.partition(";")[0].strip()
        if parameters.get("as") == "APIGroupDiscoveryList" and media_type == "application/json":
            if parameters.get("v") in {"v2", "v2beta1"}:
                return parameters["v"]
        elif media_type in {"application/json", "*/*", "application/*"} and not parameters.get(
            "as"
        ):
            return ""
    return ""


def _group_discovery(services: Services, group: Group) -> Object:
    metadata: dict[str, Any] = {"creationTimestamp": None}
    if group.name:
        metadata = {"name": group.name, "creationTimestamp": None}
    return {
        "metadata": metadata,
        "versions": [
            {
                "version": version,
                "resources": [
                    _resource_discovery(row)
                    for row in services.catalog.resources(group.name, version)
                ],
                "freshness": "Current",
            }
            for version in group.versions
        ],
    }


def _resource_discovery(row: Resource) -> Object:
    item: Object = {
        "resource": row.plural,
        "responseKind": {"group": row.group, "version": row.version, "kind": row.kind},
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
                "responseKind": {
                    "group": sub.kind.group,
                    "version": sub.kind.version,
                    "kind": sub.kind.kind,
                },
                "verbs": list(sub.verbs),
            }
            for sub in row.subresources
        ]
    return item
