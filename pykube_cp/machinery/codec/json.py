"""``application/json``."""

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Self

import orjson

from pykube_cp.machinery.codec.interface import MAX_DEPTH, DecodeError, TypeMismatchError, event_of
from pykube_cp.machinery.codec.json_syntax import explain, repaired, unexplained
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.strict_errors import Pairs, Written

_DIGITS = 19
"""So many an int64 may have; Python takes long to read many more."""
_INTEGERS = range(-(1 << 63), 1 << 64)
_SPACED_KEY = re.compile(rb'"[ \t\r\n]+:')


def loads(data: bytes, *, unbounded: bool = False) -> Any:
    """The value in ``data``; ``DecodeError`` with Go's words when it is none.

    ``unbounded``: numbers that no float64 holds are infinite, for the one who looks at types.
    """
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError:
        data = _mended(data)
        value = _loads_mended(data, unbounded=unbounded)
    if may_be_deep(data) and is_too_deep(value):
        raise DecodeError(explain(data) or "exceeded max depth")
    return value


def _mended(data: bytes) -> bytes:
    """What orjson refuses and Go reads: text that is not UTF-8, surrogates that stand alone."""
    problem = explain(data)
    if problem:
        raise DecodeError(problem)
    return repaired(data)


def _loads_mended(data: bytes, *, unbounded: bool) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        if "infinity" in error.msg:
            if unbounded:
                return json.loads(data, parse_int=_number)
            raise _too_large(data) from None
        raise DecodeError(unexplained(error.doc, error.pos)) from error


def _too_large(data: bytes) -> TypeMismatchError:
    """Names the first number that no float64 holds."""
    found: list[str] = []

    def look(text: str) -> None:
        if math.isinf(float(text)):
            found.append(text)

    json.loads(data, parse_int=look, parse_float=look)
    return TypeMismatchError(f"number {found[0]}", "float64")


def _number(text: str) -> int | float:
    """As orjson reads digits: an integer of 64 bits or a float."""
    found = int(text) if len(text) <= _DIGITS + 2 else float(text)
    return found if isinstance(found, int) and found in _INTEGERS else float(found)


def may_be_deep(data: bytes, allowed: int = MAX_DEPTH) -> bool:
    """Whether there are brackets enough to nest deeper than allowed."""
    return data.count(b"{") + data.count(b"[") > allowed


def is_too_deep(value: Any) -> bool:
    """Whether orjson could not write it again; it stops at 254 levels."""
    try:
        orjson.dumps([[[[value]]]])
    except TypeError:
        return True
    return False


def loads_noticing_duplicates(data: bytes, *, unbounded: bool = False) -> Any:
    """As ``loads``; with keys given twice somewhere, an object is a ``Written``, a list has ``Pairs``."""
    value = loads(data, unbounded=unbounded)
    if not _may_have_duplicates(data, value):
        return value
    found: list[Pairs] = []

    def hook(pairs: list[tuple[str, Any]]) -> Object:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        found.append(Pairs(pairs))
        return found[-1]

    try:
        tree = json.loads(data, object_pairs_hook=hook, parse_int=_number)
    except UnicodeDecodeError:
        tree = json.loads(repaired(data), object_pairs_hook=hook, parse_int=_number)
    if not found:
        return value
    return Written(value, tree) if isinstance(value, dict) else tree


def _may_have_duplicates(data: bytes, value: Any) -> bool:
    """Cheap: every key ends in a quote and a colon, also when the value is written again.

    Text inside strings may look the same, but then it does so on both sides.
    """
    if b"\\u0022" in data or _SPACED_KEY.search(data):
        return True
    return data.count(b'":') != orjson.dumps(value).count(b'":')


class WrittenNumber(float):
    """A number that shows itself as it was written."""

    def __new__(cls, text: str) -> Self:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str

    def __str__(self) -> str:
        return self.text


def loads_as_written(data: bytes) -> Any:
    """The value with numbers that have their text, for errors; orjson could not write it again."""
    return json.loads(repaired(data), parse_float=WrittenNumber, parse_int=_integer)


def _integer(text: str) -> int | WrittenNumber:
    return int(text) if len(text) < _DIGITS else WrittenNumber(text)


class Json:
    """JSON as Kubernetes speaks it."""

    media_type = "application/json"
    streams = True
    typed = False

    def decode(
        self,
        data: bytes,
        default: GVK | None = None,
        *,
        strict: list[str] | None = None,
    ) -> Any:
        # with a default there is a kind, whose type says what fits
        read = loads if strict is None else loads_noticing_duplicates
        return read(data, unbounded=default is not None)

    def encode(self, obj: Object) -> bytes:
        return orjson.dumps(obj)

    def frame_event(self, event_type: str, encoded: bytes) -> bytes:
        return b'{"type":"%b","object":%b}\n' % (event_type.encode(), encoded)

    def read_frames(self, data: bytes) -> tuple[list[tuple[str, Any]], bytes]:
        lines = data.split(b"\n")
        rest = lines.pop()
        return [event_of(loads(line)) for line in lines if line.strip()], rest

    def encode_item(self, obj: Object) -> bytes:
        return orjson.dumps(obj)

    def encode_list(self, head: Object, items: Sequence[bytes]) -> list[bytes]:
        opened = orjson.dumps({key: value for key, value in head.items() if key != "items"})
        between = [part for item in items for part in (b",", item)]
        return [b'%b,"items":[' % opened[:-1], *between[1:], b"]}"]
