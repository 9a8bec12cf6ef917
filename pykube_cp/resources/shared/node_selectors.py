"""Selectors of nodes."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, requirements


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
    are_numbers = expression.get("operator") in {"Gt", "Lt"}
    found = requirements.check_requirement(expression, path, any_operator=are_numbers)
    if are_numbers and len(expression.get("values") or ()) != 1:
        text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
        found.append(FieldError.required(path.child("values"), text))
    return found + requirements.check_label(expression, path, values=values)


def _field(requirement: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateNodeFieldSelectorRequirement
    given = requirement.get("values") or []
    operator, key = requirement.get("operator") or "", requirement.get("key") or ""
    where = path.child("values")
    found = []
    if operator not in {"In", "NotIn"}:
        found.append(FieldError.invalid(path.child("operator"), operator, requirements.UNKNOWN))
    elif len(given) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        found.append(FieldError.required(where, text))
    if key != "metadata.name":
        text = "not a valid field selector key"
        return [*found, FieldError.invalid(path.child("key"), key, text)]
    for position, value in enumerate(given):
        found += checks.subdomain(value, where.index(position))
    return found
