"""Quantities: ``100m``, ``1.5Gi``, ``12e6``; exact, and written in upstream's one form each.

A quantity keeps the family of suffixes it was written in (BinarySI, DecimalSI, DecimalExponent) and
counts in billionths, which is as fine as upstream goes: what is finer is rounded away from zero.

    "1000m" -> "1"      "0.5" -> "500m"      "1.5Gi" -> "1536Mi"      "2000" -> "2k"
    "1500m" -> "1500m"  "1.50" -> "1500m"    "1024" -> "1024"         "1.500" -> "1.500" too
"""
# upstream: apimachinery pkg/api/resource/quantity.go

import re
from functools import total_ordering
from typing import Literal, NamedTuple

from pykube_cp.machinery.remember import remembered

Format = Literal["BinarySI", "DecimalSI", "DecimalExponent"]

FORMAT_WRONG = (
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
)
NUMERIC_WRONG = "unable to parse numeric part of quantity"
SUFFIX_WRONG = "unable to parse quantity's suffix"

_NANO = 10**9
_HALF = 1 << 63
_MAX_BINARY = ((1 << 63) - 1) * _NANO
_MAX_DIGITS = 4000
_MAX_EXPONENT = 1000
"""Larger numbers than 10**1000 are held as that; only their text is exact."""

_PATTERN = re.compile(
    r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII | re.DOTALL
)
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL_SUFFIX = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_SUFFIX = {exponent: suffix for suffix, exponent in _BINARY.items()} | {0: ""}


class QuantityError(ValueError):
    """The text is no quantity."""


@total_ordering
class Quantity:
    """An exact amount, immutable. Equal when the amounts are, whatever the format.

    Attributes:
        nanos: billionths.
        format: which family of suffixes it is written with.
    """

    __slots__ = ("_text", "format", "nanos")

    def __init__(self, nanos: int, form: Format, text: str = "") -> None:
        self.nanos = nanos
        self.format: Format = form
        self._text = text

    @staticmethod
    def parse(text: str) -> "Quantity":
        """From its text; ``QuantityError`` with upstream's words otherwise."""
        return parse(text)

    @staticmethod
    def from_value(value: int, form: Format = "DecimalSI") -> "Quantity":
        return Quantity(value * _NANO, form)

    @staticmethod
    def from_milli(value: int, form: Format = "DecimalSI") -> "Quantity":
        return Quantity(value * 10**6, form)

    def value(self) -> int:
        """The amount as an integer, rounded away from zero."""
        return _divide_away(self.nanos, _NANO)

    def int64_value(self) -> int:
        """The same in 64 bits: what is too large begins anew at the other end, as in Go."""
        return (self.value() + _HALF) % (2 * _HALF) - _HALF

    def milli_value(self) -> int:
        """Thousandths, rounded away from zero."""
        return _divide_away(self.nanos, 10**6)

    def scaled_value(self, exponent: int) -> int:
        """The amount in units of ``10**exponent``, rounded away from zero."""
        if exponent <= -9:
            return self.nanos * _power(-9 - exponent)
        return _divide_away(self.nanos, _power(exponent + 9))

    def as_int(self) -> int | None:
        """The amount if it is whole, else None."""
        whole, rest = divmod(self.nanos, _NANO)
        return None if rest else whole

    def as_float(self) -> float:
        return self.nanos / _NANO

    def is_zero(self) -> bool:
        return self.nanos == 0

    def sign(self) -> int:
        return (self.nanos > 0) - (self.nanos < 0)

    def cmp(self, other: "Quantity") -> int:
        """-1, 0 or 1."""
        return (self.nanos > other.nanos) - (self.nanos < other.nanos)

    def cmp_int(self, other: int) -> int:
        return self.cmp(Quantity.from_value(other))

    def add(self, other: "Quantity") -> "Quantity":
        """The sum; in the other's format when this one is zero."""
        return Quantity(self.nanos + other.nanos, self.format if self.nanos else other.format)

    def sub(self, other: "Quantity") -> "Quantity":
        return Quantity(self.nanos - other.nanos, self.format if self.nanos else other.format)

    def mul(self, factor: int) -> "Quantity":
        return Quantity(self.nanos * factor, self.format)

    def round_up(self, exponent: int) -> "Quantity":
        """Rounded away from zero to a multiple of ``10**exponent``."""
        unit = _power(exponent + 9) if exponent > -9 else 1
        if self.nanos % unit == 0:
            return self
        return Quantity(_divide_away(self.nanos, unit) * unit, self.format)

    __add__ = add
    __sub__ = sub

    def __neg__(self) -> "Quantity":
        return Quantity(-self.nanos, self.format)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.nanos == other.nanos

    def __lt__(self, other: "Quantity") -> bool:
        return self.nanos < other.nanos

    def __hash__(self) -> int:
        return hash(self.nanos)

    def __bool__(self) -> bool:
        return self.nanos != 0

    def __str__(self) -> str:
        if not self._text:
            self._text = _write(self.nanos, self.format)
        return self._text

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"


def _power(exponent: int) -> int:
    """``10**exponent`` of an exponent that is not negative."""
    return int(10**exponent)


def _divide_away(number: int, divisor: int) -> int:
    return number // divisor if number < 0 else -(-number // divisor)


# Writing.


def _write(nanos: int, form: Format) -> str:
    # upstream: quantity.go Quantity.CanonicalizeBytes
    if nanos == 0:
        return "0"
    if form == "BinarySI" and abs(nanos) >= 1024 * _NANO and nanos % _NANO == 0:
        amount, times = _without_factors(nanos // _NANO, 1024)
        return f"{amount}{_BINARY_SUFFIX.get(times * 10, '')}"
    return _write_decimal(nanos, -9, form)


def _write_decimal(number: int, exponent: int, form: Format) -> str:
    """``number * 10**exponent``, not zero, with an exponent that is a multiple of three."""
    amount, zeros = _without_factors(number, 10)
    exponent += zeros
    rest = exponent % 3
    amount, exponent = amount * 10**rest, exponent - rest
    if form == "DecimalExponent":
        return f"{amount}e{exponent}" if exponent else str(amount)
    return f"{amount}{_DECIMAL_SUFFIX.get(exponent, '')}"


def _without_factors(number: int, factor: int) -> tuple[int, int]:
    """The number without trailing zeros in base ``factor``, and how many there were."""
    times = 0
    while number % factor == 0:
        number //= factor
        times += 1
    return number, times


# Reading.


class _Parts(NamedTuple):
    """A quantity taken apart: ``whole.fraction * base**exponent``; ``bare`` without any digit."""

    negative: bool
    bare: bool
    whole: str
    fraction: str
    base: int
    exponent: int
    form: Format


def parse(text: str) -> Quantity:
    """From its text; ``QuantityError`` with upstream's words otherwise."""
    return _parse_cached(text) if len(text) <= 64 else _parse(text)


def canonical(text: str) -> str:
    """The one form of a quantity: ``canonical("1000m") == "1"``."""
    return str(parse(text))


def _parse(text: str) -> Quantity:
    if text == "0":
        return Quantity(0, "DecimalSI", "0")
    parts = _split(text)
    if parts.form == "BinarySI":
        return _binary(parts, text)
    return _decimal(parts, text)


_parse_cached = remembered(16384)(_parse)


def _split(text: str) -> _Parts:
    match = _PATTERN.fullmatch(text) if text else None
    if match is None:
        raise QuantityError(FORMAT_WRONG)
    sign, whole, fraction, suffix = match.groups()
    base, exponent, form = _interpret(suffix)
    bare = not whole and not fraction
    whole = whole.lstrip("0") or "0"
    if len(whole) + len(fraction or "") > _MAX_DIGITS:
        raise QuantityError(NUMERIC_WRONG)
    return _Parts(sign == "-", bare, whole, fraction or "", base, exponent, form)


def _interpret(suffix: str) -> tuple[int, int, Format]:
    # upstream: apimachinery pkg/api/resource/suffix.go suffixHandler.interpret
    if suffix in _DECIMAL:
        return 10, _DECIMAL[suffix], "DecimalSI"
    if suffix in _BINARY:
        return 2, _BINARY[suffix], "BinarySI"
    if re.fullmatch(r"[eE][-+]?[0-9]{1,40}", suffix):
        exponent = int(suffix[1:])
        if -(1 << 63) <= exponent < 1 << 63:
            return 10, (exponent + (1 << 31)) % (1 << 32) - (1 << 31), "DecimalExponent"
    raise QuantityError(SUFFIX_WRONG)


def _binary(parts: _Parts, text: str) -> Quantity:
    number = int(parts.whole + parts.fraction)
    scaled = (number << parts.exponent) * _NANO
    nanos = -(-scaled // 10 ** len(parts.fraction))
    # Short numbers keep their form, unless a larger suffix might fit.
    short = not parts.fraction and 14 - len(parts.whole) - parts.exponent * 3 // 10 >= 0
    if parts.bare and not short:
        raise QuantityError(NUMERIC_WRONG)
    kept = text if short and number & 7 else ""
    form: Format = "DecimalSI" if not short and 0 < nanos < _NANO else "BinarySI"
    nanos = nanos if short else min(nanos, _MAX_BINARY)
    return Quantity(-nanos if parts.negative else nanos, form, kept)


def _decimal(parts: _Parts, text: str) -> Quantity:
    digits = parts.whole + parts.fraction
    scale = parts.exponent - len(parts.fraction)
    nanos = _scaled(int(digits), scale + 9)
    # Short numbers keep their form when it looks canonical at a glance.
    short = len(digits) <= 18 and scale >= -9
    if parts.bare and not short:
        raise QuantityError(NUMERIC_WRONG)
    plain = scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
    kept = text if short and plain else ""
    if nanos and not kept and scale + 9 > _MAX_EXPONENT:
        number = int(digits)
        kept = _write_decimal(-number if parts.negative else number, scale, parts.form)
    return Quantity(-nanos if parts.negative else nanos, parts.form, kept)


def _scaled(number: int, exponent: int) -> int:
    """``number * 10**exponent``, rounded up."""
    if exponent >= 0:
        return number * _power(min(exponent, _MAX_EXPONENT))
    return -(-number // _power(min(-exponent, _MAX_DIGITS + 1)))


ZERO = Quantity(0, "DecimalSI", "0")
