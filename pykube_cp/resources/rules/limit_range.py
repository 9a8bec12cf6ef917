"""Limit ranges."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, resource_names


def _default_item(item: Object, _ctx: RuleContext) -> None:
    """For containers: limits from the maximum, requests from limits and the minimum."""
    # upstream: pkg/apis/core/v1/defaults.go SetDefaults_LimitRangeItem
    if item.get("type") != "Container":
        return
    limits = {**(item.get("max") or {}), **(item.get("default") or {})}
    requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
    if limits:
        item["default"] = limits
    if requests:
        item["defaultRequest"] = requests


_TYPES = ("Pod", "Container", "PersistentVolumeClaim")
_FIELDS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
_MAX_MILLI = (2**63 - 1) // 1000


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateLimitRange
    found = []
    seen: set[str] = set()
    for position, item in enumerate(spec.get("limits") or ()):
        where, kind = path.child("limits").index(position), item.get("type") or ""
        found += _type(kind, where.child("type"))
        if kind in seen:
            found.append(FieldError.duplicate(where.child("type"), kind))
        seen.add(kind)
        found += _item(item, kind, where)
    return found


def _type(kind: str, path: Path) -> checks.Errors:
    found = checks.qualified(kind, path)
    if found or "/" in kind or kind in _TYPES:
        return found
    text = "must be a standard limit type or fully qualified"
    return [FieldError.invalid(path, kind, text)]


def _item(item: Object, kind: str, path: Path) -> checks.Errors:
    is_of_pods = kind in {"Pod", "Container"}
    check = resource_names.check_of_container if is_of_pods else resource_names.check
    found = []
    names: set[str] = set()
    for field in _FIELDS:
        amounts, where = item.get(field) or {}, path.child(field)
        if kind == "Pod" and field in {"default", "defaultRequest"}:
            if amounts:
                text = "may not be specified when `type` is 'Pod'"
                found.append(FieldError.forbidden(where, text))
            item = {name: value for name, value in item.items() if name != field}
            continue
        names |= amounts.keys()
        for name in sorted(amounts):
            found += check(name, where.key(name))
    if kind == "PersistentVolumeClaim":
        if not any("storage" in (item.get(field) or {}) for field in ("min", "max")):
            text = "either minimum or maximum storage value is required, but neither was provided"
            found.append(FieldError.required(path.child("limits"), text))
    for name in sorted(names):
        found += _amounts(item, name, path)
    return found


_ORDER = (
    ("min", "max", "min", "min", "min value {} is greater than max value {}"),
    (
        "min",
        "defaultRequest",
        "defaultRequest",
        "defaultRequest",
        "min value {} is greater than default request value {}",
    ),
    (
        "defaultRequest",
        "max",
        "defaultRequest",
        "defaultRequest",
        "default request value {} is greater than max value {}",
    ),
    (
        "defaultRequest",
        "default",
        "defaultRequest",
        "defaultRequest",
        "default request value {} is greater than default limit value {}",
    ),
    ("min", "default", "default", "min", "min value {} is greater than default value {}"),
    ("default", "max", "default", "max", "default value {} is greater than max value {}"),
)
"""What may not be more than what; the field of the error, the value it shows, and its text."""


def _amounts(item: Object, name: str, path: Path) -> checks.Errors:
    given: dict[str, Quantity] = {}
    for field in _FIELDS:
        amount = checks.quantity((item.get(field) or {}).get(name, "x"))
        if amount is not None:
            given[field] = amount
    found = []
    for less, more, field, shown, text in _ORDER:
        if less in given and more in given and given[less].cmp(given[more]) > 0:
            where = path.child(field).key(name)
            wrong = text.format(given[less], given[more])
            found.append(FieldError.invalid(where, str(given[shown]), wrong))
    found += _ratio(given, path.child("maxLimitRequestRatio").key(name))
    limit, request = given.get("default"), given.get("defaultRequest")
    if resource_names.allows_overcommit(name) or limit is None or request is None:
        return found
    if limit.cmp(request) != 0:
        text = f"default value {limit} must equal to defaultRequest value {request} in {name}"
        where = path.child("defaultRequest").key(name)
        found.append(FieldError.invalid(where, str(request), text))
    return found


def _ratio(given: dict[str, Quantity], path: Path) -> checks.Errors:
    ratio = given.get("maxLimitRequestRatio")
    if ratio is None:
        return []
    found = []
    if ratio.cmp_int(1) < 0:
        found.append(FieldError.invalid(path, str(ratio), f"ratio {ratio} is less than 1"))
    low, high = given.get("min"), given.get("max")
    if low is None or high is None or not low.value():
        return found
    limit = high.value() / low.value()
    if max(ratio.value(), low.value(), high.value()) < _MAX_MILLI:
        limit = high.milli_value() / low.milli_value()
    if ratio.as_float() > limit:
        text = f"ratio {ratio} is greater than max/min = {limit:f}"
        found.append(FieldError.invalid(path, str(ratio), text))
    return found


RULES = (
    TypeRule(type="io.k8s.api.core.v1.LimitRangeItem", default=_default_item),
    TypeRule(type="io.k8s.api.core.v1.LimitRangeSpec", validate=_validate_spec),
)
