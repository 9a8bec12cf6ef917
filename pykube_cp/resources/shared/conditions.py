"""Conditions in a status."""

import re
from collections.abc import Sequence
from typing import Any

from pykube_cp.machinery import names, schema, structural
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

STATUSES = ("False", "True", "Unknown")
_MAX_REASON, _MAX_MESSAGE = 1024, 32 * 1024
_REASON = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?"
_REASON_TEXT = names.regex_error(
    "a condition reason must start with alphabetic character, optionally followed by a string of "
    "alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
    _REASON,
    "my_name",
    "MY_NAME",
    "MyName",
    "ReasonA,ReasonB",
    "ReasonA:ReasonB",
)
_is_reason = re.compile(_REASON).fullmatch


def check(conditions: Sequence[Object], path: Path) -> checks.Errors:
    # upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidateConditions
    found: checks.Errors = []
    seen = set()
    for position, condition in enumerate(conditions):
        where, kind = path.index(position), condition.get("type") or ""
        if kind in seen:
            found.append(FieldError.duplicate(where, kind))
        seen.add(kind)
        found += _condition(condition, where)
    return found


def shown(conditions: Sequence[Object]) -> list[Any] | None:
    """As texts show them."""
    kind = schema.type_named(f"{schema.META}Condition")
    return [structural.in_order(condition, kind) for condition in conditions] or None


def is_true(status: Object, kind: str) -> bool:
    """What the first condition of that type says."""
    listed = status.get("conditions") or ()
    said = [each.get("status") for each in listed if each.get("type") == kind]
    return said[:1] == ["True"]


def _condition(condition: Object, path: Path) -> checks.Errors:
    found = checks.required(condition, path, "type", detail="is required")
    found = found or checks.qualified(condition["type"], path.child("type"))
    found += checks.chosen(condition, path, "status", STATUSES)
    generation = condition.get("observedGeneration") or 0
    if generation < 0:
        text = "must be greater than or equal to zero"
        found.append(FieldError.invalid(path.child("observedGeneration"), generation, text))
    found += checks.required(condition, path, "lastTransitionTime", "reason")
    reason, message = condition.get("reason") or "", condition.get("message") or ""
    if reason and not _is_reason(reason):
        found.append(FieldError.invalid(path.child("reason"), reason, _REASON_TEXT))
    if checks.size(reason) > _MAX_REASON:
        found.append(FieldError.too_long(path.child("reason"), reason, _MAX_REASON))
    if checks.size(message) > _MAX_MESSAGE:
        found.append(FieldError.too_long(path.child("message"), message, _MAX_MESSAGE))
    return found
