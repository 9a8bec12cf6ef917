"""OpenAPI 3: a document per group and version."""
# upstream: kube-openapi pkg/builder3/openapi.go

from collections.abc import Iterable
from typing import Any

from pykube_cp.api.openapi.definitions import EVERYWHERE, KINDS, Definitions
from pykube_cp.api.openapi.operations import Operation, Parameter
from pykube_cp.api.openapi.words import BEARER_TOKEN, described, info, kind_of
from pykube_cp.api.openapi.writer import Writer
from pykube_cp.machinery.objects import Object


def document(operations: Iterable[Operation], definitions: Definitions, root: str) -> Object:
    """The document of the operations below a root, such as ``apis/apps/v1``."""
    writer = _Writer(definitions)
    paths = writer.paths(operations)
    schemas = _narrowed(definitions.closure(writer.used), root)
    components: Object = {"schemas": schemas} if schemas else {}
    return {
        "openapi": "3.0.0",
        "info": info(),
        "paths": paths,
        "components": {**components, "securitySchemes": {"BearerToken": BEARER_TOKEN}},
    }


def _narrowed(schemas: dict[str, Object], root: str) -> dict[str, Object]:
    """Kinds that every group has are said to be of the core group and the document's own only."""
    # upstream: apiserver pkg/server/routes/openapi.go filterScopedGVKs
    own = {"v1", root.partition("/")[2]}
    for name in EVERYWHERE & schemas.keys():
        kinds = schemas[name][KINDS]
        found = [kind for kind in kinds if _api_version(kind) in own]
        schemas[name] = {**schemas[name], KINDS: found}
    return schemas


def _api_version(kind: Object) -> str:
    return f"{kind['group']}/{kind['version']}".removeprefix("/")


class _Writer(Writer):
    """Writes parameters where they are used."""

    def operation(self, operation: Operation, own: list[Parameter]) -> Object:
        made: Object = {"tags": [operation.tag], "description": operation.description}
        made["operationId"] = operation.id
        if own:
            made["parameters"] = [self.parameter(found) for found in own]
        if operation.body:
            content = self._content(operation.consumes, operation.body)
            required = {"required": True} if operation.needs_body else {}
            made["requestBody"] = {"content": content, **required}
        made["responses"] = {
            str(code): {"description": text, "content": self._content(operation.produces, name)}
            for code, text, name in operation.answers
        }
        made["responses"]["401"] = {"description": "Unauthorized"}
        return {**made, **kind_of(operation)}

    def _content(self, media_types: tuple[str, ...], name: str) -> dict[str, Any]:
        shown = self.schema(name)
        return {media_type: {"schema": shown} for media_type in sorted(media_types)}

    def parameter(self, parameter: Parameter) -> Object:
        made: Object = {"name": parameter.name, "in": parameter.place}
        made.update(described(parameter, self.definitions.descriptions))
        if parameter.place == "path":
            made["required"] = True
        made["schema"] = {"type": parameter.type, "uniqueItems": True}
        return made
