"""Label selectors, wherever they are."""
# upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidateLabelSelector

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."


_UNJUDGED = ("HorizontalPodAutoscaler",)
"""Kinds whose selectors are someone else's language."""


def _validate(selector: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    if ctx.kind.kind in _UNJUDGED:
        return []
    return checks.labels(selector.get("matchLabels") or {}, path.child("matchLabels"))


def _validate_requirement(expression: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    if ctx.kind.kind in _UNJUDGED:
        return []
    found = []
    values = expression.get("values") or []
    operator = expression.get("operator", "")
    where = path.child("values")
    if operator in {"In", "NotIn"}:
        if not values:
            text = "must be specified when `operator` is 'In' or 'NotIn'"
            found.append(FieldError.required(where, text))
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            found.append(FieldError.forbidden(where, text))
    else:
        text = "not a valid selector operator"
        found.append(FieldError.invalid(path.child("operator"), operator, text))
    found += checks.qualified(expression.get("key", ""), path.child("key"))
    for position, value in enumerate(values):
        found += checks.invalid(where.index(position), value, names.is_valid_label_value(value))
    return found


RULES = (
    TypeRule(type=f"{_META}LabelSelector", validate=_validate),
    TypeRule(type=f"{_META}LabelSelectorRequirement", validate=_validate_requirement),
)
