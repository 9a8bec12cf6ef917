"""``application/vnd.kubernetes.protobuf``: an envelope naming the kind, around its message.

Watches are frames of four bytes of length and a WatchEvent without envelope, whose object has one.
"""
# upstream: apimachinery pkg/runtime/serializer/protobuf/protobuf.go Serializer

import struct
from collections.abc import Sequence
from typing import Any

from pykube_cp.machinery import schema
from pykube_cp.machinery.codec.interface import (
    MAGIC,
    MAX_DEPTH,
    DecodeError,
    NotEncodableError,
    UnreadableError,
    not_registered,
)
from pykube_cp.machinery.codec.json import is_too_deep, may_be_deep
from pykube_cp.machinery.codec.proto_decode import decode_message
from pykube_cp.machinery.codec.proto_encode import delimited, encode_message, varint
from pykube_cp.machinery.codec.proto_wire import BYTES, Message, members
from pykube_cp.machinery.go_text import utf8
from pykube_cp.machinery.gvk import GVK, GroupVersion
from pykube_cp.machinery.objects import Object

_NESTING = "io.k8s.apiextensions-apiserver."
"""The types that contain themselves: JSON schemas; others nest only in free JSON."""

_MESSAGES = 50
"""More levels than the messages of any other type have."""

MAX_FRAME = 1 << 24
"""Bytes of one watch event that will be read."""


def decode(data: bytes, default: GVK | None = None) -> Object:
    """The object in an envelope; the default names its kind where the envelope does not."""
    api_version, kind, raw = open_envelope(data)
    # upstream: apimachinery pkg/runtime/schema/group_version.go FromAPIVersionAndKind
    if api_version.count("/") > 1:
        api_version = ""
    if default is not None:
        kind = kind or default.kind
        api_version = api_version or default.api_version
    if not kind:
        raise DecodeError(f"Object 'Kind' is missing in '{_type_meta(api_version, kind)}'")
    if not api_version:
        raise DecodeError(f"Object 'apiVersion' is missing in '{_type_meta(api_version, kind)}'")
    found = _type_of(api_version, kind)
    result: Object = {"kind": kind, "apiVersion": api_version}
    result.update(decode_message(raw, found))
    if (may_be_deep(raw, MAX_DEPTH - _MESSAGES) or found.name.startswith(_NESTING)) and is_too_deep(
        result
    ):
        raise DecodeError("exceeded max depth")
    return result


def _type_meta(api_version: str, kind: str) -> str:
    return f'runtime.TypeMeta{{APIVersion:"{api_version}", Kind:"{kind}"}}'


def _type_of(api_version: str, kind: str) -> schema.Type:
    group, version = GroupVersion.parse(api_version)
    found = schema.find(GVK(group, version, kind))
    if found is None or not found.protobuf:
        error = DecodeError(not_registered(kind, api_version))
        error.stated = GVK(group, version, kind)
        raise error
    return found


_UNKNOWN = Message(
    "Unknown",
    {
        1: ("TypeMeta", BYTES),
        2: ("Raw", BYTES),
        3: ("ContentEncoding", BYTES),
        4: ("ContentType", BYTES),
    },
    {1: Message("TypeMeta", {1: ("APIVersion", BYTES), 2: ("Kind", BYTES)})},
)
_WATCH_EVENT = Message(
    "WatchEvent",
    {1: ("Type", BYTES), 2: ("Object", BYTES)},
    {2: Message("RawExtension", {1: ("Raw", BYTES)})},
)


def open_envelope(data: bytes) -> tuple[str, str, bytes]:
    """``apiVersion``, ``kind`` and the message of what is in an envelope."""
    if not data:
        raise UnreadableError("empty data")
    if not data.startswith(MAGIC):
        raise UnreadableError(
            "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]"
        )
    if len(data) == len(MAGIC):
        raise UnreadableError("empty body")
    try:
        unknown = members(data, len(MAGIC), len(data), _UNKNOWN)
    except IndexError as error:
        raise UnreadableError("unexpected EOF") from error
    except DecodeError as error:
        raise UnreadableError(str(error)) from error
    named = unknown.get(1, {})
    return utf8(named.get(1, b"")), utf8(named.get(2, b"")), unknown.get(2, b"")


def envelope(api_version: str, kind: str, message: bytes) -> bytes:
    return b"".join((_opening(api_version, kind, len(message)), message, _CLOSING))


def _opening(api_version: str, kind: str, size: int) -> bytes:
    """What goes before a message of so many bytes."""
    named = b"\x0a" + delimited(api_version.encode()) + b"\x12" + delimited(kind.encode())
    return b"".join((MAGIC, b"\x0a", delimited(named), b"\x12", varint(size)))


_CLOSING = b"\x1a\x00\x22\x00"


def _type_to_write(obj: Object) -> schema.Type:
    # Some discovery answers leave out the version; their kinds are of the core group's v1.
    named = obj if "apiVersion" in obj else {**obj, "apiVersion": "v1"}
    found = schema.find(GVK.of(named))
    if found is None:
        raise NotEncodableError(
            f"object {obj.get('apiVersion')} {obj.get('kind')} does not implement the protobuf "
            "marshalling interface and cannot be encoded to a protobuf message"
        )
    return found


class Protobuf:
    """Protobuf for the built-in kinds that have it."""

    media_type = "application/vnd.kubernetes.protobuf"
    streams = True
    typed = True

    def decode(
        self,
        data: bytes,
        default: GVK | None = None,
        *,
        strict: list[str] | None = None,
    ) -> Object:
        return decode(data, default)

    def encode(self, obj: Object) -> bytes:
        return envelope(obj.get("apiVersion", ""), obj["kind"], self.encode_item(obj))

    def frame_event(self, event_type: str, encoded: bytes) -> bytes:
        raw = b"\x0a" + delimited(encoded)
        event = b"\x0a" + delimited(event_type.encode()) + b"\x12" + delimited(raw)
        return struct.pack(">I", len(event)) + event

    def read_frames(self, data: bytes) -> tuple[list[tuple[str, Any]], bytes]:
        events: list[tuple[str, Any]] = []
        at = 0
        while len(data) - at >= 4:
            (length,) = struct.unpack_from(">I", data, at)
            if length > MAX_FRAME:
                raise DecodeError("object to decode was longer than maximum allowed size")
            if len(data) - at - 4 < length:
                break
            events.append(_read_event(data[at + 4 : at + 4 + length]))
            at += 4 + length
        return events, data[at:]

    def encode_item(self, obj: Object) -> bytes:
        """The message without envelope, as it stands wherever the kind is known."""
        return encode_message(obj, _type_to_write(obj))

    def encode_list(self, head: Object, items: Sequence[bytes]) -> list[bytes]:
        kind = _type_to_write(head)
        tag = varint(kind.fields["items"].number << 3 | 2)
        parts = [b"", encode_message({**head, "items": []}, kind)]
        for item in items:
            parts += (tag + varint(len(item)), item)
        parts[0] = _opening(head["apiVersion"], head["kind"], sum(map(len, parts)))
        return [*parts, _CLOSING]


def _read_event(data: bytes) -> tuple[str, Any]:
    try:
        event = members(data, 0, len(data), _WATCH_EVENT)
    except IndexError as error:
        raise DecodeError("unexpected EOF") from error
    return utf8(event.get(1, b"")), decode(event.get(2, {}).get(1, b""))
