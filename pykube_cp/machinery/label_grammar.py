"""The grammar of label selectors: ``app in (a,b),!old,tier=front``."""
# upstream: apimachinery pkg/labels/selector.go Lexer, Parser

from typing import Literal, NamedTuple

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.label_requirements import (
    BINARY_OPERATORS,
    Operator,
    Requirement,
    SelectorError,
    key_errors,
    requirement,
)

_Kind = Literal["end", ")", ",", "!", "==", "=", ">", "identifier", "in", "<", "!=", "notin", "("]
_KEYWORDS: dict[str, _Kind] = {
    ")": ")",
    ",": ",",
    "!": "!",
    "==": "==",
    "=": "=",
    ">": ">",
    "in": "in",
    "<": "<",
    "!=": "!=",
    "notin": "notin",
    "(": "(",
}
_BINARY_TOKENS: dict[str, Operator] = {
    "in": Operator.IN,
    "=": Operator.EQUALS,
    "==": Operator.DOUBLE_EQUALS,
    ">": Operator.GREATER_THAN,
    "<": Operator.LESS_THAN,
    "notin": Operator.NOT_IN,
    "!=": Operator.NOT_EQUALS,
}
_SPECIAL = frozenset("=!(),><")
_WHITESPACE = frozenset(" \t\r\n")
_STOP = _SPECIAL | _WHITESPACE | {"\0"}


class _Token(NamedTuple):
    """A word of a selector; kind ``error`` never matches what is expected."""

    kind: str
    text: str


def _scan(text: str) -> list[_Token]:
    """All tokens; the end stands last. As upstream, a zero byte ends the text."""
    tokens, at = [], 0
    while at < len(text) and text[at] != "\0":
        if text[at] in _WHITESPACE:
            at += 1
        elif text[at] in _SPECIAL:
            token, at = _scan_symbol(text, at)
            tokens.append(token)
        else:
            end = at
            while end < len(text) and text[end] not in _STOP:
                end += 1
            word = text[at:end]
            tokens.append(_Token(_KEYWORDS.get(word, "identifier"), word))
            at = end
    return [*tokens, _Token("end", "")]


def _scan_symbol(text: str, start: int) -> tuple[_Token, int]:
    """The longest operator at ``start``."""
    found: _Token | None = None
    end = start
    while end < len(text) and text[end] in _SPECIAL:
        word = text[start : end + 1]
        if word in _KEYWORDS:
            found = _Token(_KEYWORDS[word], word)
        elif found is not None:
            break
        end += 1
    if found is None:
        return _Token("error", f"error expected: keyword found '{text[start:end]}'"), end
    return found, end


class Parser:
    """Recursive descent over the tokens."""

    def __init__(self, text: str, path: Path | None) -> None:
        self._tokens = _scan(text)
        self._at = 0
        self._path = path

    def parse(self) -> list[Requirement]:
        wanted: list[Requirement] = []
        while True:
            kind, text = self._peek()
            if kind == "end":
                return wanted
            if kind not in {"identifier", "!"}:
                raise SelectorError(f"found '{text}', expected: !, identifier, or 'end of string'")
            try:
                wanted.append(self._requirement())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            kind, text = self._take()
            if kind == "end":
                return wanted
            if kind != ",":
                raise SelectorError(f"found '{text}', expected: ',' or 'end of string'")
            kind, text = self._peek()
            if kind not in {"identifier", "!"}:
                raise SelectorError(f"found '{text}', expected: identifier after ','")

    def _peek(self) -> _Token:
        return self._as_value(self._tokens[self._at])

    def _take(self) -> _Token:
        self._at += 1
        return self._as_value(self._tokens[self._at - 1])

    @staticmethod
    def _as_value(token: _Token) -> _Token:
        """Keywords are plain words wherever an operator cannot stand."""
        return _Token("identifier", token.text) if token.kind in {"in", "notin"} else token

    def _requirement(self) -> Requirement:
        kind, key = self._take()
        is_negated = kind == "!"
        if is_negated:
            kind, key = self._take()
        if kind != "identifier":
            raise SelectorError(f"found '{key}', expected: identifier")
        wrong = key_errors(key, self._path if self._path is not None else Path())
        if wrong:
            raise SelectorError(wrong[0].error())
        if is_negated:
            return requirement(key, Operator.DOES_NOT_EXIST, (), self._path)
        if self._peek().kind in {"end", ","}:
            return requirement(key, Operator.EXISTS, (), self._path)
        operator = self._operator()
        is_set = operator in {Operator.IN, Operator.NOT_IN}
        values = self._values() if is_set else {self._exact_value()}
        return requirement(key, operator, sorted(values), self._path)

    def _operator(self) -> Operator:
        kind, text = self._tokens[self._at]
        self._at += 1
        if kind not in _BINARY_TOKENS:
            raise SelectorError(f"found '{text}', expected: {', '.join(BINARY_OPERATORS)}")
        return _BINARY_TOKENS[kind]

    def _values(self) -> set[str]:
        kind, text = self._take()
        if kind != "(":
            raise SelectorError(f"found '{text}' expected: '('")
        kind, text = self._peek()
        if kind == ")":
            self._take()
            return {""}
        if kind not in {"identifier", ","}:
            raise SelectorError(f"found '{text}', expected: ',', ')' or identifier")
        values = self._identifiers()
        if self._take().kind != ")":
            raise SelectorError(f"found '{text}', expected: ')'")
        return values

    def _identifiers(self) -> set[str]:
        values: set[str] = set()
        while True:
            kind, text = self._take()
            if kind not in {"identifier", ","}:
                raise SelectorError(f"found '{text}', expected: ',', or identifier")
            following, after = self._peek()
            if kind == ",":
                if not values or following in {")", ","}:
                    values.add("")
            else:
                values.add(text)
                if following not in {")", ","}:
                    raise SelectorError(f"found '{after}', expected: ',' or ')'")
            if following == ")":
                return values

    def _exact_value(self) -> str:
        if self._peek().kind in {"end", ","}:
            return ""
        kind, text = self._take()
        if kind != "identifier":
            raise SelectorError(f"found '{text}', expected: identifier")
        return text
