"""Where two protobuf messages differ, told by the numbers of the members on the way."""

from collections.abc import Iterator
from itertools import zip_longest

from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.codec.proto_wire import BYTES, read_varint, skip

Member = tuple[int, bytes]
"""A member's number, and its bytes without tag and length."""


def message_differences(ours: bytes, wanted: bytes) -> list[str]:
    """Nothing when equal; else one line for each member that differs."""
    return [] if ours == wanted else list(_walk(ours, wanted, "")) or ["length only"]


def _walk(ours: bytes, wanted: bytes, path: str) -> Iterator[str]:
    mine, theirs = _members(ours), _members(wanted)
    if not mine or not theirs or [n for n, _ in mine] != [n for n, _ in theirs]:
        yield f"{path or 'message'}: {_short(ours, mine)}, wanted {_short(wanted, theirs)}"
        return
    for (number, left), (_, right) in zip_longest(mine, theirs, fillvalue=(0, b"")):
        if left != right:
            yield from _walk(left, right, f"{path}.{number}" if path else str(number))


def _members(data: bytes) -> list[Member]:
    """The members, or nothing if the bytes are no message."""
    found: list[Member] = []
    at = 0
    try:
        while at < len(data):
            tag, at = read_varint(data, at)
            end = skip(data, at, tag & 7)
            if end > len(data) or tag < 8:
                return []
            start = read_varint(data, at)[1] if tag & 7 == BYTES else at
            found.append((tag >> 3, data[start:end]))
            at = end
    except (DecodeError, IndexError):
        return []
    return found


def _short(data: bytes, members: list[Member]) -> str:
    numbers = " ".join(str(number) for number, _ in members)
    return f"{data[:80]!r}" + (f" with members {numbers}" if numbers else "")
