"""Requirements of selectors."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks


def check_requirement(
    term: Object, path: Path, *, any_operator: bool = False, of_labels: bool = False
) -> checks.Errors:
    """``any_operator`` where newer clients may know operators that are not known here."""
    # upstream: apimachinery meta/v1/validation/validation.go ValidateLabelSelectorRequirement
    found: checks.Errors = []
    values, operator = term.get("values") or [], term.get("operator") or ""
    where = path.child("values")
    if operator in {"In", "NotIn"}:
        if not values:
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            found.append(FieldError.required(where, text))
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            found.append(FieldError.forbidden(where, text))
    elif not any_operator:
        text = "not a valid selector operator"
        found.append(FieldError.invalid(path.child("operator"), operator, text))
    if not of_labels:
        return found
    found += checks.qualified(term.get("key") or "", path.child("key"))
    for position, value in enumerate(values):
        found += checks.invalid(where.index(position), value, names.is_valid_label_value(value))
    return found
