"""What is wrong with which field: paths, field errors, and the text of many.

FieldValueNotFound      Not found: <value>
FieldValueRequired      Required value
FieldValueDuplicate     Duplicate value: <value>
FieldValueInvalid       Invalid value: <value>
FieldValueTypeInvalid   Invalid value: <value>
FieldValueNotSupported  Unsupported value: <value>: supported values: "a", "b"
FieldValueForbidden     Forbidden
FieldValueTooLong       Too long: may not be more than N bytes
FieldValueTooShort      Too short: must be at least N characters
FieldValueTooMany       Too many: <count>: must have at most N items
FieldValueTooFew        Too few: <count>: must have at least N items
InternalError           Internal error
"""
# upstream: apimachinery pkg/util/validation/field/errors.go

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pykube_cp.machinery.go_text import quote, value_text


class ErrorType(StrEnum):
    """Why a value is refused; the ``reason`` of a cause."""

    NOT_FOUND = "FieldValueNotFound"
    REQUIRED = "FieldValueRequired"
    DUPLICATE = "FieldValueDuplicate"
    INVALID = "FieldValueInvalid"
    NOT_SUPPORTED = "FieldValueNotSupported"
    FORBIDDEN = "FieldValueForbidden"
    TOO_LONG = "FieldValueTooLong"
    TOO_MANY = "FieldValueTooMany"
    TOO_FEW = "FieldValueTooFew"
    INTERNAL = "InternalError"
    TYPE_INVALID = "FieldValueTypeInvalid"
    TOO_SHORT = "FieldValueTooShort"


_WORDS = {
    ErrorType.NOT_FOUND: "Not found",
    ErrorType.REQUIRED: "Required value",
    ErrorType.DUPLICATE: "Duplicate value",
    ErrorType.INVALID: "Invalid value",
    ErrorType.NOT_SUPPORTED: "Unsupported value",
    ErrorType.FORBIDDEN: "Forbidden",
    ErrorType.TOO_LONG: "Too long",
    ErrorType.TOO_MANY: "Too many",
    ErrorType.TOO_FEW: "Too few",
    ErrorType.INTERNAL: "Internal error",
    ErrorType.TYPE_INVALID: "Invalid value",
    ErrorType.TOO_SHORT: "Too short",
}
_WITHOUT_VALUE = frozenset(
    {
        ErrorType.REQUIRED,
        ErrorType.FORBIDDEN,
        ErrorType.TOO_LONG,
        ErrorType.TOO_SHORT,
        ErrorType.INTERNAL,
    }
)


class _Omitted:
    """The type of OMITTED."""

    def __repr__(self) -> str:
        return "<value omitted>"


OMITTED = _Omitted()
"""A bad value that must not be shown."""


class Path:
    """Where a field is: ``spec.containers[0].name``, ``metadata.labels[app]``. Immutable.

    ``Path()`` is the root, whose children have no dot before them; ``Path("")`` is a place without a
    name, shown as ``[]``.
    """

    __slots__ = ("_text",)

    def __init__(self, *names: str) -> None:
        self._text = ".".join(names) or ("[]" if names else "")

    def child(self, name: str, *more: str) -> "Path":
        if more:
            name = ".".join((name, *more))
        return _at(f"{self._text}.{name}" if self._text else name)

    def index(self, index: int) -> "Path":
        return _at(f"{self._text}[{index}]")

    def key(self, key: str) -> "Path":
        return _at(f"{self._text}[{key}]")

    def __str__(self) -> str:
        return self._text or "<nil>"

    def __repr__(self) -> str:
        return f"Path({self._text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Path) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


_new = object.__new__


def _at(text: str) -> Path:
    """Checks make a path for every field they look at, so this saves the call of ``__init__``."""
    path = _new(Path)
    path._text = text  # noqa: SLF001 - as __init__ does
    return path


@dataclass(slots=True)
class FieldError:
    """One thing wrong with one field.

    Attributes:
        type: why.
        field: where, as text; ``<nil>`` for the object itself.
        bad_value: any JSON value, or ``OMITTED``.
        detail: what is expected.
        origin: which rule said so; never shown.
        covered: whether a rule that the type declares may say the same and take its place.
        level: of the declared rule that said so: ``alpha``, ``beta`` or nothing.
    """

    type: ErrorType
    field: str
    bad_value: Any = ""
    detail: str = ""
    origin: str = ""
    covered: bool = False
    level: str = ""

    def error(self) -> str:
        """``spec.replicas: Invalid value: -1: must be greater than or equal to 0``."""
        return f"{self.field}: {self.body()}"

    def body(self) -> str:
        """The error without its field."""
        text = _WORDS[self.type]
        if self.type not in _WITHOUT_VALUE and self.bad_value is not OMITTED:
            text = f"{text}: {value_text(self.bad_value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def cause(self) -> dict[str, str]:
        """As ``details.causes`` of a Status lists it."""
        made = {"reason": str(self.type), "message": self.body(), "field": self.field}
        if not self.field:
            del made["field"]
        return made

    def with_origin(self, origin: str) -> "FieldError":
        self.origin = origin
        return self

    def by_declaration(self, origin: str = "") -> "FieldError":
        """The same, marked as something that a declared rule says as well."""
        self.covered = True
        self.origin = origin or self.origin
        return self

    def __str__(self) -> str:
        return self.error()

    @staticmethod
    def not_found(path: Path | None, value: Any) -> "FieldError":
        return FieldError(ErrorType.NOT_FOUND, _where(path), value)

    @staticmethod
    def required(path: Path | None, detail: str = "") -> "FieldError":
        return FieldError(ErrorType.REQUIRED, _where(path), "", detail)

    @staticmethod
    def duplicate(path: Path | None, value: Any) -> "FieldError":
        return FieldError(ErrorType.DUPLICATE, _where(path), value)

    @staticmethod
    def invalid(path: Path | None, value: Any, detail: str) -> "FieldError":
        return FieldError(ErrorType.INVALID, _where(path), value, detail)

    @staticmethod
    def type_invalid(path: Path | None, value: Any, detail: str) -> "FieldError":
        return FieldError(ErrorType.TYPE_INVALID, _where(path), value, detail)

    @staticmethod
    def not_supported(path: Path | None, value: Any, supported: Iterable[str]) -> "FieldError":
        """``supported`` is shown in the order given; upstream mostly sorts it first."""
        quoted = ", ".join(quote(text) for text in supported)
        detail = f"supported values: {quoted}" if quoted else ""
        return FieldError(ErrorType.NOT_SUPPORTED, _where(path), value, detail)

    @staticmethod
    def forbidden(path: Path | None, detail: str) -> "FieldError":
        return FieldError(ErrorType.FORBIDDEN, _where(path), "", detail)

    @staticmethod
    def too_long(path: Path | None, _value: Any, limit: int) -> "FieldError":
        detail = _limit(limit, "may not be more than", "byte", "value is too long")
        return FieldError(ErrorType.TOO_LONG, _where(path), OMITTED, detail)

    @staticmethod
    def too_long_characters(path: Path | None, _value: Any, limit: int) -> "FieldError":
        detail = _limit(limit, "may not be more than", "character", "value is too long")
        return FieldError(ErrorType.TOO_LONG, _where(path), OMITTED, detail)

    @staticmethod
    def too_short(path: Path | None, value: Any, limit: int) -> "FieldError":
        detail = _limit(limit, "must be at least", "character", "value is too short")
        return FieldError(ErrorType.TOO_SHORT, _where(path), value, detail)

    @staticmethod
    def too_many(path: Path | None, count: int, limit: int) -> "FieldError":
        """A negative ``count`` is not shown."""
        detail = _limit(limit, "must have at most", "item", "has too many items")
        shown = count if count >= 0 else OMITTED
        return FieldError(ErrorType.TOO_MANY, _where(path), shown, detail)

    @staticmethod
    def too_few(path: Path | None, count: int, limit: int) -> "FieldError":
        detail = _limit(limit, "must have at least", "item", "has too few items")
        return FieldError(ErrorType.TOO_FEW, _where(path), count, detail)

    @staticmethod
    def internal(path: Path | None, error: object) -> "FieldError":
        return FieldError(ErrorType.INTERNAL, _where(path), "", str(error))


def _where(path: Path | None) -> str:
    return "<nil>" if path is None else str(path)


def _limit(limit: int, phrase: str, unit: str, without: str) -> str:
    if limit < 0:
        return without
    return f"{phrase} {limit} {unit}{'' if limit == 1 else 's'}"


def with_origin(errors: Sequence[FieldError], origin: str) -> list[FieldError]:
    return [error.with_origin(origin) for error in errors]


def by_declaration(errors: Sequence[FieldError], origin: str = "") -> list[FieldError]:
    return [error.by_declaration(origin) for error in errors]


def causes(errors: Iterable[FieldError]) -> list[dict[str, str]]:
    """Every error as a cause of a Status."""
    return [error.cause() for error in errors]


def unique(errors: list[FieldError]) -> list[FieldError]:
    """Nothing is said twice."""
    if len(errors) < 2:
        return errors
    said: dict[str, FieldError] = {}
    for error in errors:
        said.setdefault(error.error(), error)
    return list(said.values())


def aggregate(errors: Iterable[FieldError]) -> str:
    """The different errors as one text: alone, or in brackets; empty when there are none."""
    return aggregate_texts(error.error() for error in errors)


def aggregate_texts(errors: Iterable[str]) -> str:
    """``aggregate``, of errors that are no more than text."""
    # upstream: apimachinery pkg/util/errors/errors.go aggregate.Error
    texts = list(dict.fromkeys(errors))
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]" if texts else ""
