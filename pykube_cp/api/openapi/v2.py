"""OpenAPI 2: one document of everything, its parameters set apart under hashed names."""
# upstream: kube-openapi pkg/builder/openapi.go, pkg/builder/parameters.go

import base64
from collections.abc import Iterable

import orjson

from pykube_cp.api.openapi.definitions import Definitions
from pykube_cp.api.openapi.operations import Operation, Parameter
from pykube_cp.api.openapi.words import BEARER_TOKEN, described, info, kind_of
from pykube_cp.api.openapi.writer import Writer
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import META

_META_PREFIX = "#/definitions/" + META.partition(".pkg")[0]
_IN_PLACE = frozenset({"name", "fieldValidation", "dryRun"})
"""Parameters that stand where they are used: clients look for them there."""


def document(operations: Iterable[Operation], definitions: Definitions) -> Object:
    """The document of all operations."""
    writer = _Writer(definitions)
    paths = writer.paths(operations)
    return {
        "swagger": "2.0",
        "info": info(),
        "paths": paths,
        "definitions": definitions.closure(writer.used),
        "parameters": dict(sorted(writer.parameters.items())),
        "securityDefinitions": {"BearerToken": BEARER_TOKEN},
        "security": [{"BearerToken": []}],
    }


class _Writer(Writer):
    """Notes the parameters that are set apart."""

    def __init__(self, definitions: Definitions) -> None:
        super().__init__(definitions)
        self.parameters: dict[str, Object] = {}
        self._written: dict[Parameter, Object] = {}

    def operation(self, operation: Operation, own: list[Parameter]) -> Object:
        made: Object = {"description": operation.description}
        if operation.consumes:
            made["consumes"] = list(operation.consumes)
        made.update(produces=list(operation.produces), schemes=["https"], tags=[operation.tag])
        made["operationId"] = operation.id
        parameters = [(found.name, self.parameter(found)) for found in own]
        if operation.body:
            parameters.append(("body", self._body(operation)))
        if parameters:
            parameters.sort(key=lambda found: found[0])
            made["parameters"] = [found for _, found in parameters]
        made["responses"] = {
            str(code): {"description": text, "schema": self.schema(name)}
            for code, text, name in operation.answers
        }
        made["responses"]["401"] = {"description": "Unauthorized"}
        return {**made, **kind_of(operation)}

    def _body(self, operation: Operation) -> Object:
        made: Object = {"name": "body", "in": "body"}
        if operation.needs_body:
            made["required"] = True
        made["schema"] = self.schema(operation.body)
        if made["schema"]["$ref"].startswith(_META_PREFIX):
            return self._set_apart(made)
        return made

    def parameter(self, parameter: Parameter) -> Object:
        known = self._written.get(parameter)
        if known is None:
            known = self._written[parameter] = self._write(parameter)
        return known

    def _write(self, parameter: Parameter) -> Object:
        made: Object = {"uniqueItems": True, "type": parameter.type}
        made.update(described(parameter, self.definitions.descriptions))
        made.update({"name": parameter.name, "in": parameter.place})
        if parameter.place == "path":
            made["required"] = True
        return made if parameter.name in _IN_PLACE else self._set_apart(made)

    def _set_apart(self, parameter: Object) -> Object:
        name = f"{parameter['name']}-{short_hash(orjson.dumps(parameter))}"
        self.parameters[name] = parameter
        return {"$ref": f"#/parameters/{name}"}


def short_hash(data: bytes) -> str:
    """Eight letters: the first six bytes of the FNV-1 hash."""
    # upstream: kube-openapi pkg/builder/parameters.go base64Hash
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF) ^ byte
    return base64.urlsafe_b64encode(value.to_bytes(8, "big")[:6]).decode()
