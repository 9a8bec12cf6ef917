"""CBOR to JSON values, with the rules and limits that upstream gives its decoder.

Own code, because libraries make dates, regular expressions, fractions and shared references of tags;
here a tag means what it means to upstream, and most mean nothing.
"""
# upstream: apimachinery pkg/runtime/serializer/cbor/internal/modes/decode.go

import base64
import math
import re
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from pykube_cp.machinery import leaves
from pykube_cp.machinery.codec.interface import MAX_DEPTH, DecodeError
from pykube_cp.machinery.go_text import quote, utf8

MAX_PAIRS = 2097152

_UINT, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)
_NAMES = (
    "positive integer",
    "negative integer",
    "byte string",
    "UTF-8 text string",
    "array",
    "map",
    "tag",
    "primitives",
)
_SIZED = frozenset({_BYTES, _TEXT, _ARRAY, _MAP})
_BREAK = 0xFF
_INDEFINITE = 31
_SIZES = {24: 1, 25: 2, 26: 4, 27: 8}
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_MAX_INT64 = (1 << 63) - 1
_TIME = re.compile(r"(?P<whole>.{15,16}:..)([.,](?P<fraction>[0-9]+))?(?P<zone>Z|[+-].....)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Tags by which a byte string says what text it stands for.
_LATER: dict[int, Callable[[bytes], str]] = {
    21: lambda data: base64.urlsafe_b64encode(data).decode().rstrip("="),
    22: lambda data: base64.b64encode(data).decode(),
    23: lambda data: data.hex(),
}

Text: TypeAlias = Callable[[bytes], str]


class IncompleteError(DecodeError):
    """The data ends within an item."""

    def __init__(self) -> None:
        super().__init__("unexpected EOF")


class MeaningError(DecodeError):
    """Well-formed, but no value of ours; upstream notices when it knows the kind already.

    ``key``: the member of the whole object in which it is.
    """

    key = ""


def first_item(data: bytes, *, typed: bool = False) -> tuple[Any, int]:
    """The first item in ``data`` and where it ends; ``IncompleteError`` when it does not.

    ``typed``: a type will say what its members must be, so that tags make nothing else of them.
    """
    if not data:
        raise DecodeError("EOF")
    reader = _Reader(data, typed=typed)
    try:
        return reader.value(0, utf8), reader.at
    except RecursionError as error:
        raise DecodeError(f"cbor: exceeded max nested level {MAX_DEPTH}") from error


def names_of(data: bytes) -> Any:
    """The first item with the name of its sort in place of each text, number and the like."""
    return _NameReader(data).value(0, utf8)


class _Reader:
    """A walk over the items. ``text_of`` is what byte strings become, which tags change."""

    def __init__(self, data: bytes, at: int = 0, *, typed: bool = False) -> None:
        self._data, self._typed = data, typed
        self.at = at

    def _peek(self) -> int:
        if self.at >= len(self._data):
            raise IncompleteError
        return self._data[self.at]

    def _take(self, length: int) -> bytes:
        begun = self.at
        if length > len(self._data) - begun:
            raise IncompleteError
        self.at = begun + length
        return self._data[begun : self.at]

    def value(self, depth: int, text_of: Text) -> Any:
        if self.at >= len(self._data):
            raise IncompleteError
        head = self._data[self.at]
        self.at += 1
        major, info = head >> 5, head & 31
        if major == _SIMPLE:
            return self._simple(info)
        argument = info if info < 24 else self._argument(major, info)
        if argument > _MAX_INT64 and major in _SIZED:
            text = f"cbor: {_NAMES[major]} length {argument} is too large"
            raise DecodeError(f"{text}, it would cause integer overflow")
        if major == _BYTES:
            return text_of(self._string(_BYTES, argument))
        if major == _TEXT:
            return _text(self._string(_TEXT, argument))
        if major == _MAP:
            return self._map(argument, depth + 1, text_of)
        if major == _ARRAY:
            return self._array(argument, depth + 1, text_of)
        if major == _TAG:
            return self.tagged(argument, depth, text_of)
        return _integer(major, argument)

    def _argument(self, major: int, info: int) -> int:
        """The number after the head; -1 when the length is not told."""
        size = _SIZES.get(info)
        if size is not None:
            return int.from_bytes(self._take(size), "big")
        if info == _INDEFINITE and major in _SIZED:
            return -1
        raise DecodeError(f"cbor: invalid additional information {info} for type {_NAMES[major]}")

    def _string(self, major: int, length: int) -> bytes:
        if length >= 0:
            return self._take(length)
        chunks = []
        while not self._ends():
            head = self._peek()
            if head >> 5 != major:
                found, name = _NAMES[head >> 5], _NAMES[major]
                raise DecodeError(f"cbor: wrong element type {found} for indefinite-length {name}")
            if head & 31 == _INDEFINITE:
                raise DecodeError(
                    f"cbor: indefinite-length {_NAMES[major]} chunk is not definite-length"
                )
            self.at += 1
            info = head & 31
            chunk = self._take(info if info < 24 else self._argument(major, info))
            if major == _TEXT:
                _text(chunk)
            chunks.append(chunk)
        return b"".join(chunks)

    def _ends(self) -> bool:
        """Whether something of unknown length ends here."""
        if self._peek() != _BREAK:
            return False
        self.at += 1
        return True

    def _array(self, length: int, depth: int, text_of: Text) -> list[Any]:
        _check_depth(depth)
        if length >= 0:
            return [self.value(depth, text_of) for _ in range(self._at_most(length))]
        items = []
        while not self._ends():
            items.append(self.value(depth, text_of))
        return items

    def _at_most(self, length: int) -> int:
        """Refuse a length that what is left cannot hold, before anything is made of it."""
        if length > len(self._data) - self.at:
            raise IncompleteError
        return length

    def _map(self, length: int, depth: int, text_of: Text) -> dict[str, Any]:
        _check_depth(depth)
        if length > MAX_PAIRS:
            raise DecodeError(
                f"cbor: exceeded max number of key-value pairs {MAX_PAIRS} for CBOR map"
            )
        result: dict[str, Any] = {}
        index = 0
        while index != length and not (length < 0 and self._ends()):
            key = self.key(depth, text_of)
            if key in result:
                raise _duplicate(key, index)
            if length < 0 and self._peek() == _BREAK:
                raise DecodeError('cbor: unexpected "break" code')
            result[key] = self._member(key, depth, text_of)
            index += 1
        return result

    def _member(self, key: str, depth: int, text_of: Text) -> Any:
        try:
            return self.value(depth, text_of)
        except MeaningError as error:
            error.key = key
            raise

    def key(self, depth: int, text_of: Text) -> str:
        major = self._peek() >> 5
        key = self.value(depth, text_of)
        if isinstance(key, str):
            return key
        if key is None:
            return ""
        raise DecodeError(f"cbor: cannot unmarshal {_NAMES[major]} into Go value of type string")

    def tagged(self, tag: int, depth: int, text_of: Text) -> Any:
        _check_depth(depth + 1)
        head = self._peek()
        _check_tag(tag, head)
        if tag in _LATER:
            return self.value(depth + 1, _LATER[tag])
        content = self.value(depth + 1, text_of)
        if self._typed or tag not in {0, 1}:
            return content
        return _time_of_text(content) if tag == 0 else _time_of_number(content)

    def _simple(self, info: int) -> Any:
        if info in _FLOATS:
            found: float = struct.unpack(_FLOATS[info], self._take(_SIZES[info]))[0]
            return _finite(found)
        if info in {20, 21}:
            return info == 21
        if info == 22 or (info == 23 and self._typed):
            return None
        if info == _INDEFINITE:
            raise DecodeError('cbor: unexpected "break" code')
        if info > 24:
            raise DecodeError(f"cbor: invalid additional information {info} for type primitives")
        name = info if info < 24 else self._take(1)[0]
        if info == 24 and name < 32:
            raise DecodeError(f"cbor: invalid simple value {name} for type primitives")
        what = f"simple value {name} is not recognized"
        raise MeaningError(str(_unacceptable("primitives", what)))


def _duplicate(key: str, index: int) -> MeaningError:
    error = MeaningError(f"cbor: found duplicate map key {quote(key)} at map element index {index}")
    error.key = key
    return error


def _unacceptable(kind: str, what: str) -> DecodeError:
    return DecodeError(f"cbor: data item of cbor type {kind} is not accepted by protocol: {what}")


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise DecodeError(f"cbor: exceeded max nested level {MAX_DEPTH}")


def _integer(major: int, argument: int) -> int:
    value = argument if major == _UINT else -1 - argument
    if argument > _MAX_INT64:
        raise MeaningError(
            f"cbor: cannot unmarshal {_NAMES[major]} into Go value of type int64 "
            f"({value} overflows Go's int64)"
        )
    return value


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise MeaningError("cbor: invalid UTF-8 string") from error


def _finite(value: float) -> float:
    if math.isfinite(value):
        return value
    raise _unacceptable(
        "primitives", f"floating-point {'NaN' if math.isnan(value) else 'infinity'}"
    )


def _check_tag(tag: int, head: int) -> None:
    """Whether a tag may stand before an item that begins with ``head``."""
    # upstream: github.com/fxamacker/cbor common.go validBuiltinTag
    major = head >> 5
    got = _NAMES[major]
    if tag == 0 and major != _TEXT:
        raise DecodeError(f"cbor: tag number 0 must be followed by text string, got {got}")
    if tag == 1 and major not in {_UINT, _NEGATIVE} and head not in range(0xF9, 0xFC):
        raise DecodeError(
            f"cbor: tag number 1 must be followed by integer or floating-point number, got {got}"
        )
    if tag in {2, 3}:
        if major != _BYTES:
            raise DecodeError(f"cbor: tag number 2 or 3 must be followed by byte string, got {got}")
        raise _unacceptable("tag", "bignum")


def _time_of_text(text: str) -> str:
    """A time as Go writes it: no zeros at the end of its fraction, UTC as Z."""
    try:
        leaves.canonical_time(text)
    except DecodeError as error:
        raise DecodeError(f"cbor: cannot set {text} for time.Time: {error}") from error
    parts = _TIME.fullmatch(text)
    assert parts is not None
    zone = "Z" if parts["zone"] in {"+00:00", "-00:00"} else parts["zone"]
    return _with_fraction(parts["whole"], (parts["fraction"] or "")[:9]) + zone


def _time_of_number(seconds: float) -> str:
    fraction, whole = math.modf(seconds)
    nanos = int(fraction * 1e9)
    try:
        when = _EPOCH + timedelta(seconds=whole - (nanos < 0))
    except OverflowError as error:
        raise DecodeError(
            "cbor: decoded time cannot be represented in RFC3339 format with sub-second precision: "
            "Time.MarshalText: year outside of range [0,9999]"
        ) from error
    text = when.replace(tzinfo=None).isoformat()
    return _with_fraction(text, f"{nanos % 1_000_000_000:09d}") + "Z"


def _with_fraction(whole: str, digits: str) -> str:
    fraction = digits.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


class _NameReader(_Reader):
    """Tells what there is, not what it says."""

    def value(self, depth: int, text_of: Text) -> Any:
        major = self._peek() >> 5
        found = super().value(depth, text_of)
        if major in {_ARRAY, _MAP, _TAG}:
            return found
        return "null" if found is None else _NAMES[major]

    def tagged(self, tag: int, depth: int, text_of: Text) -> Any:
        return self.value(depth + 1, text_of)

    def key(self, depth: int, text_of: Text) -> str:
        plain = _Reader(self._data, self.at)
        key = plain.key(depth, text_of)
        self.at = plain.at
        return key
