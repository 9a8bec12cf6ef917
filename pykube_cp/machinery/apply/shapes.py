"""What a type means for merging: what is one value, what is walked, and list elements' keys.

A ``Shape`` says what a value may be: a scalar, a list, a map, or any, where nothing is known.
Shapes come from a built-in ``schema.Type`` or from an OpenAPI schema; ``DEDUCED`` is for objects
without one: maps are walked, lists are one value.
"""
# upstream: kube-openapi pkg/schemaconv, structured-merge-diff schema/elements.go

from collections.abc import Callable, Mapping
from typing import Any, Literal

from pykube_cp.machinery import schema
from pykube_cp.machinery.schema import AnyType, Field, Leaf, ListOf, MapOf, Type

Kind = Literal["map", "scalar", "list"]
ScalarKind = Literal["numeric", "string", "boolean", "untyped"]


class _Absent:
    """The type of ABSENT."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()
"""Where there is no value; null is one."""


class ListShape:
    """A list: one value (``atomic``), a set, or told apart by ``keys``.

    Attributes:
        defaults: of the keys that have one; they stand in for a key that is absent.
    """

    __slots__ = ("atomic", "defaults", "element", "keys")

    def __init__(
        self,
        element: "Shape",
        *,
        atomic: bool = True,
        keys: tuple[str, ...] = (),
        defaults: Mapping[str, Any] | None = None,
    ) -> None:
        self.element = element
        self.atomic = atomic
        self.keys = keys
        self.defaults = defaults or {}


class MapShape:
    """A map or struct: one value (``atomic``), or walked.

    Attributes:
        element: of members that are not in ``fields``; None when there may be none.
    """

    __slots__ = ("_fields", "_make", "atomic", "element")

    def __init__(
        self,
        element: "Shape | None" = None,
        *,
        atomic: bool = False,
        make: Callable[[], dict[str, "Shape"]] | None = None,
    ) -> None:
        self.element = element
        self.atomic = atomic
        self._make = make
        self._fields: dict[str, Shape] | None = None if make is not None else {}

    @property
    def fields(self) -> dict[str, "Shape"]:
        """The declared members; made when first asked for, since types contain themselves."""
        if self._fields is None:
            assert self._make is not None
            self._fields = self._make()
        return self._fields

    def member(self, name: str) -> "Shape | None":
        return self.fields.get(name, self.element)


class Shape:
    """What a value may be."""

    __slots__ = ("default_kind", "is_deduced", "list", "map", "scalar")

    def __init__(
        self,
        scalar: ScalarKind | None = None,
        list_shape: ListShape | None = None,
        map_shape: MapShape | None = None,
        *,
        is_deduced: bool = False,
    ) -> None:
        self.scalar = scalar
        self.list = list_shape
        self.map = map_shape
        self.is_deduced = is_deduced
        self.default_kind: Kind = "map" if map_shape else "scalar" if scalar else "list"

    def kind_of(self, value: Any) -> Kind:
        """As what to treat a value; null, absent and misfits are treated as the first it may be."""
        # upstream: structured-merge-diff typed/helpers.go deduceAtom
        if isinstance(value, dict):
            return "map" if self.map is not None else self.default_kind
        if isinstance(value, list):
            return "list" if self.list is not None else self.default_kind
        if value is None or value is ABSENT or self.scalar is None:
            return self.default_kind
        return "scalar"


def _untyped() -> Shape:
    made = Shape("untyped", is_deduced=True)
    made.list = ListShape(made)
    made.map = MapShape(made, atomic=True)
    made.default_kind = "map"
    return made


def _deduced(of_lists: Shape) -> Shape:
    made = Shape("untyped", ListShape(of_lists), is_deduced=True)
    made.map = MapShape(made)
    made.default_kind = "map"
    return made


UNTYPED = _untyped()
"""Anything, as one value."""
DEDUCED = _deduced(UNTYPED)
"""Anything; maps are walked."""

_SCALAR = Shape("untyped")
_STRING = Shape("string")
_NUMERIC = Shape("numeric")
_BOOLEAN = Shape("boolean")
_FREE_JSON = Shape("untyped", ListShape(UNTYPED), MapShape(DEDUCED), is_deduced=True)

_LEAVES = {
    "Time": _SCALAR,
    "MicroTime": _SCALAR,
    "Quantity": _SCALAR,
    "IntOrString": _FREE_JSON,
    "Duration": _STRING,
    "FieldsV1": Shape(map_shape=MapShape(DEDUCED)),
    "RawExtension": UNTYPED,
}

_structs: dict[tuple[str, bool], Shape] = {}


def of(described: "Type | Shape | None") -> Shape:
    """The shape of whatever describes an object; nothing does: ``DEDUCED``."""
    if described is None:
        return DEDUCED
    if isinstance(described, Shape):
        return described
    return of_type(described)


def of_type(kind: Type) -> Shape:
    return _struct(kind, "")


def _struct(kind: Type, relation: str) -> Shape:
    """``relation`` is what a field says about the map it holds; it beats what the type says."""
    atomic = (relation or kind.map_type) == "atomic"
    known = _structs.get((kind.name, atomic))
    if known is not None:
        return known
    element = None if kind.fields else DEDUCED
    made = Shape(map_shape=MapShape(element, atomic=atomic, make=lambda: _members(kind)))
    _structs[kind.name, atomic] = made
    return made


def _members(kind: Type) -> dict[str, Shape]:
    return {name: _of_field(field) for name, field in kind.fields.items()}


def _of_field(field: Field) -> Shape:
    if isinstance(field.type, ListOf):
        return list_shape(field.type, field)
    return _of_any(field.type, field.facts)


def _of_any(kind: AnyType, facts: Mapping[str, Any]) -> Shape:
    match kind:
        case Type():
            return _struct(kind, facts.get("mapType", ""))
        case ListOf():
            return Shape(list_shape=ListShape(_of_any(kind.items, facts.get("items", {}))))
        case MapOf():
            atomic = facts.get("mapType") == "atomic"
            values = _of_any(kind.values, facts.get("items", {}))
            return Shape(map_shape=MapShape(values, atomic=atomic))
        case Leaf():
            return _LEAVES.get(kind.name, _FREE_JSON)
        case schema.Scalar():
            if kind.name in {"string", "bytes"}:
                return _STRING
            return _BOOLEAN if kind.name == "bool" else _NUMERIC


def list_shape(kind: ListOf, field: Field) -> Shape:
    """The shape of a list that is a member of a struct."""
    element = _of_any(kind.items, field.item_facts)
    relation, keys = field.list_type, tuple(field.list_map_keys)
    if not relation and "merge" in field.patch_strategy:
        relation = "map" if field.merge_key else "set"
        keys = (field.merge_key,) if field.merge_key else ()
    if relation not in {"set", "map"}:
        return Shape(list_shape=ListShape(element))
    defaults = _key_defaults(kind.items, keys) if relation == "map" else {}
    keys = keys if relation == "map" else ()
    return Shape(list_shape=ListShape(element, atomic=False, keys=keys, defaults=defaults))


def _key_defaults(items: AnyType, keys: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(items, Type):
        return {}
    found = {key: items.fields[key].default for key in keys if key in items.fields}
    return {key: default for key, default in found.items() if default is not None}


# From OpenAPI, for custom resources.

_PRIMITIVES = {"integer": _NUMERIC, "number": _NUMERIC, "boolean": _BOOLEAN}
_PRESERVE = "x-kubernetes-preserve-unknown-fields"


def of_custom_resource(schema_of_version: Mapping[str, Any], *, preserve: bool = False) -> Shape:
    """The shape of a custom resource from its ``openAPIV3Schema``.

    Args:
        schema_of_version: structural; read when needed, so it must not change afterwards.
        preserve: ``spec.preserveUnknownFields`` of the definition.
    """
    # upstream: apiextensions-apiserver pkg/controller/openapi/builder/builder.go
    if schema_of_version.get("type") != "object":
        return DEDUCED
    return _of_schema(_with_object_fields(schema_of_version), preserve=preserve)


def _with_object_fields(node: Mapping[str, Any]) -> dict[str, Any]:
    """With what every object has, whatever its schema says."""
    string = {"type": "string"}
    properties = {**(node.get("properties") or {}), "apiVersion": string, "kind": string}
    return {**node, "properties": properties, "x-object-meta": True}


def _of_schema(node: Mapping[str, Any], *, preserve: bool) -> Shape:
    preserve = preserve or node.get(_PRESERVE) is True
    match node.get("type") or "":
        case "object":
            return Shape(map_shape=_schema_map(node, preserve=preserve))
        case "array":
            return Shape(list_shape=_schema_list(node, preserve=preserve))
        case "string":
            return _STRING if node.get("format", "") in {"", "byte"} else _SCALAR
        case "integer" | "number" | "boolean" as primitive:
            return _PRIMITIVES[primitive]
        case _:
            made_list = _schema_list(node, preserve=preserve)
            made_map = _schema_map(node, preserve=preserve)
            return Shape("untyped", made_list, made_map, is_deduced=True)


def _schema_map(node: Mapping[str, Any], *, preserve: bool) -> MapShape:
    if node.get("x-kubernetes-embedded-resource") is True and "x-object-meta" not in node:
        node = _with_object_fields(node)
    properties = node.get("properties") or {}

    def make() -> dict[str, Shape]:
        made = {name: _of_schema(found, preserve=preserve) for name, found in properties.items()}
        if "x-object-meta" in node:
            made["metadata"] = of_type(schema.type_named(schema.META + "ObjectMeta"))
        return made

    atomic = node.get("x-kubernetes-map-type") == "atomic"
    element = _additional(node, properties, preserve=preserve)
    return MapShape(element, atomic=atomic, make=make)


def _additional(
    node: Mapping[str, Any], properties: Mapping[str, Any], *, preserve: bool
) -> Shape | None:
    more = node.get("additionalProperties")
    if more is None:
        return DEDUCED if preserve or not properties else None
    if isinstance(more, Mapping):
        return _of_schema(more, preserve=preserve)
    return DEDUCED if more else None


def _schema_list(node: Mapping[str, Any], *, preserve: bool) -> ListShape:
    items = node.get("items")
    element = _of_schema(items, preserve=preserve) if isinstance(items, Mapping) else UNTYPED
    relation = node.get("x-kubernetes-list-type")
    if relation not in {"set", "map"}:
        return ListShape(element)
    keys = tuple(node.get("x-kubernetes-list-map-keys") or ()) if relation == "map" else ()
    members = (items or {}).get("properties") or {}
    defaults = {key: members[key]["default"] for key in keys if "default" in members.get(key, {})}
    return ListShape(element, atomic=False, keys=keys, defaults=defaults)
