"""The checks that declared rules name, for values without regard to what is inside them.

``CHECKS`` makes of a rule a check: (value, old value, path, operation) -> errors. The value is None
where Go has a nil pointer; there is no old value on create, and none where old and new do not
correspond.
"""
# upstream: apimachinery pkg/api/validate

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pykube_cp.machinery import names
from pykube_cp.machinery.declarations import Rule
from pykube_cp.machinery.field_errors import FieldError, Path, with_origin


@dataclass(frozen=True, slots=True)
class Operation:
    """What is being judged: a new object or a changed one, and which options are on."""

    update: bool = False
    options: Mapping[str, bool] = field(default_factory=dict)


Errors: TypeAlias = list[FieldError]
Check: TypeAlias = Callable[[Any, Any, Path, Operation], Errors]
Factory: TypeAlias = Callable[[Rule], Check]

_OPTIONAL = "optional value was not specified"
_ID_LENGTH, _DOMAIN_LENGTH, _POOL_LENGTH = 32, 63, 253
_UUID = "must be a lowercase UUID in 8-4-4-4-12 format"
_UUID_DASHES = frozenset({8, 13, 18, 23})


# Is it there?


def _is_zero(value: Any) -> bool:
    """Zero values, for things that are no pointers; a struct is zero when all its members are."""
    if isinstance(value, dict):
        return all(_is_zero(member) for member in value.values())
    return not value


def _is_nil(value: Any) -> bool:
    return value is None


def _is_empty(value: Any) -> bool:
    return not value


def _presence(missing: Callable[[Any], bool], detail: str = "") -> Factory:
    def check(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        return [FieldError.required(path, detail)] if missing(value) else []

    return lambda _rule: check


def _absence(missing: Callable[[Any], bool]) -> Factory:
    def check(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        return [] if missing(value) else [FieldError.forbidden(path, "")]

    return lambda _rule: check


# How large may it be?


def _size(value: str) -> int:
    return len(value.encode("utf-8", "surrogatepass"))


def _max_length(rule: Rule) -> Check:
    def check(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        if value is None or len(value) <= rule.number:
            return []
        return [FieldError.too_long_characters(path, value, rule.number).with_origin("maxLength")]

    return check


def _max_bytes(rule: Rule) -> Check:
    def check(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        if value is None or _size(value) <= rule.number:
            return []
        return [FieldError.too_long(path, value, rule.number).with_origin("maxBytes")]

    return check


def _max_items(rule: Rule) -> Check:
    def check(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        if len(value or ()) <= rule.number:
            return []
        return [FieldError.too_many(path, len(value), rule.number).with_origin("maxItems")]

    return check


def _minimum(rule: Rule) -> Check:
    text = f"must be greater than or equal to {rule.number}"

    def check(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        if value is None or value >= rule.number:
            return []
        return [FieldError.invalid(path, value, text).with_origin("minimum")]

    return check


def _maximum(rule: Rule) -> Check:
    text = f"must be less than or equal to {rule.number}"

    def check(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        if value is None or value <= rule.number:
            return []
        return [FieldError.invalid(path, value, text).with_origin("maximum")]

    return check


# May it change?


def _immutable(_rule: Rule) -> Check:
    """Whoever gets here has changed."""

    def check(_value: Any, _old: Any, path: Path, operation: Operation) -> Errors:
        if not operation.update:
            return []
        return [FieldError.invalid(path, None, "field is immutable").with_origin("immutable")]

    return check


def _monotonic(_rule: Rule) -> Check:
    def check(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        if not operation.update or value is None or old is None or value >= old:
            return []
        text = f"may not be decreased from {old}"
        return [FieldError.invalid(path, value, text).with_origin("monotonic")]

    return check


_CONSTRAINTS: dict[str, tuple[bool, bool, str]] = {
    "NoSet": (False, True, "field cannot be set once created"),
    "NoUnset": (True, False, "field cannot be cleared once set"),
    "NoModify": (True, True, "field cannot be modified once set"),
}
"""Whether it was and is set, and the text for that."""


def _update_pointer(rule: Rule) -> Check:
    def check(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        if not operation.update:
            return []
        now = (old is not None, value is not None)
        texts = [_CONSTRAINTS[word][2] for word in rule.words if _CONSTRAINTS[word][:2] == now]
        return [FieldError.invalid(path, None, text).with_origin("update") for text in texts]

    return check


# Which text may it be?


def _enum(rule: Rule) -> Check:
    def check(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        if value is None or value in rule.words:
            return []
        return [FieldError.not_supported(path, value, rule.words)]

    return check


def _format(check_text: Callable[[str], list[str]], origin: str) -> Factory:
    def check(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        if value is None:
            return []
        texts = names.in_bytes(check_text(value))
        return with_origin([FieldError.invalid(path, value, text) for text in texts], origin)

    return lambda _rule: check


def _is_uuid(value: str) -> list[str]:
    fits = len(value) == 36 and all(
        char == "-" if position in _UUID_DASHES else char in "0123456789abcdef"
        for position, char in enumerate(value)
    )
    return [] if fits else [_UUID]


def _composed(errors_of: Callable[[str, Path], Errors], origin: str) -> Factory:
    def check(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        return [] if value is None else with_origin(errors_of(value, path), origin)

    return lambda _rule: check


def _long_name(value: str, path: Path, prefix: str) -> Errors:
    texts = names.in_bytes(names.is_dns1123_subdomain(value))
    return [FieldError.invalid(path, value, f"{prefix}{text}") for text in texts]


def _pool_name(value: str, path: Path) -> Errors:
    # upstream: apimachinery pkg/api/validate/strfmt.go ResourcePoolName
    found = []
    if _size(value) > _POOL_LENGTH:
        found.append(FieldError.too_long(path, value, _POOL_LENGTH))
    for position, part in enumerate(value.split("/")):
        prefix = f"segment {position}: "
        if part:
            found += _long_name(part, path, prefix)
        else:
            found.append(FieldError.invalid(path, value, f"{prefix}must not be empty"))
    return found


def _extended_resource(value: str, path: Path) -> Errors:
    # upstream: apimachinery pkg/api/validate/strfmt.go ExtendedResourceName
    texts = []
    if "/" not in value:
        texts.append("a name must be a domain-prefixed path, such as 'example.com/my-prop'")
    elif "kubernetes.io/" in value:
        texts.append('must not have "kubernetes.io/" domain')
    if value.startswith("requests."):
        texts.append('must not have "requests." prefix')
    texts += names.is_label_key(f"requests.{value}")
    return [FieldError.invalid(path, value, text) for text in texts]


def _identifier(value: str, path: Path) -> Errors:
    found = []
    if _size(value) > _ID_LENGTH:
        found.append(FieldError.too_long(path, value, _ID_LENGTH))
    return found + [FieldError.invalid(path, value, text) for text in names.is_cidentifier(value)]


def _qualified_attribute(value: str, path: Path) -> Errors:
    # upstream: apimachinery pkg/api/validate/strfmt.go ResourceFullyQualifiedName
    parts = value.split("/")
    if len(parts) == 1:
        text = "a fully qualified name must be a domain and a name separated by a slash"
        return [*_identifier(value, path), FieldError.invalid(path, value, text)]
    if len(parts) > 2:
        return []
    domain, name = parts
    found = []
    if not domain:
        found.append(FieldError.invalid(path, "", "prefix must not be empty"))
    else:
        if _size(domain) > _DOMAIN_LENGTH:
            found.append(FieldError.too_long(path, domain, _DOMAIN_LENGTH))
        found += _long_name(domain, path, "prefix: ")
    if not name:
        return [*found, FieldError.invalid(path, "", "name must not be empty")]
    return found + _identifier(name, path)


_PREFIX = "format=k8s-"

CHECKS: dict[str, Factory] = {
    "RequiredValue": _presence(_is_zero),
    "RequiredPointer": _presence(_is_nil),
    "RequiredSlice": _presence(_is_empty),
    "RequiredMap": _presence(_is_empty),
    "OptionalValue": _presence(_is_zero, _OPTIONAL),
    "OptionalPointer": _presence(_is_nil, _OPTIONAL),
    "OptionalSlice": _presence(_is_empty, _OPTIONAL),
    "OptionalMap": _presence(_is_empty, _OPTIONAL),
    "ForbiddenValue": _absence(_is_zero),
    "ForbiddenPointer": _absence(_is_nil),
    "ForbiddenSlice": _absence(_is_empty),
    "ForbiddenMap": _absence(_is_empty),
    "MaxLength": _max_length,
    "MaxBytes": _max_bytes,
    "MaxItems": _max_items,
    "Minimum": _minimum,
    "Maximum": _maximum,
    "Immutable": _immutable,
    "Monotonic": _monotonic,
    "UpdatePointer": _update_pointer,
    "Enum": _enum,
    "ShortName": _format(names.is_dns1123_label, f"{_PREFIX}short-name"),
    "LongName": _format(names.is_dns1123_subdomain, f"{_PREFIX}long-name"),
    "LongNameCaseless": _format(
        names.is_dns1123_subdomain_caseless, f"{_PREFIX}long-name-caseless"
    ),
    "LabelKey": _format(names.is_label_key, f"{_PREFIX}label-key"),
    "PrefixedLabelKey": _format(names.is_prefixed_label_key, f"{_PREFIX}prefixed-label-key"),
    "PathSegmentName": _format(names.is_path_segment_name, f"{_PREFIX}path-segment-name"),
    "UUID": _format(_is_uuid, f"{_PREFIX}uuid"),
    "ResourcePoolName": _composed(_pool_name, f"{_PREFIX}resource-pool-name"),
    "ExtendedResourceName": _composed(_extended_resource, f"{_PREFIX}extended-resource-name"),
    "ResourceFullyQualifiedName": _composed(
        _qualified_attribute, f"{_PREFIX}resource-fully-qualified-name"
    ),
}
