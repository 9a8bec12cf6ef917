"""Protobuf messages of the built-in types to objects, by tables compiled once per type.

The object has the shape of Go's JSON of the same message: what Go leaves out is left out, what it
always writes is there.
"""

import base64
import functools
import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from pykube_cp.machinery import leaves, structural
from pykube_cp.machinery.codec import json
from pykube_cp.machinery.codec.interface import MAGIC, DecodeError
from pykube_cp.machinery.codec.proto_wire import (
    BYTES,
    FIXED64,
    VARINT,
    Message,
    check_length,
    members,
    read_varint,
    signed,
    signed32,
    skip,
)
from pykube_cp.machinery.go_text import utf8
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.remember import MAX_LENGTH
from pykube_cp.machinery.schema import AnyType, Embed, Field, Leaf, ListOf, MapOf, Scalar, Type
from pykube_cp.machinery.tables import Tables

Value: TypeAlias = Callable[[bytes, int, int], Any]
"""The value that lies in data[start:stop]; of a varint, the number stands in place of ``stop``."""

Step: TypeAlias = Callable[[bytes, int, int, Object], None]
"""Reads a member as ``Value`` does and puts it into the object."""


def decode_message(data: bytes, kind: Type) -> Object:
    """The object in a message of a type, without ``apiVersion`` and ``kind``."""
    try:
        return _object(kind)(data, 0, len(data), None)
    except IndexError as error:
        raise DecodeError("unexpected EOF") from error
    except RecursionError as error:
        raise DecodeError("exceeded max depth") from error


Reader: TypeAlias = Callable[[bytes, int, int, Object | None], Object]
"""Reads a message into an object, a new one if there is none yet."""


def _object(kind: Type) -> Reader:
    """Reads a message into an object that has what Go always writes."""
    return _objects.of(kind)[0]


def _begun(kind: Type) -> tuple[Reader, dict[int, Step]]:
    steps: dict[int, Step] = {}
    message = _message(steps, _named(kind, ()))
    tables = structural.struct(kind)
    written, structs = tables.written, tables.structs

    def run(data: bytes, start: int, stop: int, into: Object | None) -> Object:
        result = written.copy() if into is None else into
        message(data, start, stop, result)
        for name, normalize in structs:
            if name not in result:
                result[name] = normalize({}, [])
        return result

    return run, steps


_objects = Tables(_begun, lambda kind, made: _fill(made[1], kind, ()))


def _named(kind: Type, inside: tuple[Embed, ...]) -> Message:
    """The message of a type, or of what is embedded in it, as errors name it."""
    depth = len(inside)
    found: dict[int, tuple[str, int]] = {}
    for field in kind.fields.values():
        if not field.number or field.embeds[:depth] != inside:
            continue
        if len(field.embeds) == depth:
            wire = BYTES if isinstance(field.type, ListOf | MapOf) else _wire(field.type)
            found[field.number] = field.go_name, wire
        elif field.embeds[depth].number:
            found[field.embeds[depth].number] = field.embeds[depth].go_name, BYTES
    return Message(inside[-1].go_name if inside else kind.go_name, found)


def _message(steps: dict[int, Step], named: Message) -> Step:
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
                step = get(signed32(tag >> 3) << 3 | tag & 7)
                if step is None:
                    if not named.may_have(tag):
                        raise named.refuse(tag)
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
                check_length(end - at)
                raise DecodeError("unexpected EOF")
            step(data, at, end, result)
            at = end
        if at > stop:
            raise DecodeError("unexpected EOF")

    return run


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
        steps[number << 3 | BYTES] = _message(below, _named(kind, path))


def _add(steps: dict[int, Step], owner: Type, field: Field) -> None:
    number, kind = field.number, field.type
    if isinstance(kind, ListOf) and not kind.boxed:
        if isinstance(kind.items, Type):
            steps[number << 3 | BYTES] = _append_struct(field.name, _object(kind.items))
            return
        item = _value(kind.items)
        steps[number << 3 | _wire(kind.items)] = _append(field.name, item)
        if _wire(kind.items) == VARINT:
            steps[number << 3 | BYTES] = _packed(field.name, item)
    elif isinstance(kind, MapOf):
        steps[number << 3 | BYTES] = _entry(field.name, kind)
    else:
        written = field.pointer or field.name in structural.struct(owner).written
        keep = written or not field.omitempty
        if isinstance(kind, Type):
            steps[number << 3 | BYTES] = _store_struct(field.name, _object(kind))
            return
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
        else:
            result.pop(name, None)  # the last of several counts

    return run


def _store_struct(name: str, read: Reader) -> Step:
    """A message that comes twice is one, as in Go."""

    def run(data: bytes, at: int, end: int, result: Object) -> None:
        result[name] = read(data, at, end, result.get(name))

    return run


def _store_text(name: str, *, keep: bool) -> Step:
    """As ``_store``, for the most frequent case."""

    def run(data: bytes, at: int, end: int, result: Object) -> None:
        if keep or end > at:
            text = data[at:end]
            try:
                result[name] = text.decode()
            except UnicodeDecodeError:
                result[name] = utf8(text)
        elif name in result:
            del result[name]  # the last of several counts

    return run


def _append(name: str, value_of: Value) -> Step:
    def run(data: bytes, at: int, end: int, result: Object) -> None:
        items = result.get(name)
        if items is None:
            items = result[name] = []
        items.append(value_of(data, at, end))

    return run


def _append_struct(name: str, read: Reader) -> Step:
    def run(data: bytes, at: int, end: int, result: Object) -> None:
        items = result.get(name)
        if items is None:
            items = result[name] = []
        items.append(read(data, at, end, None))

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

    def run(data: bytes, at: int, end: int, result: Object) -> None:
        key = ""
        value = None
        while at < end:
            tag, start = read_varint(data, at)
            number = signed32(tag >> 3)  # its wire type is not looked at, as in Go
            if number == 1:
                at, stop = _delimited(data, start, end)
                key, at = utf8(data[at:stop]), stop
            elif number != 2:
                at = skip(data, start, tag & 7)
            elif wire == VARINT:
                number, at = read_varint(data, start)
                value = value_of(data, at, number)
            else:
                at, stop = _delimited(data, start, end)
                value, at = value_of(data, at, stop), stop
        if at > end:
            raise DecodeError("unexpected EOF")
        if value is None:
            value = value_of(data, end, end if wire == BYTES else 0)
        entries = result.get(name)
        if entries is None:
            entries = result[name] = {}
        entries[key] = value

    return run


def _delimited(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the bytes after a length begin and end."""
    length, at = read_varint(data, at)
    if at + length > end:
        check_length(length)
        raise DecodeError("unexpected EOF")
    return at, at + length


def _value(kind: AnyType) -> Value:
    match kind:
        case Type():
            return _new(_object(kind))
        case ListOf():
            return _boxed(kind)
        case Scalar():
            return _SCALARS[kind.name]
        case Leaf(refers=refers) if refers:
            return _schema_or(kind)
        case Leaf():
            return _LEAVES[kind.name]
        case MapOf():
            raise TypeError(f"protobuf has no lists or maps of {kind.go_type}")


def _new(read: Reader) -> Value:
    return lambda data, at, end: read(data, at, end, None)


def _text(data: bytes, at: int, end: int) -> str:
    return utf8(data[at:end])


def _bytes(data: bytes, at: int, end: int) -> str:
    return base64.b64encode(data[at:end]).decode()


def _double(data: bytes, at: int, _end: int) -> float:
    number: float = struct.unpack_from("<d", data, at)[0]
    return leaves.double(number, "float64")


def _boxed(kind: ListOf) -> Value:
    """A list of strings in a message of its own."""
    named = Message(kind.go_type.rpartition(".")[2], {1: ("Items", BYTES)})
    message = _message({1 << 3 | BYTES: _append("items", _text)}, named)

    def run(data: bytes, at: int, end: int) -> list[str]:
        result: Object = {"items": []}
        message(data, at, end, result)
        items: list[str] = result["items"]
        return items

    return run


def _remembered(read: Value) -> Value:
    """For leaves that repeat; long ones must not stay in memory."""

    @functools.lru_cache(maxsize=4096)
    def of(message: bytes) -> Any:
        return read(message, 0, len(message))

    def run(data: bytes, at: int, end: int) -> Any:
        return of(data[at:end]) if end - at <= MAX_LENGTH else read(data, at, end)

    return run


_TIMESTAMP = Message("Timestamp", {1: ("Seconds", VARINT), 2: ("Nanos", VARINT)})
_DURATION = Message("Duration", {1: ("Duration", VARINT)})
_QUANTITY = Message("Quantity", {1: ("String_", BYTES)})
_INT_OR_STRING = Message(
    "IntOrString", {1: ("Type", VARINT), 2: ("IntVal", VARINT), 3: ("StrVal", BYTES)}
)


def _time(data: bytes, at: int, end: int) -> str | None:
    if at == end:
        return None
    return leaves.time_from_unix(signed(members(data, at, end, _TIMESTAMP).get(1, 0)))


def _micro_time(data: bytes, at: int, end: int) -> str | None:
    if at == end:
        return None
    found = members(data, at, end, _TIMESTAMP)
    return leaves.micro_time_from_unix(signed(found.get(1, 0)), signed32(found.get(2, 0)))


def _duration(data: bytes, at: int, end: int) -> str:
    return leaves.format_duration(signed(members(data, at, end, _DURATION).get(1, 0)))


def _quantity(data: bytes, at: int, end: int) -> str:
    text = members(data, at, end, _QUANTITY).get(1)
    return "0" if text is None else leaves.quantity_text(utf8(text))


def _int_or_string(data: bytes, at: int, end: int) -> int | str:
    found = members(data, at, end, _INT_OR_STRING)
    if found.get(1, 0):
        return utf8(found.get(3, b""))
    return signed32(found.get(2, 0))


def _raw(go_name: str) -> Value:
    """Free JSON, or an object in an envelope of its own."""
    named = Message(go_name, {1: ("Raw", BYTES)})

    def run(data: bytes, at: int, end: int) -> Any:
        raw: bytes = members(data, at, end, named).get(1, b"")
        if not raw or raw == b"null":
            return None
        if raw.startswith(MAGIC):
            from pykube_cp.machinery.codec import protobuf  # noqa: PLC0415 - they contain each other

            return protobuf.decode(raw)
        try:
            return json.loads(raw)
        except DecodeError as error:
            raise DecodeError(f"failed to parse {go_name} bytes as JSON: {error}") from error

    return run


def _schema_or(kind: Leaf) -> Value:
    """A JSON schema (1), or what may stand in its place: schemas or strings (2), or a boolean."""
    takes_bool = kind.name == "JSONSchemaPropsOrBool"
    takes_strings = kind.name == "JSONSchemaPropsOrStringArray"
    schema_of = _objects.named(kind.refers)[0]
    store = _store_struct("schema", schema_of)
    others = "Property" if takes_strings else "JSONSchemas"
    steps: dict[int, Step] = {
        1 << 3 | BYTES: store,
        2 << 3 | BYTES: _append("others", _text if takes_strings else _new(schema_of)),
    }
    named = Message(kind.name, {1: ("Schema", BYTES), 2: (others, BYTES)})
    if takes_bool:
        steps = {1 << 3: _store("others", _bool, keep=True), 2 << 3 | BYTES: store}
        named = Message(kind.name, {1: ("Allows", VARINT), 2: ("Schema", BYTES)})
    message = _message(steps, named)

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
    "FieldsV1": _raw("FieldsV1"),
    "RawExtension": _raw("RawExtension"),
    "JSON": _raw("JSON"),
}
