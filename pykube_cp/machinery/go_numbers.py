"""Numbers and truths as Go reads them from texts, with its words for what is none."""
# upstream: strconv atoi.go ParseInt, ParseUint, atob.go ParseBool

import re

from pykube_cp.machinery.go_text import quote

_SIGNED = re.compile(r"[+-]?[0-9]+", re.ASCII)
_DIGITS = 40
_TRUTHS = dict.fromkeys(("1", "t", "T", "TRUE", "true", "True"), True)
_TRUTHS |= dict.fromkeys(("0", "f", "F", "FALSE", "false", "False"), False)
_UNSIGNED = re.compile(r"[0-9]+", re.ASCII)


def parse_bool(text: str) -> bool:
    """A truth; ``ValueError`` says what Go says."""
    found = _TRUTHS.get(text)
    if found is None:
        raise ValueError(f"strconv.ParseBool: parsing {quote(text)}: invalid syntax")
    return found


def parse_int(text: str, bits: int = 64) -> int:
    """A decimal integer; ``ValueError`` says what Go says."""
    if not _SIGNED.fullmatch(text):
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    limit = 1 << (bits - 1)
    number = _read(text)
    if not -limit <= number < limit:
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: value out of range")
    return number


def parse_uint(text: str, bits: int = 64) -> int:
    """The same without a sign."""
    if not _UNSIGNED.fullmatch(text):
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: invalid syntax")
    if (number := _read(text)) >= 1 << bits:
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: value out of range")
    return number


def _read(text: str) -> int:
    """The number, or one as far out of range: Python does not read digits without end."""
    digits = text.lstrip("+-").lstrip("0") or "0"
    sign = -1 if text.startswith("-") else 1
    return sign * (int(digits) if len(digits) <= _DIGITS else 10**_DIGITS)
