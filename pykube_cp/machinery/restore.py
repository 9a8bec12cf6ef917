"""From free JSON to a typed object by way of upstream's converter, which is not its JSON decoder.

What is merged as free JSON (strategic merge patch, server-side apply) becomes an object this way. The
converter takes whole floats for integers, lets integers that are too large wrap around, and has
words of its own for what does not fit. It is asked only about what the decoder refuses, since they
agree on all else.
"""
# upstream: apimachinery pkg/runtime/converter.go unstructuredConverter.FromUnstructured

from typing import Any

from pykube_cp.machinery import leaves, structural
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.schema import AnyType, Leaf, ListOf, MapOf, Scalar, Type

_KINDS = {dict: "map", list: "slice", str: "string", bool: "bool", int: "int64", float: "float64"}
_BITS = {"int32": 32, "int64": 64, "uint8": 8}


class RestoreError(Exception):
    """A value does not fit; the text is upstream's."""


def normalize(obj: Any, kind: Type, *, strict: bool) -> tuple[dict[str, Any], list[str]]:
    """As ``structural.normalize``, for what did not come straight from a body.

    Unknown fields are told in the order of their texts; ``RestoreError`` for what does not fit.
    """
    try:
        made, unknown = structural.normalize(obj, kind, strict=strict)
    except DecodeError:
        made, unknown = structural.normalize(restore(obj, kind), kind, strict=strict)
    return made, sorted(unknown)


def restore(value: Any, kind: AnyType) -> Any:
    """A copy in which numbers have the types that the fields have."""
    if value is None:
        return None
    match kind:
        case Scalar(name="bytes"):
            return _bytes(value)
        case Scalar():
            return _scalar(value, kind)
        case Type():
            return _struct(value, kind)
        case ListOf():
            if not isinstance(value, list):
                raise RestoreError(f"cannot restore slice from {_kind(value)}")
            return [restore(item, kind.items) for item in value]
        case MapOf():
            if not isinstance(value, dict):
                raise RestoreError(f"cannot restore map from {_kind(value)}")
            return {key: restore(item, kind.values) for key, item in value.items()}
        case Leaf():
            return _leaf(value, kind)


def _kind(value: Any) -> str:
    return _KINDS[type(value)]


def _struct(value: Any, kind: Type) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RestoreError(f"cannot restore struct from: {_kind(value)}")
    made = dict(value)
    for name, field in kind.fields.items():
        if name in value:
            made[name] = restore(value[name], field.type)
    return made


def _scalar(value: Any, kind: Scalar) -> Any:
    name, found = kind.name, type(value)
    if name in {"string", "bool"}:
        if found is (str if name == "string" else bool):
            return value
        if name == "string" and found is int:  # a rune, as far as Go is concerned
            raise RestoreError(f"cannot convert int64 to {kind.go_type}")
    elif found is int or found is float:
        return _number(value, kind)
    raise RestoreError(f"unrecognized type: {name}")


def _number(value: float, kind: Scalar) -> float:
    if kind.name == "float64":
        return value
    if isinstance(value, float):
        if not value.is_integer():
            raise RestoreError(f"cannot convert float64 to {kind.go_type}")
        value = int(value) if abs(value) < 1 << 63 else -(1 << 63)  # as amd64 does
    bits = _BITS[kind.name]
    wrapped = value & ((1 << bits) - 1)
    is_negative = kind.name != "uint8" and wrapped >> (bits - 1)
    return wrapped - (1 << bits) if is_negative else wrapped


def _bytes(value: Any) -> Any:
    if isinstance(value, str):
        try:
            leaves.decode_base64(value)
        except DecodeError as error:
            raise RestoreError(f"error decoding from json: {error}") from error
        return value
    if not isinstance(value, list):
        raise RestoreError(f"cannot restore slice from {_kind(value)}")
    return [restore(item, Scalar("uint8", "uint8")) for item in value]


def _leaf(value: Any, kind: Leaf) -> Any:
    """These read themselves, from JSON."""
    try:
        structural.normalizer(kind)(value, [])
    except DecodeError as error:
        raise RestoreError(str(error)) from error
    return value
