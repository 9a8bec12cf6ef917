"""What admission policies have in common."""
# upstream: pkg/apis/admissionregistration/validation/validation.go

import re
from collections.abc import Sequence

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import admission_rules, checks

_IDENTIFIER = re.compile("[_a-zA-Z][_a-zA-Z0-9]*")
_RESERVED = frozenset(
    {
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for"),
        *("function", "if", "import", "let", "loop", "package", "namespace", "return", "var"),
        *("void", "while"),
    }
)
_MUTATED = ("*", "CONNECT", "CREATE", "UPDATE")
_EXCLUSIVE = "name and selector are mutually exclusive"


def check(spec: Object, path: Path) -> checks.Errors:
    """What comes before the requests that a policy is about."""
    found = _given(spec, path, "failurePolicy", ("Fail", "Ignore"))
    if (kind := spec.get("paramKind")) is not None:
        found += _param_kind(kind, path.child("paramKind"))
    if spec.get("matchConstraints") is None:
        found.append(FieldError.required(path.child("matchConstraints")))
    return found


def check_matched(spec: Object, path: Path, *, mutates: bool) -> checks.Errors:
    match, where = spec.get("matchConstraints"), path.child("matchConstraints")
    found = [] if match is None else checks.required(match, where, "resourceRules")
    if mutates:
        found += check_mutated(match, where)
    conditions = spec.get("matchConditions") or []
    found += admission_rules.check_conditions(conditions, path.child("matchConditions"))
    for position, variable in enumerate(spec.get("variables") or ()):
        found += _variable(variable, path.child("variables").index(position))
    return found


def _given(obj: Object, path: Path, field: str, allowed: Sequence[str]) -> checks.Errors:
    """As ``checks.chosen``, but what is there is given, even when it is empty."""
    if obj.get(field) is None:
        return [FieldError.required(path.child(field))]
    return checks.supported(obj[field], path.child(field), allowed)


def check_mutated(match: Object | None, path: Path) -> checks.Errors:
    """Deletes change nothing."""
    found: checks.Errors = []
    for rule in (match or {}).get("resourceRules") or ():
        for operation in rule.get("operations") or ():
            found += checks.supported(
                operation, path.child("resourceRules", "operations"), _MUTATED
            )
    return found


def _param_kind(kind: Object, path: Path) -> checks.Errors:
    # upstream: validateParamKind
    version, where = kind.get("apiVersion") or "", path.child("apiVersion")
    found = []
    if not version:
        found.append(FieldError.required(where))
    else:
        found += checks.group_version(version, where) or _version(version, where)
    name, where = kind.get("kind") or "", path.child("kind")
    if not name:
        return [*found, FieldError.required(where)]
    if wrong := names.is_dns1035_label(name.lower()):
        text = f"may have mixed case, but should otherwise match: {','.join(wrong)}"
        found.append(FieldError.invalid(where, name, text))
    return found


def _version(text: str, path: Path) -> checks.Errors:
    group, _, version = text.rpartition("/")
    found = []
    if group and (wrong := names.is_dns1123_subdomain(group)):
        found.append(FieldError.invalid(path, group, ",".join(wrong)))
    if not version:
        found.append(FieldError.invalid(path, text, "version must be specified"))
    elif wrong := names.is_dns1035_label(version):
        found.append(FieldError.invalid(path, version, ",".join(wrong)))
    return found


def check_match(match: Object, path: Path) -> checks.Errors:
    # upstream: validateMatchResources
    found = _given(match, path, "matchPolicy", ("Equivalent", "Exact"))
    for field in ("namespaceSelector", "objectSelector"):
        if match.get(field) is None:
            found.append(FieldError.required(path.child(field)))
    return found


def check_rules(match: Object, path: Path) -> checks.Errors:
    found = []
    for field in ("resourceRules", "excludeResourceRules"):
        for position, rule in enumerate(match.get(field) or ()):
            found += admission_rules.check_named(rule, path.child(field).index(position))
    return found


def _variable(variable: Object, path: Path) -> checks.Errors:
    # upstream: validateVariable
    name, where = variable.get("name") or "", path.child("name")
    found = []
    if not name.strip():
        found.append(FieldError.required(where, "name is not specified"))
    elif not _IDENTIFIER.fullmatch(name) or name in _RESERVED:
        found.append(FieldError.invalid(where, name, "must be a valid CEL identifier"))
    if not (variable.get("expression") or "").strip():
        text = "expression is not specified"
        found.append(FieldError.required(path.child("expression"), text))
    return found


def check_param_name(reference: Object, path: Path) -> checks.Errors:
    # upstream: validateParamRef
    found = checks.named(reference, path, "name", names.is_path_segment_name)
    if reference.get("name") and reference.get("selector") is not None:
        found.append(FieldError.forbidden(path.child("name"), _EXCLUSIVE))
    return found


def check_param_ref(reference: Object, path: Path) -> checks.Errors:
    name, selector = reference.get("name"), reference.get("selector")
    found = []
    if name and selector is not None:
        found.append(FieldError.forbidden(path.child("selector"), _EXCLUSIVE))
    if not name and selector is None:
        found.append(FieldError.required(path, "one of name or selector must be specified"))
    return found + checks.chosen(reference, path, "parameterNotFoundAction", ("Deny", "Allow"))
