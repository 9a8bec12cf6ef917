"""Which failures of pods a job minds."""
# upstream: pkg/apis/batch/validation/validation.go validatePodFailurePolicy

from pykube_cp.machinery.field_errors import OMITTED, FieldError, Path
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.resources.shared import checks

_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_MAX_RULES, _MAX_VALUES, _MAX_PATTERNS = 20, 255, 20


def check(spec: Object, path: Path) -> checks.Errors:
    rules, where = spec["podFailurePolicy"].get("rules") or [], path.child("rules")
    found = []
    if len(rules) > _MAX_RULES:
        found.append(FieldError.too_many(where, len(rules), _MAX_RULES))
    pod = nested(spec, "template", "spec") or {}
    names = {
        container.get("name")
        for field in ("containers", "initContainers")
        for container in pod.get(field) or ()
    }
    for position, rule in enumerate(rules):
        found += _rule(rule, spec, names, where.index(position))
    return found


def _must_be(value: str, path: Path, allowed: tuple[str, ...]) -> checks.Errors:
    if value:
        return checks.supported(value, path, allowed)
    shown = " ".join(f'"{one}"' for one in allowed)
    return [FieldError.required(path, f"valid values: [{shown}]")]


def _rule(rule: Object, spec: Object, names: set[str], path: Path) -> checks.Errors:
    action, where = rule.get("action") or "", path.child("action")
    found = _must_be(action, where, _ACTIONS)
    if action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
        text = "requires the backoffLimitPerIndex to be set"
        found.append(FieldError.invalid(where, action, text))
    codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or []
    if codes is not None:
        found += _exit_codes(codes, names, path.child("onExitCodes"))
    if conditions:
        found += _conditions(conditions, path.child("onPodConditions"))
    if codes is not None and conditions:
        text = "specifying both OnExitCodes and OnPodConditions is not supported"
        found.append(FieldError.invalid(path, OMITTED, text))
    if codes is None and not conditions:
        text = "specifying one of OnExitCodes and OnPodConditions is required"
        found.append(FieldError.invalid(path, OMITTED, text))
    return found


def _conditions(patterns: list[Object], path: Path) -> checks.Errors:
    found = []
    if len(patterns) > _MAX_PATTERNS:
        found.append(FieldError.too_many(path, len(patterns), _MAX_PATTERNS))
    for position, pattern in enumerate(patterns):
        where = path.index(position)
        found += checks.qualified(pattern.get("type") or "", where.child("type"))
        found += _must_be(pattern.get("status") or "", where.child("status"), _STATUSES)
    return found


def _exit_codes(codes: Object, names: set[str], path: Path) -> checks.Errors:
    operator = codes.get("operator") or ""
    found = _must_be(operator, path.child("operator"), _OPERATORS)
    name = codes.get("containerName")
    if name is not None and name not in names:
        text = "must be one of the container or initContainer names in the pod template"
        found.append(FieldError.invalid(path.child("containerName"), name, text))
    values, where = codes.get("values") or [], path.child("values")
    if not values:
        text = "at least one value is required"
        found.append(FieldError.invalid(where, codes.get("values"), text))
    elif len(values) > _MAX_VALUES:
        found.append(FieldError.too_many(where, len(values), _MAX_VALUES))
    seen: set[int] = set()
    for position, value in enumerate(values):
        if operator == "In" and value == 0:
            text = "must not be 0 for the In operator"
            found.append(FieldError.invalid(where.index(position), value, text))
        if value in seen:
            found.append(FieldError.duplicate(where.index(position), value))
        seen.add(value)
    if values != sorted(values):
        found.append(FieldError.invalid(where, values, "must be ordered"))
    return found
