"""Selectors of nodes."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

_NO_OPERATOR = "not a valid selector operator"


def check(selector: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateNodeSelector
    where = path.child("nodeSelectorTerms")
    terms = selector.get("nodeSelectorTerms") or []
    if not terms:
        return [FieldError.required(where, "must have at least one node selector term")]
    found = []
    for position, term in enumerate(terms):
        found += check_term(term, where.index(position), values=True)
    return found


def check_term(term: Object, path: Path, *, values: bool) -> checks.Errors:
    """Whether ``values`` are labels matters only where the term is required."""
    found = []
    for position, expression in enumerate(term.get("matchExpressions") or ()):
        where = path.child("matchExpressions").index(position)
        found += _expression(expression, where, values=values)
    for position, field in enumerate(term.get("matchFields") or ()):
        found += _field(field, path.child("matchFields").index(position))
    return found


def _expression(expression: Object, path: Path, *, values: bool) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateNodeSelectorRequirement
    given = expression.get("values") or []
    operator = expression.get("operator") or ""
    where = path.child("values")
    found = []
    if operator in {"In", "NotIn"}:
        if not given:
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            found.append(FieldError.required(where, text))
    elif operator in {"Exists", "DoesNotExist"}:
        if given:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            found.append(FieldError.forbidden(where, text))
    elif operator in {"Gt", "Lt"}:
        if len(given) != 1:
            text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            found.append(FieldError.required(where, text))
    else:
        found.append(FieldError.invalid(path.child("operator"), operator, _NO_OPERATOR))
    found += checks.qualified(expression.get("key") or "", path.child("key"))
    for position, value in enumerate(given if values else ()):
        found += checks.invalid(where.index(position), value, names.is_valid_label_value(value))
    return found


def _field(requirement: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateNodeFieldSelectorRequirement
    given = requirement.get("values") or []
    operator, key = requirement.get("operator") or "", requirement.get("key") or ""
    where = path.child("values")
    found = []
    if operator not in {"In", "NotIn"}:
        found.append(FieldError.invalid(path.child("operator"), operator, _NO_OPERATOR))
    elif len(given) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        found.append(FieldError.required(where, text))
    if key != "metadata.name":
        text = "not a valid field selector key"
        return [*found, FieldError.invalid(path.child("key"), key, text)]
    for position, value in enumerate(given):
        found += checks.subdomain(value, where.index(position))
    return found
