"""Schema types as OpenAPI schemas, each made once for all documents of one OpenAPI version."""
# upstream: kube-openapi pkg/builder/openapi.go, pkg/builder3/openapi.go, pkg/generators/openapi.go

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pykube_cp.api.openapi import custom
from pykube_cp.machinery import schema
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import META, AnyType, Field, Leaf, ListOf, MapOf, Scalar, Type
from pykube_cp.registry.descriptions import Descriptions
from pykube_cp.registry.resource import Resource

API_EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
PATCH = META + "Patch"
EVERYWHERE = frozenset({META + "DeleteOptions", META + "WatchEvent"})
"""Types that are kinds of every group and version."""
KINDS = "x-kubernetes-group-version-kind"
_APART = frozenset({"apidiscovery.k8s.io", "audit.k8s.io", "meta.k8s.io"})
"""Groups whose kinds belong to no API that is served."""

_SCALARS: dict[str, Object] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "uint8": {"type": "integer", "format": "byte"},
    "float64": {"type": "number", "format": "double"},
    "bytes": {"type": "string", "format": "byte"},
}
_LEAVES = {
    "Time": META + "Time",
    "MicroTime": META + "MicroTime",
    "Duration": META + "Duration",
    "FieldsV1": META + "FieldsV1",
    "Quantity": "io.k8s.apimachinery.pkg.api.resource.Quantity",
    "IntOrString": "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "RawExtension": "io.k8s.apimachinery.pkg.runtime.RawExtension",
    "JSON": API_EXTENSIONS + "JSON",
    "JSONSchemaPropsOrArray": API_EXTENSIONS + "JSONSchemaPropsOrArray",
    "JSONSchemaPropsOrBool": API_EXTENSIONS + "JSONSchemaPropsOrBool",
    "JSONSchemaPropsOrStringArray": API_EXTENSIONS + "JSONSchemaPropsOrStringArray",
}
"""Types with a JSON form of their own, by the names of their definitions."""

_TIME: Object = {"type": "string", "format": "date-time"}
_FORMS: dict[str, Object] = {
    _LEAVES["Time"]: _TIME,
    _LEAVES["MicroTime"]: _TIME,
    _LEAVES["Duration"]: {"type": "string"},
    _LEAVES["FieldsV1"]: {"type": "object"},
    _LEAVES["RawExtension"]: {"type": "object"},
    _LEAVES["Quantity"]: {"type": "string"},
    _LEAVES["IntOrString"]: {"type": "string", "format": "int-or-string"},
    PATCH: {"type": "object"},
}
_FORMS_V3: dict[str, Object] = {
    _LEAVES["Quantity"]: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    _LEAVES["IntOrString"]: {
        "oneOf": [{"type": "integer"}, {"type": "string"}],
        "format": "int-or-string",
    },
}
_WORDS = {
    "default": "default",
    "enum": "enum",
    "format": "format",
    "minimum": "minimum",
    "maximum": "maximum",
    "minLength": "minLength",
    "maxLength": "maxLength",
    "minItems": "minItems",
    "maxItems": "maxItems",
    "pattern": "pattern",
    "nullable": "nullable",
    "listType": "x-kubernetes-list-type",
    "listMapKeys": "x-kubernetes-list-map-keys",
    "mapType": "x-kubernetes-map-type",
    "preserveUnknown": "x-kubernetes-preserve-unknown-fields",
    "embedded": "x-kubernetes-embedded-resource",
    "intOrString": "x-kubernetes-int-or-string",
    "validations": "x-kubernetes-validations",
    "immutable": "x-kubernetes-immutable",
    "unions": "x-kubernetes-unions",
}
"""The facts of ``types.json`` in OpenAPI's words."""


class Definitions:
    """Schemas by name, with the names that each refers to.

    Args:
        version: of OpenAPI, 2 or 3.
        descriptions: what is said about types and fields.
        rows: those among them that are custom have schemas of their own.
    """

    def __init__(
        self, version: int, descriptions: Descriptions, rows: Iterable[Resource] = ()
    ) -> None:
        self._version = version
        self.descriptions = descriptions
        self._prefix = "#/definitions/" if version == 2 else "#/components/schemas/"
        self._made = custom.definitions(rows, self._prefix)
        self._references = {name: self._referred(made) for name, made in self._made.items()}

    def reference(self, name: str) -> Object:
        return {"$ref": self._prefix + name}

    def closure(self, names: Iterable[str]) -> dict[str, Object]:
        """The schemas of these and of all they refer to, by name in alphabetical order."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                self._make(name)
                waiting += self._references[name]
        return {name: self._made[name] for name in sorted(found)}

    def _referred(self, made: Any) -> set[str]:
        """The names that a schema refers to."""
        if isinstance(made, list):
            return {name for item in made for name in self._referred(item)}
        if not isinstance(made, dict):
            return set()
        found = {name for item in made.values() for name in self._referred(item)}
        own = made.get("$ref")
        return {*found, own.removeprefix(self._prefix)} if isinstance(own, str) else found

    def _make(self, name: str) -> None:
        if name in self._made:
            return
        self._references[name] = set()
        form = _FORMS_V3.get(name) if self._version == 3 else None
        if form is None:
            form = _FORMS.get(name)
        if form is None and name.startswith(API_EXTENSIONS) and name in _LEAVES.values():
            form = {}
        described = _said(self.descriptions.of_type(name))
        if form is not None:
            self._made[name] = {**described, **form}
        else:
            self._made[name] = {**described, **self._struct(schema.type_named(name))}

    def _struct(self, kind: Type) -> Object:
        made: Object = {"type": "object"}
        if kind.fields:
            made["properties"] = {
                name: self._member(kind.name, kind.fields[name]) for name in sorted(kind.fields)
            }
        required = [name for name, field in kind.fields.items() if field.required]
        if required:
            made["required"] = required
        made.update(self._facts(kind.facts))
        if names := _group_version_kinds().get(kind.name):
            made[KINDS] = names
        return made

    def _member(self, owner: str, field: Field) -> Object:
        said: Object = _said(self._description(owner, field))
        if field.patch_strategy:
            said["x-kubernetes-patch-strategy"] = ",".join(field.patch_strategy)
        if field.merge_key:
            said["x-kubernetes-patch-merge-key"] = field.merge_key
        return self._any(field.type, owner, field.facts, said)

    def _description(self, owner: str, field: Field) -> str:
        text = self.descriptions.of_field(owner, field.name)
        return with_values(text, field.enum) if field.enum else text

    def _facts(self, facts: Mapping[str, Any]) -> Object:
        return {
            _WORDS[word]: value
            for word, value in facts.items()
            if word != "items" and not (word == "default" and self._version == 2)
        }

    def _any(self, kind: AnyType, owner: str, facts: Mapping[str, Any], said: Object) -> Object:
        """The schema of a type where it is used; ``said`` is what is said there besides."""
        inner: Mapping[str, Any] = facts.get("items", {})
        extra = {**said, **self._facts(facts)}
        match kind:
            case Scalar():
                return {**_SCALARS[kind.name], **extra}
            case ListOf():
                return {"type": "array", "items": self._any(kind.items, owner, inner, {}), **extra}
            case MapOf():
                values = self._any(kind.values, owner, inner, {})
                return {"type": "object", "additionalProperties": values, **extra}
            case Leaf() if kind.name not in _LEAVES:
                return extra
            case Leaf():
                return self._refer(owner, _LEAVES[kind.name], extra)
            case Type():
                return self._refer(owner, kind.name, extra)

    def _refer(self, owner: str, name: str, extra: Object) -> Object:
        self._references[owner].add(name)
        reference = self.reference(name)
        # upstream: kube-openapi pkg/builder3/util/util.go WrapRefs
        if self._version == 3 and extra:
            return {"allOf": [reference], **extra}
        return {**reference, **extra}


def _said(text: str) -> Object:
    return {"description": text} if text else {}


def with_values(text: str, values: Iterable[str]) -> str:
    """A description with the values that are possible; upstream explains each, which we cannot."""
    # upstream: kube-openapi pkg/generators/enum.go enumType.DescriptionLines
    lines = "\n".join(f' - `"{value}"`' for value in values)
    return f"{text}\n\nPossible enum values:\n{lines}" if text else ""


@cache
def _group_version_kinds() -> dict[str, list[Object]]:
    """Type name -> the kinds it is the schema of."""
    found: dict[str, list[Object]] = {}
    versions: set[tuple[str, str]] = set()
    for gvk, name in schema.kinds().items():
        found.setdefault(name, []).append(_written(gvk))
        if gvk.group not in _APART:
            versions.add((gvk.group, gvk.version))
    for name in EVERYWHERE:
        kind = name.rpartition(".")[2]
        found[name] = [_written(GVK(*version, kind)) for version in sorted(versions)]
    return found


def _written(gvk: GVK) -> Object:
    return {"group": gvk.group, "kind": gvk.kind, "version": gvk.version}
