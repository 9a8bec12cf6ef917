"""Schema types as OpenAPI schemas."""

from functools import cache
from typing import Any

from pykube_cp.machinery import schema
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import AnyType, Field, Leaf, ListOf, MapOf, Scalar, Type

_SCALARS: dict[str, Object] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "uint8": {"type": "integer", "format": "byte"},
    "float64": {"type": "number", "format": "double"},
    "bytes": {"type": "string", "format": "byte"},
}
_LEAVES: dict[str, Object] = {
    "Time": {"type": "string", "format": "date-time"},
    "MicroTime": {"type": "string", "format": "date-time"},
    "Duration": {"type": "string"},
    "FieldsV1": {"type": "object"},
    "RawExtension": {"type": "object"},
    "JSON": {},
    "any": {},
}


class Definitions:
    """Schemas by name, gathered while something refers to them.

    Args:
        prefix: of references: ``#/definitions/``.
        version: of OpenAPI, 2 or 3.
    """

    def __init__(self, prefix: str, version: int) -> None:
        self._prefix = prefix
        self._version = version
        self._made: dict[str, Object] = {}

    def all(self) -> dict[str, Object]:
        return self._made

    def of_kind(self, gvk: GVK) -> Object:
        """A reference to a kind's schema; any object for kinds without one."""
        kind = schema.find(gvk)
        return self.reference(kind) if kind is not None else {"type": "object"}

    def reference(self, kind: Type) -> Object:
        if kind.name not in self._made:
            self._made[kind.name] = {}  # before its members: it may contain itself
            self._made[kind.name] = self._struct(kind)
        return {"$ref": self._prefix + kind.name}

    def _struct(self, kind: Type) -> Object:
        made: Object = {"type": "object"}
        if kind.fields:
            made["properties"] = {name: self._member(field) for name, field in kind.fields.items()}
        required = [name for name, field in kind.fields.items() if field.required]
        if required:
            made["required"] = required
        if kind.map_type:
            made["x-kubernetes-map-type"] = kind.map_type
        if names := _kinds().get(kind.name):
            made["x-kubernetes-group-version-kind"] = names
        return made

    def _member(self, field: Field) -> Object:
        made = self._any(field.type)
        extra: Object = {}
        if "default" in field.facts and field.facts["default"] != {}:
            extra["default"] = field.facts["default"]
        if field.enum:
            extra["enum"] = list(field.enum)
        if field.list_type:
            extra["x-kubernetes-list-type"] = field.list_type
        if field.list_map_keys:
            extra["x-kubernetes-list-map-keys"] = list(field.list_map_keys)
        if field.map_type:
            extra["x-kubernetes-map-type"] = field.map_type
        if field.patch_strategy:
            extra["x-kubernetes-patch-strategy"] = ",".join(field.patch_strategy)
        if field.merge_key:
            extra["x-kubernetes-patch-merge-key"] = field.merge_key
        if "$ref" in made and extra:
            if self._version == 2:
                return {**made, **extra}
            return {"allOf": [made], **extra}
        return {**made, **extra}

    def _any(self, kind: AnyType) -> Object:
        match kind:
            case Scalar():
                return dict(_SCALARS[kind.name])
            case Leaf():
                return self._leaf(kind)
            case ListOf():
                return {"type": "array", "items": self._any(kind.items)}
            case MapOf():
                return {"type": "object", "additionalProperties": self._any(kind.values)}
            case Type():
                return self.reference(kind)

    def _leaf(self, leaf: Leaf) -> Object:
        if leaf.name == "IntOrString":
            if self._version == 2:
                return {"type": "string", "format": "int-or-string"}
            choice: list[Any] = [{"type": "integer"}, {"type": "string"}]
            return {"format": "int-or-string", "oneOf": choice}
        if leaf.name == "Quantity":
            if self._version == 2:
                return {"type": "string"}
            return {"oneOf": [{"type": "string"}, {"type": "number"}]}
        return dict(_LEAVES.get(leaf.name, {}))


@cache
def _kinds() -> dict[str, list[Object]]:
    """Type name -> the kinds it is the schema of."""
    found: dict[str, list[Object]] = {}
    for gvk, name in schema.kinds().items():
        found.setdefault(name, []).append(
            {"group": gvk.group, "version": gvk.version, "kind": gvk.kind}
        )
    return found
