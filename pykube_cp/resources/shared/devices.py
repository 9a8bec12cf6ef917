"""What devices, pools, drivers and their attributes may be called; taints and tolerations."""
# upstream: pkg/apis/resource/validation/validation.go

import uuid
from collections.abc import Sequence

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path, by_declaration, with_origin
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, volume_sources
from pykube_cp.resources.shared.collections import sized

MAX_ID, MAX_DOMAIN = 32, 63
MAX_KEY = MAX_DOMAIN + 1 + MAX_ID
MAX_CONDITIONS = 4
_MAX_POOL = 253
_EFFECTS = ("NoExecute", "NoSchedule", "None")
_OPERATORS = ("Equal", "Exists")
_SHORT, _LONG, _CASELESS = "format=k8s-short-name", "format=k8s-long-name", "-caseless"
_POOL, _UUID = "format=k8s-resource-pool-name", "format=k8s-uuid"
_KEY = "format=k8s-label-key"
_QUALIFIED = "format=k8s-resource-fully-qualified-name"
_UUID_FORM = (
    "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with "
    "lowercase hexadecimal characters"
)


def short_name(value: str, path: Path) -> checks.Errors:
    return with_origin(checks.label(value, path), _SHORT)


def long_name(value: str, path: Path) -> checks.Errors:
    return with_origin(checks.subdomain(value, path), _LONG)


driver = volume_sources.driver_name


def declared_driver(value: str, path: Path) -> checks.Errors:
    """Where the type says the same of the driver."""
    found = driver(value, path)
    for error in found:
        sized_wrong = error.type.name == "TOO_LONG"
        error.by_declaration("maxLength" if sized_wrong else f"{_LONG}{_CASELESS}" if value else "")
    return found


def pool(value: str, path: Path) -> checks.Errors:
    if not value:
        return [FieldError.required(path)]
    found = []
    if checks.size(value) > _MAX_POOL:
        found.append(FieldError.too_long(path, value, _MAX_POOL))
    for part in value.split("/"):
        found += checks.subdomain(part, path)
    return with_origin(found, _POOL)


def uid(value: str, path: Path) -> checks.Errors:
    try:
        uuid.UUID(value)
    except ValueError:
        text = f"error validating uid: {_uuid_error(value)}"
        return [FieldError.invalid(path, value, text).with_origin(_UUID)]
    if len(value) == 36 and value == value.lower():
        return []
    return [FieldError.invalid(path, value, _UUID_FORM).with_origin(_UUID)]


def _uuid_error(value: str) -> str:
    # upstream: github.com/google/uuid uuid.go Validate
    lengths = {36, 36 + 9, 36 + 2, 32}
    return "invalid UUID format" if len(value) in lengths else f"invalid UUID length: {len(value)}"


def identifier(value: str, path: Path) -> checks.Errors:
    found = []
    if checks.size(value) > MAX_ID:
        found.append(FieldError.too_long(path, value, MAX_ID))
    return found + checks.invalid(path, value, names.is_cidentifier(value))


def qualified_name(value: str, path: Path) -> checks.Errors:
    """An identifier, with or without a domain before it."""
    parts = value.split("/")
    if len(parts) == 1:
        return identifier(value, path)
    if len(parts) > 2:
        return []
    domain, name = parts
    found = driver(domain, path) if domain else _empty("domain", path)
    return found + (identifier(name, path) if name else _empty("name", path))


def _empty(what: str, path: Path) -> checks.Errors:
    return [FieldError.invalid(path, "", f"the {what} must not be empty")]


def fully_qualified_name(value: str, path: Path) -> checks.Errors:
    found = qualified_name(value, path)
    if "/" not in value:
        text = "a fully qualified name must be a domain and a name separated by a slash"
        found.append(FieldError.invalid(path, value, text))
    return with_origin(found, _QUALIFIED)


# Taints and tolerations.


def _label_value(value: str, path: Path) -> checks.Errors:
    return checks.invalid(path, value, names.is_valid_label_value(value))


def taint(value: Object, old: Object | None, path: Path) -> checks.Errors:
    # upstream: validateDeviceTaint
    found = checks.qualified(value.get("key") or "", path.child("key"))
    if value.get("value"):
        found += _label_value(value["value"], path.child("value"))
    if old is None or old.get("effect") != value.get("effect"):
        found += by_declaration(checks.chosen(value, path, "effect", _EFFECTS))
    return found


def tolerations(values: Sequence[Object], path: Path) -> checks.Errors:
    found = []
    for position, value in enumerate(values):
        found += _toleration(value, path.index(position))
    return found


def _toleration(value: Object, path: Path) -> checks.Errors:
    # upstream: validateDeviceToleration
    found = []
    if value.get("key"):
        found += by_declaration(checks.qualified(value["key"], path.child("key")), _KEY)
    operator, given, where = (
        value.get("operator") or "",
        value.get("value") or "",
        path.child("value"),
    )
    if operator == "Exists":
        if given:
            text = "must be empty for operator `Exists`"
            found.append(FieldError.invalid(where, given, text))
    elif operator == "Equal":
        found += _label_value(given, where)
    else:
        found += by_declaration(checks.chosen(value, path, "operator", _OPERATORS))
    if value.get("effect"):
        found += by_declaration(checks.chosen(value, path, "effect", _EFFECTS))
    return found


# Binding conditions.

_BINDING, _FAILURE = "bindingConditions", "bindingFailureConditions"


def binding(owner: Object, path: Path) -> checks.Errors:
    # upstream: validateDeviceBindingParameters
    conditions, failures = owner.get(_BINDING) or [], owner.get(_FAILURE) or []
    found = sized(conditions, MAX_CONDITIONS, path.child(_BINDING), checks.qualified)
    found += sized(failures, MAX_CONDITIONS, path.child(_FAILURE), checks.qualified)
    found += _repeated(conditions, path.child(_BINDING), ())
    found += _repeated(failures, path.child(_FAILURE), conditions)
    for one, values, other, others in (
        (_BINDING, conditions, _FAILURE, failures),
        (_FAILURE, failures, _BINDING, conditions),
    ):
        if others and not values:
            text = f"{one} are required to use {other}"
            found.append(FieldError.invalid(path.child(one), owner.get(one), text))
    return found


def _repeated(values: Sequence[str], path: Path, others: Sequence[str]) -> checks.Errors:
    found = []
    for position, value in enumerate(values):
        if value in values[:position]:
            found.append(FieldError.duplicate(path.index(position), value))
        if value in others:
            text = f"{_FAILURE} must not overlap with {_BINDING}"
            found.append(FieldError.invalid(path.index(position), value, text))
    return found


def skipped(owner: Object, path: Path) -> checks.Errors:
    # upstream: validateSkipNodeOperations
    values = owner.get("skipNodeOperations") or []
    if "NodePrepareResources" not in values or {"NodeUnprepareResources", "*"} & set(values):
        return []
    text = "NodePrepareResources cannot be skipped unless NodeUnprepareResources is also skipped"
    return [FieldError.invalid(path.child("skipNodeOperations"), values, text)]
