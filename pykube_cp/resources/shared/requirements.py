"""Requirements of selectors."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

UNKNOWN = "not a valid selector operator"
_OPERATORS = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})


def check_requirement(
    term: Object, path: Path, *, any_operator: bool = False, of_labels: bool = False
) -> checks.Errors:
    """``any_operator`` where newer clients may know operators that are not known here."""
    # upstream: apimachinery meta/v1/validation/validation.go ValidateLabelSelectorRequirement
    operator = term.get("operator") or ""
    found = check_values(term, path)
    if operator not in _OPERATORS and not any_operator:
        found.append(FieldError.invalid(path.child("operator"), operator, UNKNOWN))
    return found + check_label(term, path) if of_labels else found


def check_values(term: Object, path: Path) -> checks.Errors:
    """Whether there are values, where the operator says that there must be some or none."""
    values, operator = term.get("values") or [], term.get("operator") or ""
    if operator in {"In", "NotIn"} and not values:
        text = "must be specified when `operator` is 'In' or 'NotIn'"
        return [FieldError.required(path.child("values"), text)]
    if operator in {"Exists", "DoesNotExist"} and values:
        text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return [FieldError.forbidden(path.child("values"), text)]
    return []


def check_label(term: Object, path: Path, *, values: bool = True) -> checks.Errors:
    """Key and ``values`` of a requirement on labels."""
    found = checks.qualified(term.get("key") or "", path.child("key"))
    for position, value in enumerate((term.get("values") or ()) if values else ()):
        where = path.child("values").index(position)
        found += checks.invalid(where, value, names.is_valid_label_value(value))
    return found
