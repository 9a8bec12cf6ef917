"""Values as texts show them where upstream prints its internal types, which have no JSON names.

Members are named as in Go, in Go's order, and all of them are there: what is not set is null or zero.
Metadata is embedded, so its members stand among the others; it keeps its JSON names, as do all types of
``meta/v1``.
"""

from typing import Any

from pykube_cp.machinery import schema, structural
from pykube_cp.machinery.schema import META, AnyType, Field, Leaf, ListOf, MapOf, Scalar, Type

_ODD = {
    "cel": "CEL",
    "ip": "IP",
    "ips": "IPs",
    "uid": "UID",
    "apiVersion": "APIVersion",
    "seLinuxOptions": "SELinuxOptions",
    "pkixPublicKey": "PKIXPublicKey",
}
_EMBEDDED = "metadata"
_ZERO = {"string": "", "bool": False, "bytes": None}


def go_name(name: str) -> str:
    """``matchExpressions`` to ``MatchExpressions``."""
    return _ODD.get(name) or name[:1].upper() + name[1:]


def internal(value: Any, type_name: str) -> Any:
    """``value``, which is of that type in the stored version, as upstream's internal type of it."""
    return _shown(value, schema.type_named(type_name))


def _shown(value: Any, kind: AnyType) -> Any:
    match kind:
        case Type() if kind.name.startswith(META):
            return structural.in_order(value, kind)
        case Type():
            return _struct(value or {}, kind)
        case ListOf() if value is not None:
            return [_shown(item, kind.items) for item in value]
        case MapOf() if value is not None:
            return {key: _shown(value[key], kind.values) for key in sorted(value)}
        case _:
            return value


def _struct(value: dict[str, Any], kind: Type) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, field in kind.fields.items():
        member = value.get(name)
        if name == _EMBEDDED:
            made |= _shown(member or {}, field.type)
        elif member is None:
            made[go_name(name)] = _absent(field)
        else:
            made[go_name(name)] = _shown(member, field.type)
    return made


def _absent(field: Field) -> Any:
    if field.pointer:
        return None
    match field.type:
        case Type():
            return _shown({}, field.type)
        case Scalar(name=name):
            return _ZERO.get(name, 0)
        case Leaf(name="Quantity"):
            return "0"
        case Leaf(name="IntOrString"):
            return 0
        case _:
            return None
