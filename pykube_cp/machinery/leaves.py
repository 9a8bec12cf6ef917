"""Values with a JSON form of their own: times, durations, base64, numbers, int-or-string.

Each function takes a decoded JSON value and gives the one form that Go writes for it, or raises as
Go's decoder does. Times and the like repeat, so what they become is remembered.
"""

import base64
import binascii
import functools
import math
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from pykube_cp.machinery import quantity
from pykube_cp.machinery.codec.interface import DecodeError, TypeMismatchError
from pykube_cp.machinery.remember import remembered

INT32 = range(-(1 << 31), 1 << 31)
INT64 = range(-(1 << 63), 1 << 63)
UINT8 = range(256)
_EXACT = 1 << 53

_RFC3339 = "2006-01-02T15:04:05Z07:00"
_RFC3339_MICRO = "2006-01-02T15:04:05.000000Z07:00"
_ZERO_TIME = datetime(1, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_STEPS = (
    ("2006", re.compile(r"[0-9]{4}")),
    ("-", re.compile(r"-")),
    ("01", re.compile(r"[0-9]{2}")),
    ("-", re.compile(r"-")),
    ("02", re.compile(r"[0-9]{2}")),
    ("T", re.compile(r"T")),
    ("15", re.compile(r"[0-9]{1,2}")),
    (":", re.compile(r":")),
    ("04", re.compile(r"[0-9]{2}")),
    (":", re.compile(r":")),
    ("05", re.compile(r"[0-9]{2}")),
)
_FRACTION = re.compile(r"[.,][0-9]+")
_MICRO_FRACTION = re.compile(r"[.,][0-9]{6}")
_ZONE = re.compile(r"Z|[+-][0-9]{2}:[0-9]{2}")
_RANGES = {"01": ("month", 1, 12), "15": ("hour", 0, 23), "04": ("minute", 0, 59)}
_RANGES["05"] = ("second", 0, 59)


def json_kind(value: Any) -> str:
    """How Go's decoder names a JSON value in an error."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, dict):
        return "object"
    if isinstance(value, list):
        return "array"
    return "string" if isinstance(value, str) else "number"


def not_a_map(value: Any) -> str:
    """What is said of JSON that is no object where one is needed."""
    return str(TypeMismatchError(json_kind(value), "map[string]interface {}"))


def quote(text: str) -> str:
    """As Go quotes a time or duration in its errors."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if " " <= c <= "\x7f" else _escape(c) for c in escaped) + '"'


def _escape(char: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))


def time(value: Any) -> str | None:
    """``metav1.Time``: whole seconds in UTC; None for Go's zero time."""
    if type(value) is not str:
        raise TypeMismatchError(json_kind(value), "string")
    return canonical_time(value)


def micro_time(value: Any) -> str | None:
    """``metav1.MicroTime``: six digits in UTC; None for Go's zero time."""
    if type(value) is not str:
        raise TypeMismatchError(json_kind(value), "string")
    return canonical_micro_time(value)


@remembered(4096)
def canonical_time(text: str) -> str | None:
    return write_time(_parse_time(text, micro=False))


@remembered(1024)
def canonical_micro_time(text: str) -> str | None:
    return write_micro_time(_parse_time(text, micro=True))


def write_time(when: datetime) -> str | None:
    if when == _ZERO_TIME:
        return None
    return when.replace(tzinfo=None, microsecond=0).isoformat() + "Z"


def write_micro_time(when: datetime) -> str | None:
    if when == _ZERO_TIME:
        return None
    return when.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def time_from_unix(seconds: int) -> str | None:
    """``metav1.Time`` of a protobuf timestamp."""
    return write_time(_from_unix(seconds, 0))


def micro_time_from_unix(seconds: int, nanos: int) -> str | None:
    """``metav1.MicroTime`` of a protobuf timestamp."""
    return write_micro_time(_from_unix(seconds, nanos))


def _from_unix(seconds: int, nanos: int) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)
    except OverflowError as error:
        raise DecodeError("time out of range") from error


@functools.lru_cache(maxsize=4096)
def time_to_unix(text: str) -> tuple[int, int]:
    """Seconds and nanoseconds since 1970 of a canonical time."""
    since = datetime.fromisoformat(text) - _EPOCH
    return since.days * 86400 + since.seconds, since.microseconds * 1000


def _parse_time(text: str, *, micro: bool) -> datetime:
    """Go's ``time.Parse`` for the two layouts, with its errors."""
    # upstream: time format.go parse
    layout = _RFC3339_MICRO if micro else _RFC3339
    numbers: list[int] = []
    at = 0
    for element, pattern in _TIME_STEPS:
        found = pattern.match(text, at)
        if found is None:
            raise _time_error(text, layout, at, element)
        at = found.end()
        if element.isdigit():
            numbers.append(_in_range(int(found[0]), element, text))
    found = (_MICRO_FRACTION if micro else _FRACTION).match(text, at)
    if found is None and micro:
        raise _time_error(text, layout, at, ".000000")
    fraction = found[0][1:] if found else ""
    at = found.end() if found else at
    zone = _ZONE.match(text, at)
    if zone is None:
        raise _time_error(text, layout, at, "Z07:00")
    if zone.end() < len(text):
        raise DecodeError(f"parsing time {quote(text)}: extra text: {quote(text[zone.end() :])}")
    return _assemble(text, numbers, fraction, zone[0])


def _time_error(text: str, layout: str, at: int, element: str) -> DecodeError:
    return DecodeError(
        f"parsing time {quote(text)} as {quote(layout)}: "
        f"cannot parse {quote(text[at:])} as {quote(element)}"
    )


def _in_range(number: int, element: str, text: str) -> int:
    name, low, high = _RANGES.get(element, ("", number, number))
    if not low <= number <= high:
        raise DecodeError(f"parsing time {quote(text)}: {name} out of range")
    return number


def _assemble(text: str, numbers: list[int], fraction: str, zone: str) -> datetime:
    year, month, day, hour, minute, second = numbers
    micros = int((fraction + "000000")[:6])
    offset = timedelta()
    if zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
        offset = -offset if zone[0] == "-" else offset
    try:
        where = timezone(offset)
        return datetime(year, month, day, hour, minute, second, micros, where).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DecodeError(f"parsing time {quote(text)}: day out of range") from error


_DURATION_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_MAX_DIGITS = 19
_DURATION_PART = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^0-9.]*)")


def duration(value: Any) -> str:
    """``metav1.Duration`` as Go prints it: ``1h0m0s``."""
    if type(value) is not str:
        raise TypeMismatchError(json_kind(value), "string")
    return format_duration(parse_duration(value))


@remembered(1024)
def parse_duration(text: str) -> int:
    """Nanoseconds of a Go duration."""
    # upstream: time format.go ParseDuration
    begun = 1 if text[:1] in {"-", "+"} else 0
    if text[begun:] == "0":
        return 0
    if len(text) == begun:
        raise _invalid_duration(text)
    total, at = 0, begun
    while at < len(text):
        part = _DURATION_PART.match(text, at)
        if part is None or not (part[1] or part[3]):
            raise _invalid_duration(text)
        total += _duration_part(text, part)
        if total > 1 << 63:
            raise _invalid_duration(text)
        at = part.end()
    total = -total if text[0] == "-" else total
    if total not in INT64:
        raise _invalid_duration(text)
    return total


def _invalid_duration(text: str) -> DecodeError:
    return DecodeError(f"time: invalid duration {quote(text)}")


def _duration_part(text: str, part: re.Match[str]) -> int:
    unit = part[4]
    whole = part[1].lstrip("0")
    if len(whole) > _MAX_DIGITS:
        raise _invalid_duration(text)
    if not unit:
        raise DecodeError(f"time: missing unit in duration {quote(text)}")
    scale = _DURATION_UNITS.get(unit)
    if scale is None:
        raise DecodeError(f"time: unknown unit {quote(unit)} in duration {quote(text)}")
    digits = (part[3] or "")[:_MAX_DIGITS]  # what is beyond is less than a nanosecond
    return int(whole or 0) * scale + int(digits or 0) * scale // int("1" + "0" * len(digits))


@functools.lru_cache(maxsize=1024)
def format_duration(nanos: int) -> str:
    # upstream: time time.go Duration.String
    if nanos == 0:
        return "0s"
    sign, rest = ("-", -nanos) if nanos < 0 else ("", nanos)
    if rest < 1_000_000_000:
        scale, unit = next(
            (scale, unit)
            for scale, unit in ((1_000_000, "ms"), (1_000, "µs"), (1, "ns"))
            if rest >= scale
        )
        return sign + _decimal(rest, scale) + unit
    minutes, rest = divmod(rest, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    seconds = _decimal(rest, 1_000_000_000) + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(number: int, scale: int) -> str:
    whole, rest = divmod(number, scale)
    if not rest:
        return str(whole)
    width = len(str(scale)) - 1
    return f"{whole}." + f"{rest:0{width}d}".rstrip("0")


def quantity_text(value: Any) -> str:
    """``resource.Quantity``, also from a bare number."""
    if type(value) is str:
        text = value.strip()
    elif type(value) is bool:
        text = "true" if value else "false"
    else:
        text = str(value)
    try:
        canonical: str = quantity.canonical(text)
        return canonical
    except ValueError as error:
        raise DecodeError(str(error)) from error


def int_or_string(value: Any) -> int | str:
    if type(value) is str:
        return value
    return integer(value, INT32, "int32")


def integer(value: Any, allowed: range, go_type: str) -> int:
    if type(value) is int and value in allowed:
        return value
    kind = json_kind(value)
    raise TypeMismatchError(f"number {value}" if kind == "number" else kind, go_type)


def double(value: Any, go_type: str) -> float:
    """A float64; whole ones are written without a fraction (larger ones than int64 as they are)."""
    if type(value) is int:
        return value if -_EXACT <= value <= _EXACT else whole(float(value))
    if isinstance(value, float) and math.isfinite(value):
        return whole(value)
    kind = json_kind(value)
    raise TypeMismatchError(f"number {value}" if kind == "number" else kind, go_type)


def whole(value: float) -> float:
    """A whole number as an integer of the digits that Go writes: the fewest, then zeros."""
    if not value.is_integer() or abs(value) >= 1 << 63:
        return value
    return int(value) if abs(value) <= _EXACT else int(Decimal(repr(value)))


def base64_text(value: Any, go_type: str) -> str:
    """``[]byte``, encoded anew so that there is one form; Go takes lists of numbers as well."""
    if type(value) is list:
        numbers = [0 if item is None else integer(item, UINT8, "uint8") for item in value]
        return base64.b64encode(bytes(numbers)).decode()
    if type(value) is not str:
        raise TypeMismatchError(json_kind(value), go_type)
    return base64.b64encode(decode_base64(value)).decode()


def decode_base64(text: str) -> bytes:
    # upstream: encoding/base64 base64.go Encoding.Decode, which skips line breaks
    plain = text.replace("\n", "").replace("\r", "") if "\n" in text or "\r" in text else text
    try:
        return binascii.a2b_base64(plain, strict_mode=True)
    except (binascii.Error, ValueError) as error:
        at = _corrupt_at(text)
        raise DecodeError(f"illegal base64 data at input byte {at}") from error


def _corrupt_at(text: str) -> int:
    """Where Go's decoder stops, in bytes."""
    # upstream: encoding/base64 base64.go Encoding.decodeQuantum
    data = text.encode()
    at = _past(data, 0, b"A-Za-z0-9+/\\r\\n")
    in_group = (at - data.count(b"\n", 0, at) - data.count(b"\r", 0, at)) % 4
    if at == len(data):
        return at - in_group
    if data[at] != ord("=") or in_group < 2:
        return at
    at += 1
    if in_group == 2:
        at = _past(data, at, b"\\r\\n")
        if at == len(data):
            return at
        if data[at] != ord("="):
            return at - 1
        at += 1
    return _past(data, at, b"\\r\\n")


def _past(data: bytes, at: int, characters: bytes) -> int:
    """Where these characters end."""
    found = re.compile(b"[" + characters + b"]*").match(data, at)
    assert found is not None
    return found.end()
