"""Conditions on one label each, which selectors are made of.

``selectors`` offers these names as well.
"""
# upstream: apimachinery pkg/labels/selector.go Requirement

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from pykube_cp.machinery import field_errors, names
from pykube_cp.machinery.field_errors import FieldError, Path

Labels: TypeAlias = Mapping[str, str]
Test: TypeAlias = Callable[[Labels], bool]


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
MEMBER_OPERATORS = frozenset({Operator.IN, *_EQUAL})
_NOT_MEMBER = frozenset({Operator.NOT_IN, Operator.NOT_EQUALS})
_UNARY = (Operator.EXISTS, Operator.DOES_NOT_EXIST)
BINARY_OPERATORS = (
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
        if operator in MEMBER_OPERATORS:
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
    found = key_errors(key, path.child("key"))
    at = path.child("values")
    found += _count_errors(operator, values, path)
    for index, value in enumerate(values):
        if messages := names.is_valid_label_value(value):
            where = at.index(index).key(key)
            found.append(FieldError.invalid(where, value, "; ".join(messages)))
    if found:
        raise SelectorError(field_errors.aggregate(found))
    return Requirement(key, operator, tuple(values))


def key_errors(key: str, path: Path) -> list[FieldError]:
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
