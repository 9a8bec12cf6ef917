"""CBOR to JSON values and back."""
# upstream: apimachinery pkg/runtime/serializer/cbor

import io
from collections.abc import Mapping
from typing import Any

import cbor2

from pykube_cp.machinery.codec.interface import MAX_DEPTH, DecodeError

SELF_DESCRIBED = b"\xd9\xd9\xf7"


def loads(data: bytes) -> Any:
    """The JSON value in ``data``; byte strings, as Go writes text, become strings."""
    value, rest = load_first(data)
    if rest:
        raise DecodeError(
            f"cbor: {len(rest)} bytes of extraneous data starting at index {len(data) - len(rest)}"
        )
    return value


def load_first(data: bytes) -> tuple[Any, bytes]:
    stream = io.BytesIO(data.removeprefix(SELF_DESCRIBED))
    try:
        # What follows must stay in the stream, hence the read size.
        value = cbor2.CBORDecoder(stream, read_size=1, allow_duplicate_keys=False).decode()
    except (cbor2.CBORDecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise DecodeError(f"cbor: {error}") from error
    return _plain(value, 0), stream.read()


def _plain(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise DecodeError("cbor: exceeded max nested level")
    if isinstance(value, Mapping):  # below a tag, maps are immutable ones
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, cbor2.CBORTag):
        return _plain(value.value, depth + 1)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise DecodeError(f"cbor: cannot unmarshal {type(value).__name__}")


def _key(key: Any) -> str:
    if isinstance(key, bytes):
        return _text(key)
    if isinstance(key, str):
        return key
    raise DecodeError("cbor: map keys must be strings")


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise DecodeError("cbor: invalid UTF-8 string") from error


def _bytes(value: Any) -> Any:
    """Text as byte strings, which is what Go's encoder writes."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict):
        return {key.encode(): _bytes(item) for key, item in value.items()}
    return [_bytes(item) for item in value] if isinstance(value, list) else value


def dumps(value: Any) -> bytes:
    return SELF_DESCRIBED + cbor2.dumps(_bytes(value))


def event(event_type: str, encoded: bytes) -> bytes:
    """A watch event around an encoded object."""
    head = b"\xa2" + cbor2.dumps(b"type") + cbor2.dumps(event_type.encode())
    return SELF_DESCRIBED + head + cbor2.dumps(b"object") + encoded
