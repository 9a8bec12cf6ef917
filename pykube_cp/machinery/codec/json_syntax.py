"""What is wrong with JSON that does not parse, in the words of Go's scanner.

Runs only after parsing has failed. Go looks at bytes, so here each byte is one character. A client must
not keep the server busy with a large broken body: runs of scalars are skipped by one pattern, and
after ``MAX_STEPS`` the scanner gives up.
"""
# upstream: encoding/json scanner.go

import re
from collections.abc import Iterator

from pykube_cp.machinery import go_text
from pykube_cp.machinery.codec.interface import MAX_DEPTH

_WS = r"[ \t\r\n]*"
_CHARS = r'[^"\\\x00-\x1f]*'
_TEXT = rf'{_CHARS}(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}){_CHARS})*+'
_STRING = rf'"{_TEXT}"'
_DIGITS = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_SCALAR = rf"(?:{_STRING}|{_DIGITS}|true|false|null)"

_SPACE = re.compile(_WS)
_NUMBER = re.compile(_DIGITS)
_WHOLE_TEXT = re.compile(_TEXT)
_ITEMS = re.compile(rf"(?:{_WS}{_SCALAR}{_WS},)*+")
_MEMBERS = re.compile(rf"(?:{_WS}{_STRING}{_WS}:{_WS}{_SCALAR}{_WS},)*+")
MAX_STEPS = 100_000
_END = "unexpected end of JSON input"

_ESCAPE = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
"""A pair of surrogates, one that stands alone, any other escape."""


class _Found(Exception):  # noqa: N818 - carries the answer out, is no error of ours
    """The first thing that is wrong."""


def explain(data: bytes) -> str:
    """Go's message for the first thing wrong with ``data``; empty when nothing was found."""
    try:
        _Scanner(data.decode("latin-1")).document()
    except _Found as found:
        return str(found)
    return ""


def unexplained(text: str, at: int) -> str:
    """A message where the scanner has given up."""
    char = text[at : at + 1]
    return f"invalid character {_quote(char)} in JSON input" if char else _END


def repaired(data: bytes) -> bytes:
    """Well-formed JSON with replacement characters for what is no text, as Go reads it."""
    # upstream: encoding/json decode.go unquoteBytes
    text = go_text.utf8(data).encode()
    if rb"\u" not in text:
        return text
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[2] else found[0], text)


class _Scanner:
    """A walk over the text that keeps the brackets that are open."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._open: list[str] = []
        self._fresh = False
        """Whether nothing stands after the last bracket yet."""

    def document(self) -> None:
        self._value()
        for _ in range(MAX_STEPS):
            if not self._open:
                break
            self._next()
        if not self._open and self._peek():
            raise self._invalid("after top-level value")

    def _peek(self) -> str:
        """The next character that is no space, empty at the end."""
        self._skip(_SPACE)
        return self._text[self._at : self._at + 1]

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        assert match is not None
        self._at = match.end()

    def _invalid(self, context: str, at_end: str = "") -> _Found:
        """Go feeds a space at the end, which some places take for the wrong character."""
        char = self._text[self._at : self._at + 1] or at_end
        return _Found(f"invalid character {_quote(char)} {context}" if char else _END)

    def _value(self) -> None:
        """A scalar, or the bracket that begins something."""
        char = self._peek()
        if char and char in "{[":
            if len(self._open) >= MAX_DEPTH:
                raise self._invalid("exceeded max depth")
            self._open.append(char)
            self._fresh = True
            self._at += 1
        elif char == '"':
            self._string()
        elif char and char in "-0123456789":
            self._number()
        elif char and char in "tfn":
            self._word({"t": "true", "f": "false", "n": "null"}[char])
        else:
            raise self._invalid("looking for beginning of value")

    def _next(self) -> None:
        """The end of what is open, or its next member."""
        in_object = self._open[-1] == "{"
        if self._ends(in_object=in_object):
            self._open.pop()
            return
        self._skip(_MEMBERS if in_object else _ITEMS)
        if in_object:
            if self._peek() != '"':
                raise self._invalid("looking for beginning of object key string")
            self._string()
            if self._peek() != ":":
                raise self._invalid("after object key")
            self._at += 1
        self._value()

    def _ends(self, *, in_object: bool) -> bool:
        char = self._peek()
        if char == ("}" if in_object else "]"):
            self._at += 1
            self._fresh = False
            return True
        if self._fresh:
            self._fresh = False
            return False
        if char != ",":
            context = "after object key:value pair" if in_object else "after array element"
            raise self._invalid(context)
        self._at += 1
        return False

    def _string(self) -> None:
        self._at += 1
        self._skip(_WHOLE_TEXT)
        char = self._text[self._at : self._at + 1]
        if char == "\\":
            self._escape()
        if char != '"':
            raise self._invalid("in string literal")
        self._at += 1

    def _escape(self) -> None:
        """What is wrong with an escape."""
        self._at += 1
        char = self._text[self._at : self._at + 1]
        if not char or char not in '"\\/bfnrtu':
            raise self._invalid("in string escape code", " ")
        self._at += 1
        while re.match("[0-9a-fA-F]", self._text[self._at : self._at + 1]):
            self._at += 1
        raise self._invalid("in \\u hexadecimal character escape", " ")

    def _number(self) -> None:
        match = _NUMBER.match(self._text, self._at)
        if match is None:
            self._at += 1
            raise self._invalid("in numeric literal", " ")
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
        raise self._invalid(f"{where} numeric literal", " ")

    def _word(self, word: str) -> None:
        for index, char in _rest(word):
            self._at += 1
            if self._text[self._at : self._at + 1] != char:
                raise self._invalid(f"in literal {word} (expecting {_quote(word[index])})", " ")
        self._at += 1


def _rest(word: str) -> Iterator[tuple[int, str]]:
    return ((index, char) for index, char in enumerate(word) if index)


def _quote(char: str) -> str:
    # upstream: encoding/json scanner.go quoteChar
    special = {"'": r"'\''", '"': "'\"'"}
    return special.get(char) or f"'{go_text.quote(char)[1:-1]}'"
