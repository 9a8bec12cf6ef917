"""Label selectors, wherever they are."""
# upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidateLabelSelector

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks
from pykube_cp.resources.shared.requirements import check_requirement

_META = "io.k8s.apimachinery.pkg.apis.meta.v1."


_UNJUDGED = ("HorizontalPodAutoscaler",)
"""Kinds whose selectors are someone else's language."""


def _is_judged(path: Path, ctx: RuleContext) -> bool:
    """The claims of a StatefulSet never change, so they are judged once."""
    if ctx.kind.kind == "StatefulSet" and ctx.old is not None:
        return ".volumeClaimTemplates" not in str(path)
    return ctx.kind.kind not in _UNJUDGED


def _validate(selector: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    if not _is_judged(path, ctx):
        return []
    return checks.labels(selector.get("matchLabels") or {}, path.child("matchLabels"))


def _validate_requirement(expression: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    if not _is_judged(path, ctx):
        return []
    return check_requirement(expression, path, of_labels=True)


RULES = (
    TypeRule(type=f"{_META}LabelSelector", validate=_validate),
    TypeRule(type=f"{_META}LabelSelectorRequirement", validate=_validate_requirement),
)
