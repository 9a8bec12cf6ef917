"""Numbers as Go reads them from texts, with its words for what is none."""
# upstream: strconv atoi.go ParseInt, ParseUint

import re

from pykube_cp.machinery.go_text import quote

_SIGNED = re.compile(r"[+-]?[0-9]+", re.ASCII)
_UNSIGNED = re.compile(r"[0-9]+", re.ASCII)


def parse_int(text: str, bits: int = 64) -> int:
    """A decimal integer; ``ValueError`` says what Go says."""
    if not _SIGNED.fullmatch(text):
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: invalid syntax")
    limit = 1 << (bits - 1)
    if not -limit <= (number := int(text)) < limit:
        raise ValueError(f"strconv.ParseInt: parsing {quote(text)}: value out of range")
    return number


def parse_uint(text: str, bits: int = 64) -> int:
    """The same without a sign."""
    if not _UNSIGNED.fullmatch(text):
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: invalid syntax")
    if (number := int(text)) >= 1 << bits:
        raise ValueError(f"strconv.ParseUint: parsing {quote(text)}: value out of range")
    return number
