"""Field selectors: ``metadata.name=a,status.phase!=Running``.

``selectors`` offers these names as well.
"""
# upstream: apimachinery pkg/fields/selector.go

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

_OPERATORS = ("!=", "==", "=")


class FieldSelectorError(ValueError):
    """The field selector makes no sense; the text is upstream's."""


class FieldTerm(NamedTuple):
    """``operator`` is ``=`` or ``!=``."""

    field: str
    operator: str
    value: str

    def matches(self, fields: Mapping[str, str]) -> bool:
        """A field that is absent is empty."""
        return (fields.get(self.field, "") == self.value) is (self.operator == "=")

    def __str__(self) -> str:
        return f"{self.field}{self.operator}{escape_value(self.value)}"


class FieldSelector:
    """All of its terms must hold. Terms are sorted as upstream sorts them: by their text."""

    __slots__ = ("terms",)

    def __init__(self, terms: Iterable[FieldTerm] = ()) -> None:
        self.terms = tuple(terms)

    @property
    def empty(self) -> bool:
        return not self.terms

    def matches(self, fields: Mapping[str, str]) -> bool:
        return all(term.matches(fields) for term in self.terms)

    def requires_exact_match(self, field: str) -> str | None:
        """The value that a field must have, or None."""
        for term in self.terms:
            if term.field == field and term.operator == "=":
                return term.value
        return None

    def transform(self, convert: Callable[[str, str], tuple[str, str]]) -> "FieldSelector":
        """With other names and values; a term that becomes ``("", "")`` falls away."""
        changed = [(convert(term.field, term.value), term.operator) for term in self.terms]
        return FieldSelector(
            FieldTerm(field, operator, value)
            for (field, value), operator in changed
            if field or value
        )

    def __str__(self) -> str:
        return ",".join(str(term) for term in self.terms)

    def __repr__(self) -> str:
        return f"FieldSelector({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FieldSelector) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(self.terms)


def escape_value(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,").replace("=", "\\=")


def unescape_value(text: str) -> str:
    made, chars = [], iter(text)
    for char in chars:
        if char == "\\":
            escaped = next(chars, "")
            if escaped not in {"\\", ",", "="}:
                raise FieldSelectorError(
                    f"invalid field selector: invalid escape sequence: \\{escaped}"
                )
            made.append(escaped)
        elif char in ",=":
            code = ord(char)  # upstream prints the number
            raise FieldSelectorError(
                f"invalid field selector: unescaped character in value: {code}"
            )
        else:
            made.append(char)
    return "".join(made)


def _split_terms(text: str) -> list[str]:
    terms, start, is_escaped = [], 0, False
    for index, char in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif char == "\\":
            is_escaped = True
        elif char == ",":
            terms.append(text[start:index])
            start = index + 1
    return [*terms, text[start:]]


def _term(part: str, text: str) -> FieldTerm:
    for index in range(len(part)):
        for operator in _OPERATORS:
            if part.startswith(operator, index):
                value = unescape_value(part[index + len(operator) :])
                return FieldTerm(part[:index], "!=" if operator == "!=" else "=", value)
    raise FieldSelectorError(f"invalid selector: '{text}'; can't understand '{part}'")


@lru_cache(maxsize=1024)
def parse_field_selector(text: str) -> FieldSelector:
    """A field selector from its text; ``FieldSelectorError`` (a ``ValueError``) if malformed."""
    parts = sorted(_split_terms(text), key=lambda part: part.encode("utf-8", "surrogatepass"))
    terms = [_term(part, text) for part in parts if part]
    # As upstream: a term without field and value is no condition.
    return FieldSelector(term for term in terms if term.field or term.value)
