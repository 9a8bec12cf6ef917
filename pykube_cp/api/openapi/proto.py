"""JSON documents as protobuf messages: the pieces of which ``proto_v2`` and ``proto_v3`` are made.

A message says for each of its JSON keys how it is written: a piece with its field number. Keys that
begin with ``x-`` are written as pairs of a name and a YAML text, other unknown keys are left out.
"""
# upstream: gnostic-models openapiv2/OpenAPIv2.go, openapiv3/OpenAPIv3.go

import re
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pykube_cp.api.openapi.paths import METHODS
from pykube_cp.machinery.codec.proto_encode import delimited, varint

Write = Callable[[Any], bytes]
"""Writes a value with its tag."""
Body = Callable[[Any], bytes]
"""Writes what is inside a message."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_,./+-]*(?: [A-Za-z0-9_,./+-]+)*")
_RESERVED = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


@dataclass(frozen=True, slots=True)
class Piece:
    """One field: its number, and how a value is written under it."""

    number: int
    write: Write


def text(number: int) -> Piece:
    """A string; an empty one is left out, as the format has it."""

    def write(value: str) -> bytes:
        return _tagged(number, value.encode()) if value else b""

    return Piece(number, write)


def boolean(number: int) -> Piece:
    return Piece(number, lambda value: varint(number << 3) + b"\x01" if value else b"")


def integer(number: int) -> Piece:
    return Piece(number, lambda value: varint(number << 3) + varint(value) if value else b"")


def real(number: int) -> Piece:
    """A double."""
    tag = varint(number << 3 | 1)
    return Piece(number, lambda value: tag + struct.pack("<d", value) if value else b"")


def texts(number: int) -> Piece:
    return Piece(number, lambda values: b"".join(_tagged(number, each.encode()) for each in values))


def one(number: int, body: Body) -> Piece:
    """A message."""
    return Piece(number, lambda value: _tagged(number, body(value)))


def each(number: int, body: Body) -> Piece:
    """A message per item of a list."""
    return Piece(number, lambda values: b"".join(_tagged(number, body(item)) for item in values))


def named(number: int, body: Body) -> Piece:
    """A message per member of an object: its name and its value."""
    return Piece(number, lambda members: _named(number, members.items(), body))


def yaml_texts(number: int) -> Piece:
    """Values of any kind, as YAML."""
    return each(number, any_value)


def any_value(value: Any) -> bytes:
    """The message of a value of any kind: its YAML text."""
    return _tagged(2, (yaml(value) + "\n").encode())


def scalar(value: Any) -> bytes:
    """The message of a number (1), a boolean (2) or a text (3); empty for anything else."""
    if isinstance(value, bool):
        return b"\x10\x01" if value else b"\x10\x00"
    if isinstance(value, int | float):
        return b"\x09" + struct.pack("<d", value)
    return _tagged(3, value.encode()) if isinstance(value, str) else b""


def schema_or_boolean(schema: Body) -> Body:
    """The message of a schema (1), or of whether anything is allowed (2)."""

    def body(value: Any) -> bytes:
        if isinstance(value, bool):
            return b"\x10\x01" if value else b"\x10\x00"
        return _tagged(1, schema(value))

    return body


def demands(first: int) -> dict[str, Piece]:
    """What a schema demands of values: both versions number it in this order."""
    kinds = {
        "multipleOf": real,
        "maximum": real,
        "exclusiveMaximum": boolean,
        "minimum": real,
        "exclusiveMinimum": boolean,
        "maxLength": integer,
        "minLength": integer,
        "pattern": text,
        "maxItems": integer,
        "minItems": integer,
        "uniqueItems": boolean,
        "maxProperties": integer,
        "minProperties": integer,
        "required": texts,
        "enum": yaml_texts,
    }
    return {key: kind(number) for number, (key, kind) in enumerate(kinds.items(), first)}


def by_method(first: int, operation: Body) -> dict[str, Piece]:
    """The operations of a path: both versions number them in this order."""
    return {method: one(number, operation) for number, method in enumerate(METHODS, first)}


def _named(number: int, members: Iterable[tuple[str, Any]], body: Body) -> bytes:
    return b"".join(
        _tagged(number, _tagged(1, name.encode()) + _tagged(2, body(value)))
        for name, value in members
    )


def _tagged(number: int, data: bytes) -> bytes:
    return varint(number << 3 | 2) + delimited(data)


class Message:
    """A message by its JSON keys. ``fields`` may be set later: messages may contain themselves.

    Args:
        extensions: the number of the field for keys that begin with ``x-``, 0 without.
    """

    def __init__(self, extensions: int = 0, **fields: Piece) -> None:
        self._extensions = extensions
        self._fields: list[tuple[int, str, Write]] = []
        self.add(**fields)

    def add(self, **fields: Piece) -> None:
        """More fields, by JSON keys; ``_ref`` is ``$ref``, ``in_`` is ``in``."""
        for key, piece in fields.items():
            name = "$ref" if key == "_ref" else key.rstrip("_")
            self._fields.append((piece.number, name, piece.write))
        self._fields.sort(key=lambda field: field[0])

    def __call__(self, value: Mapping[str, Any]) -> bytes:
        parts = [write(value[key]) for _, key, write in self._fields if key in value]
        if self._extensions:
            members = [(key, said) for key, said in value.items() if key.startswith("x-")]
            parts.append(_named(self._extensions, members, any_value))
        return b"".join(parts)


def choice(choose: Callable[[Any], int], *bodies: Body) -> Body:
    """A message of one alternative, whose number, from 1, the value decides."""

    def body(value: Any) -> bytes:
        number = choose(value)
        return _tagged(number, bodies[number - 1](value))

    return body


def reference_or(body: Body) -> Body:
    """The message itself (1), or a reference to one (2)."""
    return choice(lambda value: 2 if "$ref" in value else 1, body, REFERENCE)


REFERENCE = Message(_ref=text(1))


def yaml(value: Any, indent: str = "") -> str:
    """YAML in blocks, as Go's library writes it."""
    if isinstance(value, dict) and value:
        return "\n".join(_member(key, said, indent) for key, said in value.items())
    if isinstance(value, list) and value:
        return "\n".join(f"{indent}- {yaml(item, indent + '  ').lstrip(' ')}" for item in value)
    return indent + (_yaml_text(value) if isinstance(value, str) else orjson.dumps(value).decode())


def _yaml_text(value: str) -> str:
    """Plain where it can be; in double quotes what would be taken for something else than text."""
    if value.lower() not in _RESERVED and _PLAIN.fullmatch(value):
        return value
    if value and value.isprintable() and not value[0].isalnum():
        return "'" + value.replace("'", "''") + "'"
    return orjson.dumps(value).decode()


def _member(key: str, value: Any, indent: str) -> str:
    if value and isinstance(value, dict | list):
        inner = indent + ("  " if isinstance(value, dict) else "    ")
        return f"{indent}{yaml(key)}:\n{yaml(value, inner)}"
    return f"{indent}{yaml(key)}: {yaml(value)}"
