"""Protobuf messages of the built-in types to objects, by tables compiled once per type.

The object has the shape of Go's JSON of the same message: what Go leaves out is left out, what it
always writes is there.
"""

import base64
import functools
import struct
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import orjson

from pykube_cp.machinery import leaves, structural
from pykube_cp.machinery.codec.interface import MAGIC, DecodeError
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import AnyType, Embed, Field, Leaf, ListOf, MapOf, Scalar, Type

Value: TypeAlias = Callable[[bytes, int, int], Any]
"""The value that lies in data[start:stop]; of a varint, the number stands in place of ``stop``."""

Step: TypeAlias = Callable[[bytes, int, int, Object], None]
"""Reads a member as ``Value`` does and puts it into the object."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at ``at`` and where it ends; ``IndexError`` when the data ends first."""
    result = shift = 0
    while True:
        byte = data[at]
        at += 1
        result |= (byte & 127) << shift
        if byte < 128:
            return result & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
        if shift > 63:
            raise DecodeError("proto: integer overflow")


def signed(number: int) -> int:
    """An int64 from its two's complement."""
    return number - (1 << 64) if number >> 63 else number


def signed32(number: int) -> int:
    number &= 0xFFFFFFFF
    return number - (1 << 32) if number >> 31 else number


def skip(data: bytes, at: int, wire: int) -> int:
    """Where an unknown member ends."""
    if wire == VARINT:
        return read_varint(data, at)[1]
    if wire == BYTES:
        length, at = read_varint(data, at)
        return at + length
    if wire in {FIXED64, FIXED32}:
        return at + (8 if wire == FIXED64 else 4)
    raise DecodeError(f"proto: illegal wireType {wire}")


def members(data: bytes, start: int, stop: int) -> dict[int, Any]:
    """A small message by number: varints as ints, bytes as bytes; the last of each counts."""
    found: dict[int, Any] = {}
    at = start
    while at < stop:
        tag, at = read_varint(data, at)
        if tag < 8:
            raise DecodeError(f"proto: illegal tag 0 (wire type {tag & 7})")
        if tag & 7 == VARINT:
            found[tag >> 3], at = read_varint(data, at)
            continue
        end = skip(data, at, tag & 7)
        if end > stop:
            raise DecodeError("unexpected EOF")
        if tag & 7 == BYTES:
            at = read_varint(data, at)[1]
        found[tag >> 3] = data[at:end]
        at = end
    return found


def decode_message(data: bytes, kind: Type) -> Object:
    """The object in a message of a type, without ``apiVersion`` and ``kind``."""
    try:
        return _object(kind)(data, 0, len(data))  # type: ignore[no-any-return]  # Value gives Any
    except IndexError as error:
        raise DecodeError("unexpected EOF") from error
    except RecursionError as error:
        raise DecodeError("exceeded max depth") from error


_objects: dict[str, Value] = {}


def _object(kind: Type) -> Value:
    """Reads a message into a new object that has what Go always writes."""
    known = _objects.get(kind.name)
    if known is not None:
        return known
    steps: dict[int, Step] = {}
    message = _message(steps)
    tables = structural.struct(kind)
    written, structs = tables.written, tables.structs

    def run(data: bytes, start: int, stop: int) -> Object:
        result = written.copy()
        message(data, start, stop, result)
        for name, normalize in structs:
            if name not in result:
                result[name] = normalize({}, [])
        return result

    _objects[kind.name] = run  # before the members: a type may contain itself
    _fill(steps, kind, ())
    return run


def _message(steps: dict[int, Step]) -> Step:
    """The loop over the members of a message."""
    get = steps.get

    def run(data: bytes, at: int, stop: int, result: Object) -> None:
        while at < stop:
            tag = data[at]
            at += 1
            if tag > 127:
                tag, at = read_varint(data, at - 1)
            step = get(tag)
            if step is None:
                _check_unknown(steps, tag)
                at = skip(data, at, tag & 7)
                continue
            if tag & 7 == FIXED64:
                end = 8
            else:
                end = data[at]
                at += 1
                if end > 127:
                    end, at = read_varint(data, at - 1)
            if tag & 7 == VARINT:
                step(data, at, end, result)
                continue
            end += at
            if end > stop:
                raise DecodeError("unexpected EOF")
            step(data, at, end, result)
            at = end
        if at > stop:
            raise DecodeError("unexpected EOF")

    return run


def _check_unknown(steps: Mapping[int, Step], tag: int) -> None:
    """Refuse what is malformed rather than new."""
    number, wire = tag >> 3, tag & 7
    if number == 0:
        raise DecodeError(f"proto: illegal tag 0 (wire type {wire})")
    if any(known >> 3 == number for known in steps):
        raise DecodeError(f"proto: wrong wireType = {wire} for field {number}")


def _fill(steps: dict[int, Step], kind: Type, inside: tuple[Embed, ...]) -> None:
    """The members that lie in the embedded messages ``inside``, or directly in the type."""
    depth = len(inside)
    parts: dict[int, tuple[Embed, ...]] = {}
    for field in kind.fields.values():
        if not field.number or field.embeds[:depth] != inside:
            continue
        if len(field.embeds) == depth:
            _add(steps, kind, field)
        elif field.embeds[depth].number:
            parts[field.embeds[depth].number] = field.embeds[: depth + 1]
    for number, path in parts.items():
        below: dict[int, Step] = {}
        _fill(below, kind, path)
        steps[number << 3 | BYTES] = _message(below)


def _add(steps: dict[int, Step], owner: Type, field: Field) -> None:
    number, kind = field.number, field.type
    if isinstance(kind, ListOf) and not kind.boxed:
        item = _value(kind.items)
        steps[number << 3 | _wire(kind.items)] = _append(field.name, item)
        if _wire(kind.items) == VARINT:
            steps[number << 3 | BYTES] = _packed(field.name, item)
    elif isinstance(kind, MapOf):
        steps[number << 3 | BYTES] = _entry(field.name, kind)
    else:
        written = field.pointer or field.name in structural.struct(owner).written
        keep = written or not field.omitempty or isinstance(kind, Type)
        if isinstance(kind, Scalar) and kind.name == "string":
            steps[number << 3 | BYTES] = _store_text(field.name, keep=keep)
            return
        steps[number << 3 | _wire(kind)] = _store(field.name, _value(kind), keep=keep)


def _wire(kind: AnyType) -> int:
    if isinstance(kind, Scalar):
        if kind.name in {"bool", "int32", "int64", "uint8"}:
            return VARINT
        if kind.name == "float64":
            return FIXED64
    return BYTES


def _store(name: str, value_of: Value, *, keep: bool) -> Step:
    def run(data: bytes, at: int, end: int, result: Object) -> None:
        value = value_of(data, at, end)
        if value or keep:
            result[name] = value

    return run


def _store_text(name: str, *, keep: bool) -> Step:
    """As ``_store``, for the most frequent case."""

    def run(data: bytes, at: int, end: int, result: Object) -> None:
        if keep or end > at:
            result[name] = data[at:end].decode("utf-8", "replace")

    return run


def _append(name: str, value_of: Value) -> Step:
    def run(data: bytes, at: int, end: int, result: Object) -> None:
        items = result.get(name)
        if items is None:
            items = result[name] = []
        items.append(value_of(data, at, end))

    return run


def _packed(name: str, value_of: Value) -> Step:
    def run(data: bytes, at: int, end: int, result: Object) -> None:
        items = result[name] = result.get(name) or []
        while at < end:
            number, at = read_varint(data, at)
            items.append(value_of(data, at, number))

    return run


def _entry(name: str, kind: MapOf) -> Step:
    """An entry of a map; a value that is absent is the zero value."""
    value_of, wire = _value(kind.values), _wire(kind.values)
    values: dict[int, Step] = {
        1 << 3 | BYTES: _store("key", _text, keep=True),
        2 << 3 | wire: _store("value", value_of, keep=True),
    }
    message = _message(values)

    def run(data: bytes, at: int, end: int, result: Object) -> None:
        entry: Object = {"key": ""}
        message(data, at, end, entry)
        if "value" not in entry:
            entry["value"] = value_of(data, end, end if wire == BYTES else 0)
        entries = result.get(name)
        if entries is None:
            entries = result[name] = {}
        entries[entry["key"]] = entry["value"]

    return run


def _value(kind: AnyType) -> Value:
    match kind:
        case Type():
            return _object(kind)
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


def _text(data: bytes, at: int, end: int) -> str:
    return data[at:end].decode("utf-8", "replace")


def _bytes(data: bytes, at: int, end: int) -> str:
    return base64.b64encode(data[at:end]).decode()


def _double(data: bytes, at: int, _end: int) -> float:
    number: float = struct.unpack_from("<d", data, at)[0]
    return leaves.double(number, "float64")


def _boxed(data: bytes, at: int, end: int) -> list[str]:
    """A list of strings in a message of its own."""
    result: Object = {"items": []}
    _BOX(data, at, end, result)
    items: list[str] = result["items"]
    return items


def _remembered(read: Value) -> Value:
    """For leaves that repeat."""

    @functools.lru_cache(maxsize=4096)
    def of(message: bytes) -> Any:
        return read(message, 0, len(message))

    return lambda data, at, end: of(data[at:end])


def _time(data: bytes, at: int, end: int) -> str | None:
    if at == end:
        return None
    return leaves.time_from_unix(signed(members(data, at, end).get(1, 0)))


def _micro_time(data: bytes, at: int, end: int) -> str | None:
    if at == end:
        return None
    found = members(data, at, end)
    return leaves.micro_time_from_unix(signed(found.get(1, 0)), signed32(found.get(2, 0)))


def _duration(data: bytes, at: int, end: int) -> str:
    return leaves.format_duration(signed(members(data, at, end).get(1, 0)))


def _quantity(data: bytes, at: int, end: int) -> str:
    text = members(data, at, end).get(1)
    return "0" if text is None else leaves.quantity_text(text.decode("utf-8", "replace"))


def _int_or_string(data: bytes, at: int, end: int) -> int | str:
    found = members(data, at, end)
    if found.get(1, 0):
        text: bytes = found.get(3, b"")
        return text.decode("utf-8", "replace")
    return signed32(found.get(2, 0))


def _raw(data: bytes, at: int, end: int) -> Any:
    """Free JSON, or an object in an envelope of its own."""
    raw = members(data, at, end).get(1, b"")
    if not raw or raw == b"null":
        return None
    if raw.startswith(MAGIC):
        from pykube_cp.machinery.codec import protobuf  # noqa: PLC0415 - they contain each other

        return protobuf.decode(raw)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise DecodeError("failed to parse RawExtension bytes as JSON") from error


def _schema_or(kind: Leaf) -> Value:
    """A JSON schema (1), or what may stand in its place: schemas or strings (2), or a boolean."""
    takes_bool = kind.name == "JSONSchemaPropsOrBool"
    schema_of = _objects[kind.refers]
    items = _text if kind.name == "JSONSchemaPropsOrStringArray" else schema_of
    steps: dict[int, Step] = {
        1 << 3 | BYTES: _store("schema", schema_of, keep=True),
        2 << 3 | BYTES: _append("others", items),
    }
    if takes_bool:
        steps = {
            1 << 3: _store("others", _bool, keep=True),
            2 << 3 | BYTES: _store("schema", schema_of, keep=True),
        }
    message = _message(steps)

    def run(data: bytes, at: int, end: int) -> Any:
        result: Object = {}
        message(data, at, end, result)
        schema, others = result.get("schema"), result.get("others", False if takes_bool else None)
        if takes_bool:
            return others if schema is None else schema
        return others or schema

    return run


def _bool(_data: bytes, _at: int, number: int) -> bool:
    return number != 0


_BOX = _message({1 << 3 | BYTES: _append("items", _text)})
_SCALARS: dict[str, Value] = {
    "string": _text,
    "bytes": _bytes,
    "bool": _bool,
    "int32": lambda _data, _at, number: signed32(number),
    "int64": lambda _data, _at, number: signed(number),
    "uint8": lambda _data, _at, number: number & 255,
    "float64": _double,
}
_LEAVES: dict[str, Value] = {
    "Time": _remembered(_time),
    "MicroTime": _micro_time,
    "Duration": _duration,
    "Quantity": _remembered(_quantity),
    "IntOrString": _remembered(_int_or_string),
    "FieldsV1": _raw,
    "RawExtension": _raw,
    "JSON": _raw,
}
