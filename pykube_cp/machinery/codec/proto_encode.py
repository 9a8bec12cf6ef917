"""Objects to protobuf messages, byte for byte as Go writes them, by tables compiled once per type.

Go writes members in the order of their numbers, scalars and structs that are not pointers even when
empty, maps in the order of their keys.
"""

import struct
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import orjson

from pykube_cp.machinery import leaves
from pykube_cp.machinery.codec.interface import NotEncodableError
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import AnyType, Embed, Field, Leaf, ListOf, MapOf, Scalar, Type

Encoder: TypeAlias = Callable[[Any], bytes]
"""A value, without tag: a varint, eight bytes, or a length and what follows."""

Member: TypeAlias = Callable[[Object, list[bytes]], None]
"""Appends a member of the object, with its tag."""

_SHORT = [bytes((number,)) for number in range(128)]


def varint(number: int) -> bytes:
    if 0 <= number < 128:
        return _SHORT[number]
    number &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def delimited(data: bytes) -> bytes:
    """A length and the bytes."""
    length = len(data)
    return (_SHORT[length] if length < 128 else varint(length)) + data


def encode_message(obj: Object, kind: Type) -> bytes:
    """The message of an object of a type, without its ``apiVersion`` and ``kind``."""
    if not kind.protobuf:
        raise NotEncodableError(f"object {kind.name} does not implement the protobuf marshalling")
    return _message(kind)(obj)


_messages: dict[str, Encoder] = {}


def _message(kind: Type) -> Encoder:
    """The members of a type, without the length."""
    known = _messages.get(kind.name)
    if known is not None:
        return known
    members: list[Member] = []
    run = _messages[kind.name] = _joined(members)  # before the members: it may contain itself
    members += _members(kind, ())
    return run


def _joined(members: list[Member]) -> Encoder:
    def run(obj: Object) -> bytes:
        out: list[bytes] = []
        for member in members:
            member(obj, out)
        return b"".join(out)

    return run


def _members(kind: Type, inside: tuple[Embed, ...]) -> list[Member]:
    """The members that lie in the embedded messages ``inside``, or directly in the type."""
    depth = len(inside)
    found: dict[int, Member] = {}
    parts: dict[int, tuple[Embed, ...]] = {}
    for field in kind.fields.values():
        if not field.number or field.embeds[:depth] != inside:
            continue
        if len(field.embeds) == depth:
            found[field.number] = _member(field)
        elif field.embeds[depth].number:
            parts[field.embeds[depth].number] = field.embeds[: depth + 1]
    for number, path in parts.items():
        found[number] = _part(_tag(number, 2), _joined(_members(kind, path)))
    return [found[number] for number in sorted(found)]


def _tag(number: int, wire: int) -> bytes:
    return varint(number << 3 | wire)


def _part(tag: bytes, message: Encoder) -> Member:
    """An embedded struct, whose members are the object's own."""

    def run(obj: Object, out: list[bytes]) -> None:
        out.append(tag + delimited(message(obj)))

    return run


def _member(field: Field) -> Member:
    kind = field.type
    if isinstance(kind, ListOf) and not kind.boxed:
        return _list(field, kind)
    if isinstance(kind, MapOf):
        return _map(field, kind)
    tag, encode = _tag(field.number, _wire(kind)), _encoder(kind)
    name = field.name
    if field.pointer or isinstance(kind, ListOf) or kind == Scalar("bytes", kind.go_type):

        def optional(obj: Object, out: list[bytes]) -> None:
            value = obj.get(name)
            if value is not None:
                out.append(tag + encode(value))

        return optional

    def always(obj: Object, out: list[bytes]) -> None:
        out.append(tag + encode(obj.get(name)))

    return always


def _list(field: Field, kind: ListOf) -> Member:
    tag, encode, name = _tag(field.number, _wire(kind.items)), _encoder(kind.items), field.name

    def run(obj: Object, out: list[bytes]) -> None:
        for item in obj.get(name) or ():
            out.append(tag + encode(item))

    return run


def _map(field: Field, kind: MapOf) -> Member:
    tag, encode, name = _tag(field.number, 2), _encoder(kind.values), field.name
    value_tag = _tag(2, _wire(kind.values))

    def run(obj: Object, out: list[bytes]) -> None:
        entries = obj.get(name)
        if not entries:
            return
        for key in sorted(entries):
            entry = b"\x0a" + delimited(key.encode()) + value_tag + encode(entries[key])
            out.append(tag + delimited(entry))

    return run


def _wire(kind: AnyType) -> int:
    if isinstance(kind, Scalar):
        if kind.name in {"bool", "int32", "int64", "uint8"}:
            return 0
        if kind.name == "float64":
            return 1
    return 2


def _encoder(kind: AnyType) -> Encoder:
    match kind:
        case Type():
            message = _message(kind)
            return lambda value: delimited(message(value or {}))
        case ListOf():
            return _boxed
        case Scalar():
            return _SCALARS[kind.name]
        case Leaf(refers=refers) if refers:
            return _schema_or(kind)
        case Leaf():
            return _LEAVES[kind.name]
        case MapOf():
            raise TypeError(f"protobuf has no lists or maps of {kind.go_type}")


def _text(value: Any) -> bytes:
    return delimited(value.encode()) if value else b"\x00"


def _bytes(value: Any) -> bytes:
    return delimited(leaves.decode_base64(value)) if value else b"\x00"


def _boxed(value: Any) -> bytes:
    return delimited(_texts(b"\x0a", value or ()))


def _texts(tag: bytes, values: Iterable[str]) -> bytes:
    return b"".join([tag + delimited(text.encode()) for text in values])


def _time(value: Any) -> bytes:
    if not value:
        return b"\x00"
    seconds, _ = leaves.time_to_unix(value)
    return delimited(b"\x08" + varint(seconds) + b"\x10\x00")


def _micro_time(value: Any) -> bytes:
    if not value:
        return b"\x00"
    seconds, nanos = leaves.time_to_unix(value)
    return delimited(b"\x08" + varint(seconds) + b"\x10" + varint(nanos))


def _duration(value: Any) -> bytes:
    return delimited(b"\x08" + varint(leaves.parse_duration(value) if value else 0))


def _quantity(value: Any) -> bytes:
    return delimited(b"\x0a" + delimited(str(value or "0").encode()))


def _int_or_string(value: Any) -> bytes:
    if isinstance(value, str):
        return delimited(b"\x08\x01\x10\x00\x1a" + delimited(value.encode()))
    return delimited(b"\x08\x00\x10" + varint(value or 0) + b"\x1a\x00")


def _raw(value: Any) -> bytes:
    """Free JSON; nothing at all for null."""
    return b"\x00" if value is None else delimited(b"\x0a" + delimited(orjson.dumps(value)))


def _schema_or(kind: Leaf) -> Encoder:
    """A JSON schema (1), or what may stand in its place: schemas or strings (2), or a boolean."""
    message = _messages[kind.refers]
    takes_bool = kind.name == "JSONSchemaPropsOrBool"
    takes_strings = kind.name == "JSONSchemaPropsOrStringArray"

    def schema(value: Any) -> bytes:
        return delimited(message(value))

    def run(value: Any) -> bytes:
        if takes_bool:
            if isinstance(value, dict):
                return delimited(b"\x08\x01\x12" + schema(value))
            return delimited(b"\x08" + _SHORT[bool(value)])
        if isinstance(value, dict):
            return delimited(b"\x0a" + schema(value))
        if takes_strings:
            return delimited(_texts(b"\x12", value or ()))
        return delimited(b"".join([b"\x12" + schema(item) for item in value or ()]))

    return run


_SCALARS: dict[str, Encoder] = {
    "string": _text,
    "bytes": _bytes,
    "bool": lambda value: b"\x01" if value else b"\x00",
    "int32": lambda value: varint(value or 0),
    "int64": lambda value: varint(value or 0),
    "uint8": lambda value: varint(value or 0),
    "float64": lambda value: struct.pack("<d", value or 0),
}
_LEAVES: dict[str, Encoder] = {
    "Time": _time,
    "MicroTime": _micro_time,
    "Duration": _duration,
    "Quantity": _quantity,
    "IntOrString": _int_or_string,
    "FieldsV1": _raw,
    "RawExtension": _raw,
    "JSON": _raw,
}
