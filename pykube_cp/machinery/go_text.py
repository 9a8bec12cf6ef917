"""Values as Go prints them, for texts that clients read and compare.

``quote`` is ``%q``, ``number`` and ``plain`` are ``%v``, ``as_string`` is ``%s``, ``character`` is
``%#U``, ``type_name`` is ``%T``, ``marshal`` is ``json.Marshal``; ``utf8`` makes text of bytes,
``lower`` and ``trim_space`` are those of package strings.
"""

import math
import re
from decimal import Decimal
from typing import Any

import orjson

_ESCAPES = {
    ord("\a"): "\\a",
    ord("\b"): "\\b",
    ord("\f"): "\\f",
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    ord("\v"): "\\v",
    ord("\\"): "\\\\",
    ord('"'): '\\"',
}
_NO_TEXT = re.compile("[\ud800-\udfff]+")
_HTML = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Unicode calls white space; Python counts four control characters more."""


def trim_space(text: str) -> str:
    # upstream: strings strings.go TrimSpace
    return text.strip(_SPACE)


def lower(text: str) -> str:
    """Each character for itself: no word has an end, and a dotted I gets no second character."""
    # upstream: strings strings.go ToLower
    if text.isascii():
        return text.lower()
    return "".join("i" if char == "\u0130" else char.lower() for char in text)


_HARMLESS = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def harmless(text: str) -> str:
    """So that no browser takes an error for a page."""
    # upstream: apiserver pkg/endpoints/handlers/responsewriters/errors.go sanitizer
    return text.translate(_HARMLESS)


def utf8(data: bytes) -> str:
    """Bytes as text; each byte that is none becomes a replacement character, as in Go."""
    # upstream: unicode/utf8 utf8.go DecodeRune
    try:
        return data.decode()
    except UnicodeDecodeError:
        text = data.decode("utf-8", "surrogateescape")
        return _NO_TEXT.sub(lambda found: "\ufffd" * len(found[0]), text)


def quote(text: str) -> str:
    """A string in double quotes with Go's escapes."""
    # upstream: strconv quote.go Quote
    escaped = text.translate(_ESCAPES)
    if not escaped.isprintable():
        escaped = "".join(char if char.isprintable() else _escape(char) for char in escaped)
    return f'"{escaped}"'


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def number(value: float) -> str:
    """A number as ``%v``: floats in the fewest digits, with an exponent outside 1e-4 .. 1e6."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign, digits, exponent = _shortest(value)
    if -4 <= exponent < 6:
        return sign + _plain(digits, exponent)
    mantissa = f"{digits[0]}.{digits[1:]}" if len(digits) > 1 else digits
    return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _shortest(value: float) -> tuple[str, str, int]:
    """Sign, the fewest digits that tell the number, and the exponent of the first."""
    sign, numbers, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    digits = "".join(map(str, numbers))
    return "-" if sign else "", digits, exponent + len(digits) - 1


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return f"0.{'0' * (-exponent - 1)}{digits}"
    whole, fraction = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
    return f"{whole}.{fraction}" if fraction else whole


def marshal(value: Any) -> str:
    """Compact JSON with Go's escapes; members stay in the order they have."""
    return orjson.dumps(value).decode().translate(_HTML)


def value_text(value: Any) -> str:
    """Any JSON value as errors show it: strings quoted, numbers plain, the rest as JSON."""
    # upstream: apimachinery pkg/util/validation/field/errors.go Error.ErrorBody
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quote(value)
        case int() | float():
            return number(value)
        case _:
            return marshal(value)


def plain(value: Any) -> str:
    """``%v`` of a JSON value: ``map[a:1 b:[x y]]``, ``<nil>``."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return number(value)
        case dict():
            inner = " ".join(f"{key}:{plain(value[key])}" for key in sorted(value))
            return f"map[{inner}]"
        case list() | tuple():
            return f"[{' '.join(plain(item) for item in value)}]"
        case _:
            return str(value)


def as_string(value: Any) -> str:
    """``%s`` of a JSON value, which marks what is no string: ``%!s(int64=1)``."""
    match value:
        case str():
            return value
        case dict():
            inner = " ".join(f"{key}:{as_string(value[key])}" for key in sorted(value))
            return f"map[{inner}]"
        case list():
            return f"[{' '.join(as_string(item) for item in value)}]"
        case None:
            return "%!s(<nil>)"
        case _:
            return f"%!s({type_name(value)}={plain(value)})"


def character(char: str) -> str:
    """A character by its number, and as it is if it can be printed: ``U+0041 'A'``."""
    return f"U+{ord(char):04X}" + (f" '{char}'" if char.isprintable() else "")


_TYPE_NAMES = {
    str: "string",
    bool: "bool",
    int: "int64",
    float: "float64",
    dict: "map[string]interface {}",
    list: "[]interface {}",
}


def type_name(value: Any) -> str:
    """The Go type that a JSON value has when it is not decoded into a struct; none for null."""
    return _TYPE_NAMES.get(type(value), "%!s(<nil>)")
