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
    found = _given(spec, path, "failurePolicy", ("Fail", "Ignore"))
    if (kind := spec.get("paramKind")) is not None:
        found += _param_kind(kind, path.child("paramKind"))
    match, where = spec.get("matchConstraints"), path.child("matchConstraints")
    if match is None:
        found.append(FieldError.required(where))
    else:
        found += _match(match, where) + checks.required(match, where, "resourceRules")
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
    elif version.count("/") > 1:
        text = f"unexpected GroupVersion string: {version}"
        found.append(FieldError.invalid(where, version, text))
    else:
        found += _version(version, where)
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


def _match(match: Object, path: Path) -> checks.Errors:
    # upstream: validateMatchResources
    found = _given(match, path, "matchPolicy", ("Equivalent", "Exact"))
    for field in ("namespaceSelector", "objectSelector"):
        if match.get(field) is None:
            found.append(FieldError.required(path.child(field)))
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


def check_binding(spec: Object, path: Path) -> checks.Errors:
    found = checks.must_name(spec, path, "policyName")
    if (reference := spec.get("paramRef")) is not None:
        found += _param_ref(reference, path.child("paramRef"))
    if (match := spec.get("matchResources")) is not None:
        found += _match(match, path.child("matchResources"))
    return found


def _param_ref(reference: Object, path: Path) -> checks.Errors:
    # upstream: validateParamRef
    name, selector = reference.get("name"), reference.get("selector")
    found = checks.named(reference, path, "name", names.is_path_segment_name)
    if name and selector is not None:
        found += [FieldError.forbidden(path.child(f), _EXCLUSIVE) for f in ("name", "selector")]
    if not name and selector is None:
        found.append(FieldError.required(path, "one of name or selector must be specified"))
    return found + checks.chosen(reference, path, "parameterNotFoundAction", ("Deny", "Allow"))
