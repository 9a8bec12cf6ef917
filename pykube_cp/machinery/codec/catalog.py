"""The media types there are, and the two functions most callers need."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from pykube_cp.machinery import empties, schema, structural
from pykube_cp.machinery.codec.cbor import Cbor
from pykube_cp.machinery.codec.cbor_decode import MeaningError
from pykube_cp.machinery.codec.interface import (
    Codec,
    DecodeError,
    TypeMismatchError,
    UnreadableError,
)
from pykube_cp.machinery.codec.json import Json, loads_as_written
from pykube_cp.machinery.codec.protobuf import Protobuf
from pykube_cp.machinery.codec.yaml import Yaml
from pykube_cp.machinery.empties import Given
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVK, GroupVersion
from pykube_cp.machinery.leaves import json_kind
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.repeated import overlaid
from pykube_cp.machinery.schema import Type
from pykube_cp.machinery.strict_errors import Written, strict_errors

JSON: Codec = Json()
YAML: Codec = Yaml()
PROTOBUF: Codec = Protobuf()
CBOR: Codec = Cbor()

CODECS: tuple[Codec, ...] = (JSON, YAML, PROTOBUF)
"""What is served, the default first."""


@dataclass(frozen=True, slots=True)
class Media:
    """The media types that a server speaks, the default first."""

    codecs: tuple[Codec, ...] = CODECS

    @property
    def types(self) -> list[str]:
        return [codec.media_type for codec in self.codecs]

    @property
    def has_cbor(self) -> bool:
        return CBOR in self.codecs


WITH_CBOR = Media((*CODECS, CBOR))
"""Behind a feature gate, upstream as here."""

KNOWN: Mapping[str, Codec] = {codec.media_type: codec for codec in (*CODECS, CBOR)}

INTERNAL = "__internal"
"""The version of the form in which upstream works."""

BEFORE_UNREADABLE = {
    JSON.media_type: "couldn't get version/kind; json parse error: ",
    CBOR.media_type: "unable to determine group/version/kind: ",
}
"""What stands before an error where upstream reads the kind first, and all else afterwards."""

_HEAD = (
    'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; '
    'Kind string "json:\\"kind,omitempty\\"" }'
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body, read.

    Attributes:
        obj: in canonical form if the kind is built in, else as sent; ``apiVersion`` and ``kind``
            are set unless both body and default are silent.
        strict_errors: for ``fieldValidation``; ``strict_errors.message`` joins them.
        empties: empty lists and maps that canonical form does not show.
    """

    obj: Object
    gvk: GVK
    strict_errors: list[str] = field(default_factory=list)
    empties: Given = field(default_factory=list)


def decode_body(
    media_type: str,
    data: bytes,
    *,
    default: GVK | None = None,
    strict: bool = False,
    normalize: bool = True,
) -> Decoded:
    """Read a body.

    Args:
        media_type: without parameters; ``KeyError`` when there is no codec for it.
        data: the bytes.
        default: kind and version where the body does not say.
        strict: whether to collect unknown and duplicate fields.
        normalize: False leaves objects of built-in kinds as they were sent, for patches.

    Raises:
        DecodeError: it cannot be read, or does not say its kind; ``UnreadableError`` when not even
            the kind can be told.
    """
    codec = KNOWN[media_type]
    found: list[str] = []
    is_free = codec is JSON and default is not None and schema.find(default) is None
    try:
        value = codec.decode(data, None if is_free else default, strict=found)
    except DecodeError as error:
        if codec.typed or (is_free and isinstance(error, TypeMismatchError)):
            raise
        if isinstance(error, MeaningError) and error.key not in {"kind", "apiVersion"}:
            raise _cbor_errors().in_kind(error, schema.find(default) if default else None) from None
        raise UnreadableError(BEFORE_UNREADABLE.get(media_type, "") + str(error)) from error
    if codec is CBOR:
        value = _telling_its_kind(value, data)
    gvk = kind_of(value, data, default)
    if value is None:
        value = {}  # null says nothing
    kind = schema.find(gvk) if normalize and not codec.typed else None
    places: Given = []
    if kind is not None:
        try:
            made, more, places = _normalized(value, kind, strict=strict)
        except DecodeError as error:
            error = worded(error, codec, data, value, kind)
            error.stated = gvk
            raise error from None
        if codec is CBOR and more:
            more = [_cbor_errors().unknown_field(value, kind)]
        found += more
        value = made
    elif strict and not codec.typed:
        found += _odd_fields(value, gvk)
        value = dict(value)
    value["apiVersion"], value["kind"] = gvk.api_version, gvk.kind
    return Decoded(value, gvk, found if strict else [], places)


def _odd_fields(value: Object, gvk: GVK) -> list[str]:
    """Of kinds without a type; upstream's internal ones have no field that a client could name."""
    if gvk.version == INTERNAL:
        return [f"unknown field {quote(key)}" for key in value if key not in {"kind", "apiVersion"}]
    return strict_errors(value, None)


def _normalized(value: Any, kind: Type, *, strict: bool) -> tuple[Object, list[str], Given]:
    if not isinstance(value, Written):
        return *structural.normalize(value, kind, strict=strict), empties.given(value, kind)
    tree = overlaid(value.tree, kind)
    made, _ = structural.normalize(tree, kind, strict=False)
    return made, strict_errors(value, kind), empties.given(tree, kind)


def _cbor_errors() -> ModuleType:
    from pykube_cp.machinery.codec import cbor_errors  # noqa: PLC0415 - rarely needed

    return cbor_errors


def _telling_its_kind(value: Any, data: bytes) -> Any:
    """The value, if kind and version can be read off it; a version that is none counts as absent."""
    # upstream: apimachinery pkg/runtime/serializer/cbor/cbor.go serializer.unmarshal
    if text := _cbor_errors().not_a_kind(data, value):
        raise UnreadableError(BEFORE_UNREADABLE[CBOR.media_type] + text)
    if value and str(value.get("apiVersion")).count("/") > 1:
        return {**value, "apiVersion": ""}
    return value


def worded(error: DecodeError, codec: Codec, data: bytes, value: Any, kind: Type) -> DecodeError:
    """The error of a value as the decoder of its media type says it."""
    if codec is JSON:
        return _as_written(error, data, kind)
    if codec is CBOR and isinstance(error, TypeMismatchError):
        found: DecodeError = _cbor_errors().mismatch(data, value, kind, error)
        return found
    return error


def _as_written(error: DecodeError, data: bytes, kind: Type) -> DecodeError:
    """The same error, with a number in it as it stands in the text."""
    if isinstance(error, TypeMismatchError) and error.value.startswith("number "):
        try:
            structural.normalize(loads_as_written(data), kind, strict=False)
        except DecodeError as exact:
            return exact
    return error


def kind_of(value: Any, data: bytes, default: GVK | None = None) -> GVK:
    """What an object says it is, completed by the default; ``DecodeError`` when it is silent."""
    # upstream: apimachinery pkg/runtime/serializer/json/meta.go Interpret
    if not isinstance(value, dict):
        if value is not None:
            raise _unreadable(json_kind(value), f"Go value of type {_HEAD}")
        value = {}
    # encoding/json, with which upstream reads these two, takes keys in any case
    value = {key.lower(): member for key, member in value.items()}
    group, version = _group_version(_text(value, "apiVersion"))
    kind = _text(value, "kind")
    if default is not None:
        kind = kind or default.kind
        if not version and group in {"", default.group}:
            group, version = default.group, default.version
    if not kind:
        raise DecodeError(f"Object 'Kind' is missing in '{data.decode('utf-8', 'replace')}'")
    if not version:
        text = f"Object 'apiVersion' is missing in '{data.decode('utf-8', 'replace')}'"
        error = DecodeError(text)
        error.stated = GVK(group, version, kind)
        raise error
    return GVK(group, version, kind)


def _group_version(api_version: str) -> GroupVersion:
    try:
        return GroupVersion.parse(api_version)
    except ValueError as error:
        raise UnreadableError(str(error)) from error


def _text(value: Object, name: str) -> str:
    text = value.get(name.lower())
    if text is None:
        return ""
    if not isinstance(text, str):
        raise _unreadable(json_kind(text), f"Go struct field .{name} of type string")
    return text


def _unreadable(kind: str, target: str) -> UnreadableError:
    return UnreadableError(
        f"couldn't get version/kind; json parse error: json: cannot unmarshal {kind} into {target}"
    )


def encode(media_type: str, obj: Object) -> bytes:
    """The bytes of an object; ``NotEncodableError`` when it has none in this media type."""
    return KNOWN[media_type].encode(obj)
