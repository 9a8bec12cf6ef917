"""What the kinds that run pods from a template have in common."""

from typing import Any

from pykube_cp.machinery import schema, selectors, structural
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import Check, RuleContext
from pykube_cp.registry.validation import validate_immutable
from pykube_cp.resources.shared import checks, defaults

TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
"""The annotation of daemon sets that stands for a field of the internal type."""
_STATUS_COUNTS = "cannot be greater than status.replicas"


def rolling(**values: str | int) -> defaults.Default:
    """The default of an update strategy: a rolling update with these values."""

    def default(strategy: Object, _ctx: RuleContext) -> None:
        defaults.fill_zeros(strategy, {"type": "RollingUpdate"})
        if strategy["type"] == "RollingUpdate":
            strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
            defaults.fill(strategy["rollingUpdate"], values)

    return default


def selector_order(kind: str, text: str | None) -> tuple[str | Check, ...]:
    """What upstream judges of selector and template, in its order.

    Args:
        kind: which cannot have an empty selector.
        text: what is said of one that is wrong, besides what the rules of selectors say.
    """

    def check_selector(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
        selector, where = spec.get("selector"), path.child("selector")
        if selector is None:
            return []
        found = []
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            text_of_empty = f"empty selector is invalid for {kind}"
            found.append(FieldError.invalid(where, selector, text_of_empty))
        if text is not None and _is_wrong(selector):
            found.append(FieldError.invalid(where, shown_selector(selector), text))
        return found

    return "selector", check_selector, check_labels, "template"


def check_has_selector(spec: Object, path: Path) -> checks.Errors:
    return [FieldError.required(path.child("selector"))] if spec.get("selector") is None else []


def check_labels(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    """The template's pods are selected."""
    template = spec.get("template") or {}
    return checks.selects(spec.get("selector"), template, path.child("template"))


def shown_selector(selector: Object | None) -> Any:
    return structural.in_order(selector, schema.type_named(f"{schema.META}LabelSelector"))


def check_immutable_selector(obj: Object, _path: Path, ctx: RuleContext) -> checks.Errors:
    """As the rule of a kind, where upstream compares before it judges."""
    if ctx.old is None:
        return []
    now, before = (whole.get("spec") or {} for whole in (obj, ctx.old))
    where = Path("spec", "selector")
    return validate_immutable(now.get("selector"), before.get("selector"), where)


def _is_wrong(selector: Object) -> bool:
    try:
        selectors.from_label_selector(selector)
    except selectors.SelectorError:
        return True
    return False


def endless(kind: str) -> Check:
    """Its pods run for good; what else there is to say of the template has been said before."""
    # upstream: pkg/apis/apps/validation/validation.go ValidatePodTemplateSpecForReplicaSet

    def check(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
        template, where = spec.get("template") or {}, path.child("template", "spec")
        pod = template.get("spec") or {}
        found = []
        restart = pod.get("restartPolicy") or ""
        if restart != "Always":
            allowed = ("Always",)
            found.append(FieldError.not_supported(where.child("restartPolicy"), restart, allowed))
        if pod.get("activeDeadlineSeconds") is not None:
            text = f"activeDeadlineSeconds in {kind} is not Supported"
            found.append(FieldError.forbidden(where.child("activeDeadlineSeconds"), text))
        return found

    return check


def check_counts(
    status: Object, path: Path, parts: tuple[str, ...], others: tuple[str, ...] = ()
) -> checks.Errors:
    """Counts of replicas are not negative, and ``parts`` not more than all."""
    found = checks.nonnegative(status, path, "replicas", *parts, *others)
    total = status.get("replicas") or 0
    for field in parts:
        count = status.get(field) or 0
        if count > total:
            found.append(FieldError.invalid(path.child(field), count, _STATUS_COUNTS))
    return found


def check_available(
    status: Object, path: Path, text: str = "cannot be greater than readyReplicas"
) -> checks.Errors:
    """What is available is ready."""
    available = status.get("availableReplicas") or 0
    if available <= (status.get("readyReplicas") or 0):
        return []
    return [FieldError.invalid(path.child("availableReplicas"), available, text)]
