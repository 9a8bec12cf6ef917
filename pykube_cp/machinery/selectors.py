"""Label selectors and field selectors: parsed once, compiled to a closure, printed canonically.

A ``Selector`` is made by ``parse`` (``app in (a,b),!old``), ``from_label_selector`` (the API type),
``from_set``; ``matches(labels)`` is its compiled test. ``SelectorError`` says in upstream's words
what is wrong.
"""
# upstream: apimachinery pkg/labels/selector.go

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.field_selectors import (
    FieldSelector,
    FieldSelectorError,
    FieldTerm,
    parse_field_selector,
)
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.label_grammar import Parser
from pykube_cp.machinery.label_requirements import (
    MEMBER_OPERATORS,
    Labels,
    Operator,
    Requirement,
    SelectorError,
    Test,
    requirement,
)

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

_API_OPERATORS = {
    "In": Operator.IN,
    "NotIn": Operator.NOT_IN,
    "Exists": Operator.EXISTS,
    "DoesNotExist": Operator.DOES_NOT_EXIST,
}


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
                single = found.operator in MEMBER_OPERATORS and len(found.values) == 1
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


@lru_cache(maxsize=2048)
def _parse_cached(text: str) -> Selector:
    return Selector(Parser(text, None).parse())


def parse(text: str, path: Path | None = None) -> Selector:
    """A selector from its text; ``path`` is for error texts. ``SelectorError`` if malformed."""
    return _parse_cached(text) if path is None else Selector(Parser(text, path).parse())
