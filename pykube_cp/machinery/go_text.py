"""Values as Go prints them, for texts that clients read and compare.

``quote`` is ``%q``, ``number`` is ``%v`` of a float, ``marshal`` is ``json.Marshal``.
"""

import math
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
_HTML = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


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
    """A number as ``%v``: the shortest form, with an exponent outside 1e-4 .. 1e21."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    return _float(value, 1e-4)


def _float(value: float, smallest: float) -> str:
    if value == 0 or smallest <= abs(value) < 1e21:
        return str(int(value)) if value.is_integer() else _plain(value)
    mantissa, _, exponent = repr(value).partition("e")
    if not exponent:
        digits = f"{value:e}"
        mantissa, _, exponent = digits.partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{exponent[0] if exponent[0] == '-' else '+'}{abs(int(exponent)):02d}"


def _plain(value: float) -> str:
    text = repr(value)
    return f"{value:.20f}".rstrip("0") if "e" in text else text


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


def string_list(values: list[str]) -> str:
    """``%v`` of a list of strings: ``[a b]``."""
    return f"[{' '.join(values)}]"
