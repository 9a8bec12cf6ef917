"""Protobuf below the types: numbers, tags, what is unknown, and small messages by number."""
# upstream: api generated.pb.go skipGenerated

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pykube_cp.machinery.codec.interface import DecodeError

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as errors name it.

    Attributes:
        go_name: of its type.
        members: Go name and wire type by number.
        inner: for ``members``, those that are such messages themselves.
    """

    go_name: str
    members: Mapping[int, tuple[str, int]]
    inner: Mapping[int, "Message"] = field(default_factory=dict)

    def refuse(self, tag: int) -> DecodeError:
        """The error for a tag that this message cannot have."""
        number, wire = signed32(tag >> 3), tag & 7
        if wire == END_GROUP:
            return DecodeError(f"proto: {self.go_name}: wiretype end group for non-group")
        if number <= 0:
            return DecodeError(
                f"proto: {self.go_name}: illegal tag {number} (wire type {tag & 0xFFFFFFFFFFFFFFFF})"
            )
        return DecodeError(f"proto: wrong wireType = {wire} for field {self.members[number][0]}")

    def may_have(self, tag: int) -> bool:
        """Whether a member of this tag is one that is not known here."""
        number = signed32(tag >> 3)
        return number > 0 and tag & 7 != END_GROUP and number not in self.members


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


def check_length(length: int) -> None:
    """Refuse a length that is negative to Go; others may only be too long."""
    if length >> 63:
        raise DecodeError("proto: negative length found during unmarshaling")


def skip(data: bytes, at: int, wire: int) -> int:
    """Where a member whose tag was read ends; groups may contain groups."""
    depth = 0
    while True:
        if wire == VARINT:
            at = read_varint(data, at)[1]
        elif wire == BYTES:
            length, at = read_varint(data, at)
            check_length(length)
            at += length
        elif wire in {FIXED64, FIXED32}:
            at += 8 if wire == FIXED64 else 4
        elif wire == GROUP:
            depth += 1
        elif wire == END_GROUP:
            if depth == 0:
                raise DecodeError("proto: unexpected end of group")
            depth -= 1
        else:
            raise DecodeError(f"proto: illegal wireType {wire}")
        if depth == 0:
            return at
        tag, at = read_varint(data, at)
        wire = tag & 7


def members(data: bytes, start: int, stop: int, message: Message) -> dict[int, Any]:
    """A small message by number: ints, bytes, or the same of a message; the last of each counts."""
    found: dict[int, Any] = {}
    at = start
    while at < stop:
        tag, at = read_varint(data, at)
        number, wire = signed32(tag >> 3), tag & 7
        known = message.members.get(number)
        if known is None or known[1] != wire:
            if not message.may_have(tag):
                raise message.refuse(tag)
            at = skip(data, at, wire)
        elif wire == VARINT:
            found[number], at = read_varint(data, at)
        else:
            length, at = read_varint(data, at)
            check_length(length)
            if at + length > stop:
                raise DecodeError("unexpected EOF")
            inner = message.inner.get(number)
            end = at + length
            found[number] = members(data, at, end, inner) if inner else data[at:end]
            at = end
    if at > stop:
        raise DecodeError("unexpected EOF")
    return found
