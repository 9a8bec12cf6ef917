"""Which requests a webhook or a policy is about."""
# upstream: pkg/apis/admissionregistration/validation/validation.go validateRuleWithOperations

from collections.abc import Sequence

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SCOPES = ("*", "Cluster", "Namespaced")
_MAX_CONDITIONS = 64


def check(rule: Object, path: Path) -> checks.Errors:
    operations = rule.get("operations") or []
    found = checks.members(rule, path, "operations", "operations")
    for position, operation in enumerate(operations):
        where = path.child("operations").index(position)
        found += checks.supported(operation, where, _OPERATIONS)
    found += checks.members(rule, path, "apiGroups", "API groups")
    found += checks.members(rule, path, "apiVersions", "API versions")
    for position, version in enumerate(rule.get("apiVersions") or ()):
        if not version:
            found.append(FieldError.required(path.child("apiVersions").index(position)))
    found += _resources(rule.get("resources") or [], path.child("resources"))
    return found + checks.optional(rule, path, "scope", _SCOPES)


def _resources(resources: Sequence[str], path: Path) -> checks.Errors:
    """``a/b`` is the subresource b of a; stars stand for all."""
    found = [] if resources else [FieldError.required(path)]
    whole: set[str] = set()
    anywhere: set[str] = set()
    plain = False
    for position, resource in enumerate(resources):
        where = path.index(position)
        if not resource:
            found.append(FieldError.required(where))
            continue
        owner, slash, part = resource.partition("/")
        if not slash:
            plain = resource != "*"
            continue
        if owner in whole:
            text = f"if '{owner}/*' is present, must not specify {resource}"
            found.append(FieldError.invalid(where, resource, text))
        if part in anywhere:
            text = f"if '*/{part}' is present, must not specify {resource}"
            found.append(FieldError.invalid(where, resource, text))
        whole |= {owner} if part == "*" else set()
        anywhere |= {part} if owner == "*" else set()
    if len(resources) > 1 and "*/*" in resources:
        text = "if '*/*' is present, must not specify other resources"
        found.append(FieldError.invalid(path, list(resources), text))
    if "*" in resources and plain:
        text = "if '*' is present, must not specify other resources without subresources"
        found.append(FieldError.invalid(path, list(resources), text))
    return found


def check_named(rule: Object, path: Path) -> checks.Errors:
    """A rule that may be about objects of certain names only."""
    given = rule.get("resourceNames") or []
    found = []
    for position, name in enumerate(given):
        where = path.child("resourceNames").index(position)
        found += checks.invalid(where, name, names.is_path_segment_name(name))
        if name in given[:position]:
            found.append(FieldError.duplicate(where, name))
    return found + check(rule, path)


def check_conditions(conditions: Sequence[Object], path: Path) -> checks.Errors:
    """Expressions themselves are not judged."""
    found = []
    if len(conditions) > _MAX_CONDITIONS:
        found.append(FieldError.too_many(path, len(conditions), _MAX_CONDITIONS))
    seen: set[str] = set()
    for position, condition in enumerate(conditions):
        where, name = path.index(position), condition.get("name") or ""
        if not (condition.get("expression") or "").strip():
            found.append(FieldError.required(where.child("expression")))
        if not name:
            found.append(FieldError.required(where.child("name")))
            continue
        found += checks.qualified(name, where.child("name"))
        if name in seen:
            found.append(FieldError.duplicate(where.child("name"), name))
        seen.add(name)
    return found
