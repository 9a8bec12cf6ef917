"""OpenAPI documents, made from schema and catalog when someone first asks: v2 whole, v3 by group.

Version 3 has a document per group and version, named with the hash of its content, so that clients
may keep it. Version 2 is offered in JSON only; clients that want its protobuf form are told so.
"""
# upstream: kube-openapi pkg/handler3/handler.go, pkg/handler/handler.go

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson

from pykube_cp import KUBERNETES_VERSION
from pykube_cp.api.openapi_paths import operations
from pykube_cp.api.openapi_types import Definitions
from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.services import Services
from pykube_cp.machinery import errors
from pykube_cp.machinery.codec.negotiation import parse_accept
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Resource

Route = Callable[[Request], Awaitable[Outcome]]
_FOREVER = "public, immutable, max-age=31536000"


class Documents:
    """The documents of the catalog as it is, kept until it changes."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._generation = -1
        self._made: dict[str, tuple[bytes, str]] = {}

    def v3(self, root: str) -> tuple[bytes, str]:
        """The document of ``api/v1``, ``apis/apps/v1`` and its hash; ``KeyError`` for others."""
        self._refresh()
        if root not in self._made:
            rows = self._rows(root)
            if not rows:
                raise KeyError(root)
            self._made[root] = _with_hash(_document_v3(rows))
        return self._made[root]

    def roots(self) -> list[str]:
        catalog = self._services.catalog
        return [
            f"apis/{group.name}/{version}" if group.name else f"api/{version}"
            for group in catalog.groups()
            for version in group.versions
        ]

    def v2(self) -> tuple[bytes, str]:
        self._refresh()
        if "v2" not in self._made:
            self._made["v2"] = _with_hash(_document_v2(self._services.catalog.all()))
        return self._made["v2"]

    def _rows(self, root: str) -> tuple[Resource, ...]:
        parts = root.split("/")
        group, version = ("", parts[1]) if parts[0] == "api" else (parts[1], parts[2])
        return self._services.catalog.resources(group, version)

    def _refresh(self) -> None:
        generation = self._services.catalog.generation
        if generation != self._generation:
            self._generation = generation
            self._made.clear()


def routes(services: Services) -> dict[str, Route]:
    """``/openapi/v2``, ``/openapi/v3`` and the documents below it."""
    documents = Documents(services)

    async def handle(request: Request) -> Outcome:
        parts = request.path.strip("/").split("/")
        if parts[1:] == ["v2"]:
            return _serve_v2(documents, request)
        if parts[1:] == ["v3"]:
            return _index(documents)
        if parts[1:2] == ["v3"]:
            return _serve_v3(documents, request, "/".join(parts[2:]))
        return Response(404, b"404 page not found\n", "text/plain; charset=utf-8")

    return {"/openapi": handle}


def _index(documents: Documents) -> Response:
    paths = {
        root: {"serverRelativeURL": f"/openapi/v3/{root}?hash={documents.v3(root)[1]}"}
        for root in documents.roots()
    }
    return Response(200, orjson.dumps({"paths": paths}))


def _serve_v3(documents: Documents, request: Request, root: str) -> Response:
    try:
        body, digest = documents.v3(root)
    except (KeyError, IndexError):
        return Response(404, b"404 page not found\n", "text/plain; charset=utf-8")
    headers = [("ETag", f'"{digest}"'), ("Vary", "Accept")]
    asked = request.query.get("hash")
    if asked and asked != digest:
        location = f"/openapi/v3/{root}?hash={digest}"
        return Response(301, headers=[("Location", location), *headers])
    if asked:
        headers.append(("Cache-Control", _FOREVER))
    if digest in request.header("if-none-match"):
        return Response(304, headers=headers)
    return Response(200, body, headers=headers)


def _serve_v2(documents: Documents, request: Request) -> Response:
    accept = request.header("accept")
    wants_json = not accept or any(
        clause.subtype in {"json", "*"} for clause in parse_accept(accept)
    )
    if not wants_json:
        raise errors.not_acceptable(["application/json"])
    body, digest = documents.v2()
    headers = [("ETag", f'"{digest}"'), ("Vary", "Accept")]
    if digest in request.header("if-none-match"):
        return Response(304, headers=headers)
    return Response(200, body, headers=headers)


def _with_hash(document: Object) -> tuple[bytes, str]:
    body = orjson.dumps(document)
    return body, hashlib.sha512(body).hexdigest().upper()


def _info() -> Object:
    return {"title": "Kubernetes", "version": KUBERNETES_VERSION}


def _document_v3(rows: Iterable[Resource]) -> Object:
    definitions = Definitions("#/components/schemas/", version=3)
    paths: dict[str, Any] = {}
    for row in rows:
        paths.update(operations(row, definitions, version=3))
    return {
        "openapi": "3.0.0",
        "info": _info(),
        "paths": paths,
        "components": {"schemas": definitions.all()},
    }


def _document_v2(rows: Iterable[Resource]) -> Object:
    definitions = Definitions("#/definitions/", version=2)
    paths: dict[str, Any] = {}
    for row in rows:
        paths.update(operations(row, definitions, version=2))
    return {
        "swagger": "2.0",
        "info": _info(),
        "paths": paths,
        "definitions": definitions.all(),
    }
