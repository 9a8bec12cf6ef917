"""Label selectors and field selectors: parsed once, compiled to a closure, printed canonically.

A ``Selector`` is made by ``parse`` (``app in (a,b),!old``), ``from_label_selector`` (the API type),
``from_set``; ``matches(labels)`` is its compiled test. ``SelectorError`` says in upstream's words
what is wrong.
"""
# upstream: apimachinery pkg/labels/selector.go

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from pykube_cp.machinery import field_errors, names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.field_selectors import (
    FieldSelector,
    FieldSelectorError,
    FieldTerm,
    parse_field_selector,
)
from pykube_cp.machinery.go_text import quote

__all__ = [
    "EVERYTHING",
    "NOTHING",
    "FieldSelector",
    "FieldSelectorError",
    "FieldTerm",
    "Operator",
    "Requirement",
    "Selector",
    "SelectorError",
    "format_label_selector",
    "from_label_selector",
    "from_set",
    "parse",
    "parse_field_selector",
    "requirement",
]

Labels = Mapping[str, str]
Test = Callable[[Labels], bool]


class Operator(StrEnum):
    """As in requirements of a label selector."""

    DOES_NOT_EXIST = "!"
    EQUALS = "="
    DOUBLE_EQUALS = "=="
    IN = "in"
    NOT_EQUALS = "!="
    NOT_IN = "notin"
    EXISTS = "exists"
    GREATER_THAN = "gt"
    LESS_THAN = "lt"


_EQUAL = frozenset({Operator.EQUALS, Operator.DOUBLE_EQUALS})
_MEMBER = frozenset({Operator.IN, *_EQUAL})
_NOT_MEMBER = frozenset({Operator.NOT_IN, Operator.NOT_EQUALS})
_UNARY = (Operator.EXISTS, Operator.DOES_NOT_EXIST)
_BINARY = (
    Operator.IN,
    Operator.NOT_IN,
    Operator.EQUALS,
    Operator.DOUBLE_EQUALS,
    Operator.NOT_EQUALS,
    Operator.GREATER_THAN,
    Operator.LESS_THAN,
)
_SIGNS = {
    Operator.EQUALS: "=",
    Operator.DOUBLE_EQUALS: "==",
    Operator.NOT_EQUALS: "!=",
    Operator.GREATER_THAN: ">",
    Operator.LESS_THAN: "<",
}
_API_OPERATORS = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}


class SelectorError(ValueError):
    """The selector makes no sense; the text is upstream's."""


class Requirement(NamedTuple):
    """One condition on one label. Make it with ``requirement``, which checks it."""

    key: str
    operator: Operator
    values: tuple[str, ...] = ()

    def test(self) -> Test:
        """The condition as a closure."""
        key, operator = self.key, self.operator
        if operator in _MEMBER:
            return _member_test(key, self.values)
        if operator in _NOT_MEMBER:
            values = frozenset(self.values)
            return lambda labels: key not in labels or labels[key] not in values
        if operator is Operator.EXISTS:
            return lambda labels: key in labels
        if operator is Operator.DOES_NOT_EXIST:
            return lambda labels: key not in labels
        return _compare_test(key, operator, self.values)

    def matches(self, labels: Labels) -> bool:
        return self.test()(labels)

    def __str__(self) -> str:
        if self.operator is Operator.EXISTS:
            return self.key
        if self.operator is Operator.DOES_NOT_EXIST:
            return f"!{self.key}"
        values = ",".join(sorted(self.values))
        sign = _SIGNS.get(self.operator)
        return f"{self.key}{sign}{values}" if sign else f"{self.key} {self.operator} ({values})"


def _member_test(key: str, values: tuple[str, ...]) -> Test:
    if len(values) == 1:
        (value,) = values
        return lambda labels: labels.get(key) == value
    allowed = frozenset(values)
    return lambda labels: labels.get(key) in allowed


def _compare_test(key: str, operator: Operator, values: tuple[str, ...]) -> Test:
    bound = _int64(values[0]) if len(values) == 1 else None
    is_greater = operator is Operator.GREATER_THAN

    def test(labels: Labels) -> bool:
        value = labels.get(key)
        found = _int64(value) if value is not None else None
        if found is None or bound is None:
            return False
        return found > bound if is_greater else found < bound

    return test


def _int64(text: str) -> int | None:
    """Go's ``strconv.ParseInt(text, 10, 64)``."""
    digits = text[1:] if text[:1] in {"+", "-"} else text
    if not digits.isascii() or not digits.isdigit() or len(digits) > 40:
        return None
    value = int(text)
    return value if -(1 << 63) <= value < 1 << 63 else None


def requirement(
    key: str, operator: Operator, values: Sequence[str], path: Path | None = None
) -> Requirement:
    """A checked requirement; ``SelectorError`` with all that is wrong with it."""
    path = path if path is not None else Path()
    found = _key_errors(key, path.child("key"))
    at = path.child("values")
    found += _count_errors(operator, values, path)
    for index, value in enumerate(values):
        if messages := names.is_valid_label_value(value):
            where = at.index(index).key(key)
            found.append(FieldError.invalid(where, value, "; ".join(messages)))
    if found:
        raise SelectorError(field_errors.aggregate(found))
    return Requirement(key, operator, tuple(values))


def _key_errors(key: str, path: Path) -> list[FieldError]:
    messages = names.is_label_key(key)
    return [FieldError.invalid(path, key, "; ".join(messages))] if messages else []


def _count_errors(operator: Operator, values: Sequence[str], path: Path) -> list[FieldError]:
    at, shown = path.child("values"), list(values)
    if operator in {Operator.IN, Operator.NOT_IN}:
        text = "for 'in', 'notin' operators, values set can't be empty"
        return [] if values else [FieldError.invalid(at, shown, text)]
    if operator in _UNARY:
        text = "values set must be empty for exists and does not exist"
        return [FieldError.invalid(at, shown, text)] if values else []
    if operator in _SIGNS and operator not in {Operator.GREATER_THAN, Operator.LESS_THAN}:
        text = "exact-match compatibility requires one single value"
        return [] if len(values) == 1 else [FieldError.invalid(at, shown, text)]
    return _comparison_errors(values, at)


def _comparison_errors(values: Sequence[str], path: Path) -> list[FieldError]:
    found = []
    if len(values) != 1:
        text = "for 'Gt', 'Lt' operators, exactly one value is required"
        found.append(FieldError.invalid(path, list(values), text))
    text = "for 'Gt', 'Lt' operators, the value must be an integer"
    for index, value in enumerate(values):
        if _int64(value) is None:
            found.append(FieldError.invalid(path.index(index), value, text))
    return found


class Selector:
    """All of its requirements must hold.

    Attributes:
        matches: the compiled test of a mapping of labels.
        requirements: sorted by key.
        empty: whether everything matches.
        nothing: whether nothing does, whatever the requirements.
    """

    __slots__ = ("empty", "matches", "nothing", "requirements")

    def __init__(self, requirements: Iterable[Requirement] = (), *, nothing: bool = False) -> None:
        self.requirements = tuple(sorted(requirements, key=lambda found: found.key))
        self.nothing = nothing
        self.empty = not nothing and not self.requirements
        self.matches: Test = _never if nothing else _all([r.test() for r in self.requirements])

    def add(self, *requirements: Requirement) -> "Selector":
        """A selector that wants these as well; nothing stays nothing."""
        if self.nothing:
            return self
        return Selector((*self.requirements, *requirements))

    def requires_exact_match(self, label: str) -> str | None:
        """The one value that a label must have, or None when several will do."""
        for found in self.requirements:
            if found.key == label:
                single = found.operator in _MEMBER and len(found.values) == 1
                return found.values[0] if single else None
        return None

    def __str__(self) -> str:
        return ",".join(str(found) for found in self.requirements)

    def __repr__(self) -> str:
        return f"Selector({'nothing' if self.nothing else str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Selector)
            and self.nothing == other.nothing
            and self.requirements == other.requirements
        )

    def __hash__(self) -> int:
        return hash((self.nothing, self.requirements))


def _never(_labels: Labels) -> bool:
    return False


def _always(_labels: Labels) -> bool:
    return True


def _all(tests: Sequence[Test]) -> Test:
    if not tests:
        return _always
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda labels: first(labels) and second(labels)

    def test(labels: Labels) -> bool:
        for found in tests:  # noqa: SIM110 - a generator costs more than the tests
            if not found(labels):
                return False
        return True

    return test


EVERYTHING = Selector()
NOTHING = Selector(nothing=True)


def from_set(labels: Labels | None) -> Selector:
    """Each of these labels with its value; None or empty selects everything. Not checked."""
    return Selector(
        Requirement(key, Operator.EQUALS, (value,)) for key, value in (labels or {}).items()
    )


def from_label_selector(selector: Mapping[str, Any] | None) -> Selector:
    """The API type ``LabelSelector``; None selects nothing, ``{}`` everything."""
    # upstream: apimachinery pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector
    if selector is None:
        return NOTHING
    wanted = [
        requirement(key, Operator.EQUALS, (value,))
        for key, value in (selector.get("matchLabels") or {}).items()
    ]
    for expression in selector.get("matchExpressions") or ():
        operator = _API_OPERATORS.get(expression.get("operator", ""))
        if operator is None:
            shown = quote(expression.get("operator", ""))
            raise SelectorError(f"{shown} is not a valid label selector operator")
        values = expression.get("values") or ()
        wanted.append(requirement(expression.get("key", ""), operator, values))
    return Selector(wanted) if wanted else EVERYTHING


def format_label_selector(selector: Mapping[str, Any] | None) -> str:
    """As columns show a ``LabelSelector``."""
    # upstream: apimachinery pkg/apis/meta/v1/helpers.go FormatLabelSelector
    try:
        return str(from_label_selector(selector)) or "<none>"
    except SelectorError:
        return "<error>"


# The grammar of label selectors.

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


class _Parser:
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
        wrong = _key_errors(key, self._path if self._path is not None else Path())
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
            raise SelectorError(f"found '{text}', expected: {', '.join(_BINARY)}")
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


@lru_cache(maxsize=2048)
def _parse_cached(text: str) -> Selector:
    return Selector(_Parser(text, None).parse())


def parse(text: str, path: Path | None = None) -> Selector:
    """A selector from its text; ``path`` is for error texts. ``SelectorError`` if malformed."""
    return _parse_cached(text) if path is None else Selector(_Parser(text, path).parse())
