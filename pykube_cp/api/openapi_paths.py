"""Paths and operations of a row in OpenAPI documents."""

from collections.abc import Iterator
from typing import Any

from pykube_cp.api.openapi_types import Definitions
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Resource, Subresource

_WRITE = ("dryRun", "fieldManager", "fieldValidation")
_LIST = (
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
    "timeoutSeconds",
    "watch",
)
_DELETE = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
_TYPES = {
    "limit": "integer",
    "timeoutSeconds": "integer",
    "gracePeriodSeconds": "integer",
    "force": "boolean",
    "watch": "boolean",
    "allowWatchBookmarks": "boolean",
    "sendInitialEvents": "boolean",
    "orphanDependents": "boolean",
}
_METHODS = {
    "create": ("post", "post", _WRITE),
    "list": ("get", "list", _LIST),
    "get": ("get", "get", ()),
    "update": ("put", "put", _WRITE),
    "patch": ("patch", "patch", (*_WRITE, "force")),
    "delete": ("delete", "delete", _DELETE),
    "deletecollection": ("delete", "deletecollection", (*_LIST[1:8], *_DELETE)),
}
_COLLECTION = ("create", "list", "deletecollection")
_OBJECT = ("get", "update", "patch", "delete")
_MEDIA = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
_PATCHES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    "application/apply-patch+yaml",
)


def operations(row: Resource, definitions: Definitions, *, version: int) -> dict[str, Any]:
    """Path -> operations of a row and its subresources."""
    root = f"/apis/{row.group}/{row.version}" if row.group else f"/api/{row.version}"
    base = (
        f"{root}/namespaces/{{namespace}}/{row.plural}"
        if row.namespaced
        else f"{root}/{row.plural}"
    )
    writer = _Writer(row, definitions, version)
    found: dict[str, Any] = {}
    writer.add(found, base, row.gvk, [verb for verb in _COLLECTION if verb in row.verbs])
    if row.namespaced and "list" in row.verbs:
        writer.add(found, f"{root}/{row.plural}", row.gvk, ["list"])
    writer.add(found, f"{base}/{{name}}", row.gvk, [verb for verb in _OBJECT if verb in row.verbs])
    for sub in row.subresources:
        _add_subresource(found, writer, f"{base}/{{name}}/{sub.name}", sub)
    return found


def _add_subresource(found: dict[str, Any], writer: "_Writer", path: str, sub: Subresource) -> None:
    writer.add(found, path, sub.kind, [verb for verb in sub.verbs if verb in _METHODS])


class _Writer:
    """Writes operations of one row."""

    def __init__(self, row: Resource, definitions: Definitions, version: int) -> None:
        self._row = row
        self._definitions = definitions
        self._version = version

    def add(self, found: dict[str, Any], path: str, gvk: GVK, verbs: list[str]) -> None:
        if not verbs:
            return
        item: Object = {_METHODS[verb][0]: self._operation(verb, gvk) for verb in verbs}
        item["parameters"] = list(self._path_parameters(path))
        found[path] = item

    def _operation(self, verb: str, gvk: GVK) -> Object:
        _, action, parameters = _METHODS[verb]
        operation: Object = {
            "tags": [_tag(self._row)],
            "parameters": [self._parameter(name, "query") for name in parameters],
            "responses": self._responses(verb, gvk),
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": {
                "group": gvk.group,
                "version": gvk.version,
                "kind": gvk.kind,
            },
        }
        self._add_body(operation, verb, gvk)
        return operation

    def _add_body(self, operation: Object, verb: str, gvk: GVK) -> None:
        if verb not in {"create", "update", "patch"}:
            return
        media = _PATCHES if verb == "patch" else ("*/*",)
        body = {"type": "object"} if verb == "patch" else self._definitions.of_kind(gvk)
        if self._version == 2:
            operation["parameters"].append(
                {"name": "body", "in": "body", "required": True, "schema": body}
            )
            operation["consumes"] = list(media)
        else:
            content = {each: {"schema": body} for each in media}
            operation["requestBody"] = {"content": content, "required": True}

    def _responses(self, verb: str, gvk: GVK) -> Object:
        kind = GVK(gvk.group, gvk.version, f"{gvk.kind}List") if verb == "list" else gvk
        if verb in {"delete", "deletecollection"}:
            kind = GVK("", "v1", "Status")
        shown = self._definitions.of_kind(kind)
        if self._version == 2:
            return {"200": {"description": "OK", "schema": shown}}
        content = {each: {"schema": shown} for each in _MEDIA}
        return {"200": {"description": "OK", "content": content}}

    def _parameter(self, name: str, where: str) -> Object:
        kind = _TYPES.get(name, "string")
        made: Object = {"name": name, "in": where}
        if where == "path":
            made["required"] = True
        shape = {"type": kind, "uniqueItems": True}
        return {**made, **shape} if self._version == 2 else {**made, "schema": shape}

    def _path_parameters(self, path: str) -> Iterator[Object]:
        for name in ("name", "namespace"):
            if f"{{{name}}}" in path:
                yield self._parameter(name, "path")
        yield self._parameter("pretty", "query")


def _tag(row: Resource) -> str:
    group = row.group.partition(".")[0] or "core"
    return f"{group}_{row.version}"
