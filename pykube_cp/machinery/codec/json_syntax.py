"""What is wrong with JSON that does not parse, in the words of Go's scanner.

Runs only after parsing has failed.
"""
# upstream: encoding/json scanner.go

import re
from collections.abc import Iterator

_SPACE = re.compile(r"[ \t\r\n]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_PLAIN = re.compile(r'[^"\\\x00-\x1f]*')
_END = "unexpected end of JSON input"


class _Found(Exception):  # noqa: N818 - carries the answer out, is no error of ours
    """The first thing that is wrong."""


def explain(data: bytes) -> str:
    """Go's message for the first thing wrong with ``data``."""
    scanner = _Scanner(data.decode("utf-8", "replace"))
    try:
        scanner.document()
    except _Found as found:
        return str(found)
    except RecursionError:
        return "exceeded max depth"
    return "invalid character in JSON input"


class _Scanner:
    """A recursive walk over the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def document(self) -> None:
        self._value()
        if self._peek():
            raise self._invalid("after top-level value")

    def _peek(self) -> str:
        """The next character that is no space, empty at the end."""
        match = _SPACE.match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return self._text[self._at : self._at + 1]

    def _invalid(self, context: str) -> _Found:
        char = self._text[self._at : self._at + 1]
        return _Found(f"invalid character {_quote(char)} {context}" if char else _END)

    def _value(self) -> None:
        char = self._peek()
        if char == "{":
            self._object()
        elif char == "[":
            self._array()
        elif char == '"':
            self._string()
        elif char and char in "-0123456789":
            self._number()
        elif char and char in "tfn":
            self._word({"t": "true", "f": "false", "n": "null"}[char])
        else:
            raise self._invalid("looking for beginning of value")

    def _object(self) -> None:
        self._at += 1
        if self._peek() == "}":
            self._at += 1
            return
        while True:
            if self._peek() != '"':
                raise self._invalid("looking for beginning of object key string")
            self._string()
            if self._peek() != ":":
                raise self._invalid("after object key")
            self._at += 1
            self._value()
            if self._close("}", "after object key:value pair"):
                return

    def _array(self) -> None:
        self._at += 1
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            self._value()
            if self._close("]", "after array element"):
                return

    def _close(self, bracket: str, context: str) -> bool:
        """Whether the bracket follows; a comma otherwise."""
        char = self._peek()
        if char not in {bracket, ","} or not char:
            raise self._invalid(context)
        self._at += 1
        return char == bracket

    def _string(self) -> None:
        self._at += 1
        while True:
            plain = _PLAIN.match(self._text, self._at)
            assert plain is not None
            self._at = plain.end()
            char = self._text[self._at : self._at + 1]
            if char == '"':
                self._at += 1
                return
            if char != "\\":
                raise self._invalid("in string literal")
            self._escape()

    def _escape(self) -> None:
        self._at += 1
        char = self._text[self._at : self._at + 1]
        if not char or char not in '"\\/bfnrtu':
            raise self._invalid("in string escape code")
        self._at += 1
        for _ in range(4 if char == "u" else 0):
            if not re.match("[0-9a-fA-F]", self._text[self._at : self._at + 1]):
                raise self._invalid("in \\u hexadecimal character escape")
            self._at += 1

    def _number(self) -> None:
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            self._at += 1
            raise self._invalid("in numeric literal")
        self._at = match.end()
        rest = self._text[self._at : self._at + 2]
        if rest[:1] == "." or rest[:1] in {"e", "E"}:
            self._broken_number()

    def _broken_number(self) -> None:
        """The number ends where a digit must follow."""
        after_point = self._text[self._at] == "."
        self._at += 1
        if not after_point and self._text[self._at : self._at + 1] in {"+", "-"}:
            self._at += 1
        where = "after decimal point in" if after_point else "in exponent of"
        raise self._invalid(f"{where} numeric literal")

    def _word(self, word: str) -> None:
        for index, char in _rest(word):
            self._at += 1
            if self._text[self._at : self._at + 1] != char:
                raise self._invalid(f"in literal {word} (expecting {_quote(word[index])})")
        self._at += 1


def _rest(word: str) -> Iterator[tuple[int, str]]:
    return ((index, char) for index, char in enumerate(word) if index)


def _quote(char: str) -> str:
    # upstream: encoding/json scanner.go quoteChar
    special = {"'": r"'\''", '"': "'\"'", "\n": r"'\n'", "\t": r"'\t'", "\r": r"'\r'"}
    if char in special:
        return special[char]
    return f"'{char}'" if char.isprintable() else f"'\\x{ord(char):02x}'"
