"""Blocks of PEM in a text, found as Go finds them: what is no block is passed over."""
# upstream: encoding/pem Decode

import re
from binascii import Error, a2b_base64
from collections.abc import Iterator
from dataclasses import dataclass

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"\n-----END ", b"-----"
_UNSEEN = re.compile(rb"[ \t\r\n]")


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between a BEGIN and an END."""

    type: str
    headers: bool
    content: bytes


def blocks(data: bytes) -> Iterator[Block]:
    start = 0
    while (found := _next(data, start)) is not None:
        block, start = found
        yield block


def _next(data: bytes, start: int) -> tuple[Block, int] | None:
    """The block that ends first, and where the line after it begins."""
    while (end := data.find(_END, start)) >= 0:
        begin = data.rfind(_BEGIN, start, end)
        if begin == start or (begin > 0 and data[begin - 1 : begin] == b"\n"):
            found = _between(data, begin + len(_BEGIN), end)
            if found is not None:
                return found
        start = end + len(_END)
    return None


def _between(data: bytes, begin: int, end: int) -> tuple[Block, int] | None:
    line, begin = _line(data, begin)
    if not line.endswith(_DASHES):
        return None
    kind, headers = line.removesuffix(_DASHES), False
    while begin < len(data):
        line, following = _line(data, begin)
        if b":" not in line:
            break
        begin, headers = following, True
    closing, after = _line(data, end + len(_END))
    if closing != kind + _DASHES or (headers and begin > end):
        return None
    content = _decode(data[begin:end])
    return None if content is None else (Block(kind.decode("latin-1"), headers, content), after)


def _line(data: bytes, start: int) -> tuple[bytes, int]:
    """The line without the blanks at its end, and where the next begins."""
    end = data.find(b"\n", start)
    if end < 0:
        return data[start:].rstrip(b" \t"), len(data)
    return data[start:end].removesuffix(b"\r").rstrip(b" \t"), end + 1


def _decode(text: bytes) -> bytes | None:
    text = _UNSEEN.sub(b"", text)
    try:
        return None if len(text) % 4 else a2b_base64(text, strict_mode=True)
    except Error:
        return None
