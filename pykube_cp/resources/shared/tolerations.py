"""Taints and what tolerates them."""

from collections.abc import Sequence

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks
from pykube_cp.resources.shared.go_names import internal

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
_OPERATORS = ("Equal", "Exists")
_COMPARISONS = ("Lt", "Gt")


def check(tolerations: Sequence[Object], path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateTolerations
    found = []
    for position, toleration in enumerate(tolerations):
        found += _check(toleration, path.index(position))
    return found


def _check(toleration: Object, path: Path) -> checks.Errors:
    key, operator = toleration.get("key") or "", toleration.get("operator") or ""
    effect = toleration.get("effect") or ""
    found = checks.qualified(key, path.child("key")) if key else []
    if not key and operator != "Exists":
        text = (
            "operator must be Exists when `key` is empty, which means "
            '"match all values and all keys"'
        )
        found.append(FieldError.invalid(path.child("operator"), operator, text))
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        text = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        found.append(FieldError.invalid(path.child("effect"), effect, text))
    found += _operator(operator, toleration.get("value") or "", path.child("operator"))
    return found + (checks.supported(effect, path.child("effect"), EFFECTS) if effect else [])


def _operator(operator: str, value: str, path: Path) -> checks.Errors:
    if operator in {"Equal", ""}:
        wrong = names.is_valid_label_value(value)
        return [FieldError.invalid(path, value, ";".join(wrong))] if wrong else []
    if operator == "Exists":
        text = "value must be empty when `operator` is 'Exists'"
        return [FieldError.invalid(path, value, text)] if value else []
    known = _OPERATORS + _COMPARISONS if operator in _COMPARISONS else _OPERATORS
    return [FieldError.not_supported(path, operator, known)]


def check_taints(taints: Sequence[Object], path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go validateNodeTaints
    found = []
    seen: set[tuple[str, str]] = set()
    for position, taint in enumerate(taints):
        where = path.index(position)
        key, effect = taint.get("key") or "", taint.get("effect") or ""
        found += checks.qualified(key, where.child("key"))
        value = taint.get("value") or ""
        if wrong := names.is_valid_label_value(value):
            found.append(FieldError.invalid(where.child("value"), value, ";".join(wrong)))
        found += checks.chosen(taint, where, "effect", EFFECTS)
        if (key, effect) in seen:
            error = FieldError.duplicate(where, internal(taint, "io.k8s.api.core.v1.Taint"))
            error.detail = "taints must be unique by key and effect pair"
            found.append(error)
        seen.add((key, effect))
    return found
