"""The checks that rules are made of; each answers what is wrong."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from pykube_cp.machinery import addresses, names, selectors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GroupVersion
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity, QuantityError, parse

NEGATIVE = names.IS_NEGATIVE
NOT_POSITIVE = "must be greater than zero"
PROTOCOLS = ("SCTP", "TCP", "UDP")
_PERCENT = "%"
_SHORTEST_TOKEN, _LONGEST_TOKEN = 600, 1 << 32

Errors = list[FieldError]


def invalid(path: Path, value: Any, texts: Iterable[str]) -> Errors:
    """One error per text."""
    return [FieldError.invalid(path, value, text) for text in texts]


def required(obj: Mapping[str, Any], path: Path, *fields: str, detail: str = "") -> Errors:
    """Empty is as good as absent."""
    return [FieldError.required(path.child(f), detail) for f in fields if not obj.get(f)]


def supported(value: Any, path: Path, allowed: Sequence[str]) -> Errors:
    return [] if value in allowed else [FieldError.not_supported(path, value, allowed)]


def chosen(obj: Mapping[str, Any], path: Path, field: str, allowed: Sequence[str]) -> Errors:
    """A field that must be there, and one of these."""
    value = obj.get(field)
    if not value:
        return [FieldError.required(path.child(field))]
    return supported(value, path.child(field), allowed)


def optional(obj: Mapping[str, Any], path: Path, field: str, allowed: Sequence[str]) -> Errors:
    """A field that is one of these, if it is there."""
    value = obj.get(field)
    return [] if value is None else supported(value, path.child(field), allowed)


def nonnegative(obj: Mapping[str, Any], path: Path, *fields: str) -> Errors:
    return [
        FieldError.invalid(path.child(field), obj[field], NEGATIVE)
        for field in fields
        if (obj.get(field) or 0) < 0
    ]


def positive(value: int, path: Path) -> Errors:
    return [] if value > 0 else [FieldError.invalid(path, value, NOT_POSITIVE)]


def in_range(obj: Mapping[str, Any], path: Path, field: str, low: int, high: int) -> Errors:
    value = obj.get(field)
    if value is None:
        return []
    return invalid(path.child(field), value, names.is_in_range(value, low, high))


def size(text: str) -> int:
    """In bytes, as Go counts."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def label(value: str, path: Path) -> Errors:
    return invalid(path, value, names.is_dns1123_label(value))


def subdomain(value: str, path: Path) -> Errors:
    return invalid(path, value, names.is_dns1123_subdomain(value))


def qualified(value: str, path: Path) -> Errors:
    return invalid(path, value, names.is_qualified_name(value))


def labels(values: Mapping[str, str], path: Path) -> Errors:
    # upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidateLabels
    found = []
    for key, value in values.items():
        found += qualified(key, path)
        found += invalid(path, value, names.is_valid_label_value(value))
    return found


def named(
    obj: Mapping[str, Any],
    path: Path,
    field: str,
    check: Callable[[str], list[str]] = names.is_dns1123_subdomain,
) -> Errors:
    """The name of something else, if there is one."""
    value = obj.get(field)
    return invalid(path.child(field), value, check(value)) if value else []


def must_name(
    obj: Mapping[str, Any],
    path: Path,
    field: str,
    check: Callable[[str], list[str]] = names.is_dns1123_subdomain,
) -> Errors:
    """The name of something else."""
    return required(obj, path, field) or named(obj, path, field, check)


def fully_qualified(value: str, path: Path) -> Errors:
    # upstream: apimachinery pkg/util/validation/validation.go IsFullyQualifiedDomainName
    if not value:
        return [FieldError.required(path)]
    name = value.removesuffix(".")
    if wrong := names.is_dns1123_subdomain(name):
        return [FieldError.invalid(path, name, ",".join(wrong))]
    parts = name.split(".")
    if len(parts) < 2:
        text = "should be a domain with at least two segments separated by dots"
        return [FieldError.invalid(path, name, text)]
    for part in parts:
        if wrong := names.is_dns1123_label(part):
            return [FieldError.invalid(path, part, ",".join(wrong))]
    return []


def decoded_size(text: str | None) -> int:
    """How many bytes Base64 stands for."""
    text = text or ""
    return len(text) * 3 // 4 - text[-2:].count("=")


def prefixed_path(value: str, path: Path) -> Errors:
    """``example.com/path``."""
    # upstream: apimachinery pkg/util/validation/validation.go IsDomainPrefixedPath
    if not value:
        return [FieldError.required(path)]
    host, _, rest = value.partition("/")
    if not host or not rest:
        text = 'must be a domain-prefixed path (such as "acme.io/foo")'
        return [FieldError.invalid(path, value, text)]
    return subdomain(host, path) + invalid(path, rest, names.is_http_path(rest))


def token_lifetime(seconds: int, path: Path) -> Errors:
    """Of a token of a service account."""
    # upstream: pkg/apis/authentication/validation/validation.go ValidateTokenRequest
    if seconds < _SHORTEST_TOKEN:
        text = "may not specify a duration less than 10 minutes"
        return [FieldError.invalid(path, seconds, text)]
    if seconds > _LONGEST_TOKEN:
        text = "may not specify a duration larger than 2^32 seconds"
        return [FieldError.invalid(path, seconds, text)]
    return []


def members(
    obj: Mapping[str, Any], path: Path, field: str, others: str, missing: str = ""
) -> Errors:
    """A list that has members, and no ``others`` beside a star."""
    values = obj.get(field) or []
    if not values:
        return [FieldError.required(path.child(field), missing)]
    if "*" in values and len(values) > 1:
        text = f"if '*' is present, must not specify other {others}"
        return [FieldError.invalid(path.child(field), values, text)]
    return []


def group_version(text: str, path: Path) -> Errors:
    try:
        GroupVersion.parse(text)
    except ValueError as error:
        return [FieldError.invalid(path, text, str(error))]
    return []


def port_number(value: int, path: Path) -> Errors:
    return invalid(path, value, names.is_valid_port_num(value))


def port(value: int | str | None, path: Path) -> Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidatePortNumOrName
    if isinstance(value, str):
        return invalid(path, value, names.is_port_name(value))
    return port_number(value or 0, path)


def address(value: str, path: Path, known: Collection[str] = ()) -> Errors:
    """An address in a field from before addresses were strict."""
    return addresses.is_valid_ip_for_legacy_field(path, value, strict=True, valid_old=known)


def network(value: str, path: Path, known: Collection[str] = ()) -> Errors:
    return addresses.is_valid_cidr_for_legacy_field(path, value, strict=True, valid_old=known)


def endpoint_address(value: str, path: Path) -> Errors:
    """An address to which traffic may be sent."""
    # upstream: pkg/apis/core/validation/validation.go ValidateEndpointIP
    parsed = addresses.parse_ip_sloppy(value)
    if parsed is None:
        return [FieldError.invalid(path, value, "must be a valid IP address")]
    wrong = []
    if parsed.is_unspecified:
        wrong.append(f"may not be unspecified ({value})")
    if parsed.is_loopback:
        wrong.append("may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if parsed.is_link_local:
        wrong.append("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    packed = parsed.packed
    if packed[:3] == b"\xe0\x00\x00" or (packed[0] == 0xFF and packed[1] & 0x0F == 0x02):
        wrong.append("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
    return invalid(path, value, wrong)


def relative_path(value: str, path: Path) -> Errors:
    # upstream: pkg/apis/core/validation/validation.go validateLocalDescendingPath
    found = []
    if value.startswith("/"):
        found.append(FieldError.invalid(path, value, "must be a relative path"))
    return found + no_back_steps(value, path)


def no_back_steps(value: str, path: Path) -> Errors:
    if ".." in value.split("/"):
        return [FieldError.invalid(path, value, "must not contain '..'")]
    return []


def local_path(value: str, path: Path) -> Errors:
    """A relative path that starts with no two dots either."""
    # upstream: pkg/apis/core/validation/validation.go ValidateLocalNonReservedPath
    found = relative_path(value, path)
    if value.startswith("..") and not value.startswith("../"):
        found.append(FieldError.invalid(path, value, "must not start with '..'"))
    return found


def quantity(value: Any) -> Quantity | None:
    """None for what is no quantity; decoding has refused that."""
    try:
        return parse(str(value))
    except QuantityError:
        return None


def selects(selector: Object | None, template: Object, path: Path) -> Errors:
    """Whether a controller's selector matches the labels of its template."""
    try:
        return matched(selectors.from_label_selector(selector), template, path)
    except selectors.SelectorError:
        return []


def matched(selector: selectors.Selector, template: Object, path: Path) -> Errors:
    template_labels = (template.get("metadata") or {}).get("labels")
    if selector.matches(template_labels or {}):
        return []
    text = "`selector` does not match template `labels`"
    shown = dict(sorted(template_labels.items())) if template_labels else template_labels
    return [FieldError.invalid(path.child("metadata", "labels"), shown, text)]


def percentage(value: int | str | None) -> int | None:
    if isinstance(value, str) and not names.is_valid_percent(value):
        return int(value.removesuffix(_PERCENT))
    return None


def amount(value: int | str | None) -> int:
    """An integer, or the number of a percentage."""
    found = percentage(value)
    if found is not None:
        return found
    return value if isinstance(value, int) else 0


def amount_or_percentage(value: int | str | None, path: Path) -> Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidatePositiveIntOrPercent
    if isinstance(value, str):
        return invalid(path, value, names.is_valid_percent(value))
    return [FieldError.invalid(path, value, NEGATIVE)] if (value or 0) < 0 else []


def at_most_all(value: int | str | None, path: Path) -> Errors:
    if (percentage(value) or 0) <= 100:
        return []
    return [FieldError.invalid(path, value, "must not be greater than 100%")]
