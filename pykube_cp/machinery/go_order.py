"""Objects with their members in the order in which Go writes them, for texts that quote an object."""

from typing import Any

from pykube_cp.machinery import schema
from pykube_cp.machinery.apply.fields import SELF, element_order
from pykube_cp.machinery.schema import AnyType, Leaf, ListOf, MapOf, Type


def in_go_order(value: Any, kind: AnyType) -> Any:
    """The same value: members of structs as they are declared, those of maps sorted."""
    match kind:
        case Type() if isinstance(value, dict):
            return _struct(value, kind)
        case MapOf() if isinstance(value, dict):
            return {key: in_go_order(value[key], kind.values) for key in sorted(value)}
        case ListOf() if isinstance(value, list):
            return [in_go_order(item, kind.items) for item in value]
        case Leaf(name="FieldsV1") if isinstance(value, dict):
            return _fields(value)
        case Leaf() if kind.refers:
            return _schema_or_other(value, kind)
        case _:
            return value


def _struct(value: dict[str, Any], kind: Type) -> dict[str, Any]:
    return {
        name: in_go_order(value[name], field.type)
        for name, field in kind.fields.items()
        if name in value
    }


def _schema_or_other(value: Any, kind: Leaf) -> Any:
    """A JSON schema, or whatever may stand in its place."""
    if isinstance(value, list):
        return [_schema_or_other(item, kind) for item in value]
    return _struct(value, schema.type_named(kind.refers)) if isinstance(value, dict) else value


def _fields(below: dict[str, Any]) -> dict[str, Any]:
    """A set of fields: what is said of the place itself, then its elements in their order."""
    # upstream: structured-merge-diff fieldpath/serialize.go emitContentsV1
    elements = sorted((name for name in below if name != SELF), key=element_order)
    ordered = [SELF, *elements] if SELF in below else elements
    return {name: _fields(below[name]) for name in ordered}
