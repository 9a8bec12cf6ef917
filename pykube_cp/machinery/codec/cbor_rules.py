"""CBOR to JSON values and back."""
# upstream: apimachinery pkg/runtime/serializer/cbor

from typing import Any

import cbor2

from pykube_cp.machinery.codec.cbor_decode import first_item
from pykube_cp.machinery.codec.interface import DecodeError

SELF_DESCRIBED = b"\xd9\xd9\xf7"


def loads(data: bytes, *, typed: bool = False) -> Any:
    """The JSON value in ``data``; byte strings, as Go writes text, become strings."""
    value, end = first_item(data, typed=typed)
    if end < len(data):
        raise DecodeError(
            f"cbor: {len(data) - end} bytes of extraneous data starting at index {end}"
        )
    return value


def load_first(data: bytes) -> tuple[Any, bytes]:
    value, end = first_item(data)
    return value, data[end:]


def _bytes(value: Any) -> Any:
    """Text as byte strings, which is what Go's encoder writes."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, dict):
        return {key.encode(): _bytes(item) for key, item in value.items()}
    return [_bytes(item) for item in value] if isinstance(value, list) else value


def dumps(value: Any) -> bytes:
    data: bytes = cbor2.dumps(_bytes(value))
    return SELF_DESCRIBED + data


def event(event_type: str, encoded: bytes) -> bytes:
    """A watch event around an encoded object."""
    head = b"\xa2" + cbor2.dumps(b"type") + cbor2.dumps(event_type.encode())
    return SELF_DESCRIBED + head + cbor2.dumps(b"object") + encoded
