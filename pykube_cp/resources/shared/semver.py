"""Versions as semver.org 2.0.0 has them."""
# upstream: github.com/blang/semver v4 semver.go

import re

_NUMBER = "(0|[1-9][0-9]*)"
_parts = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-([0-9A-Za-z.-]*))?(?:\+([0-9A-Za-z.-]*))?"
).fullmatch
_is_number = re.compile("[0-9]+").fullmatch
_MAX = 1 << 64

Key = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...]]
"""What versions are compared by."""
ZERO: Key = ((0, 0, 0), True, ())


def key(text: str) -> Key | None:
    """None for what is no version. How something was built does not count."""
    found = _parts(text)
    if found is None:
        return None
    numbers = tuple(map(int, found.group(1, 2, 3)))
    before = found[4].split(".") if found[4] is not None else []
    build = found[5].split(".") if found[5] is not None else []
    odd = any(_is_number(part) and part[0] == "0" and part != "0" for part in before)
    if max(numbers) >= _MAX or "" in before + build or odd:
        return None
    # What comes before a release is less than the release.
    return numbers, not before, tuple(map(_identifier, before))


def _identifier(text: str) -> tuple[bool, int, str]:
    """Numbers come before words."""
    return (False, int(text), "") if _is_number(text) else (True, 0, text)
