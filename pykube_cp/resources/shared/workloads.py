"""What the kinds that run pods from a template have in common."""

from pykube_cp.machinery import selectors
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

_STATUS_COUNTS = "cannot be greater than status.replicas"


def check_selector(spec: Object, path: Path, kind: str) -> checks.Errors:
    """There is a selector and it selects something."""
    selector = spec.get("selector")
    if selector is None:
        return [FieldError.required(path.child("selector"))]
    if selector.get("matchLabels") or selector.get("matchExpressions"):
        return []
    text = f"empty selector is invalid for {kind}"
    return [FieldError.invalid(path.child("selector"), selector, text)]


def check_template(spec: Object, path: Path, kind: str) -> checks.Errors:
    """Its pods run for good and are selected; the rules of templates say the rest."""
    # upstream: pkg/apis/apps/validation/validation.go ValidatePodTemplateSpecForReplicaSet
    where = path.child("template")
    template, selector = spec.get("template") or {}, spec.get("selector")
    try:
        found = checks.matched(selectors.from_label_selector(selector), template, where)
    except selectors.SelectorError:
        found = _no_selector(selector, path.child("selector"), kind)
    return found + check_endless(template, where, kind)


def _no_selector(selector: Object | None, path: Path, kind: str) -> checks.Errors:
    """Besides what the rules of selectors say."""
    if kind == "DaemonSet":
        return []
    text = "" if kind == "StatefulSet" else "invalid label selector"
    return [FieldError.invalid(path, selector, text)]


def check_endless(template: Object, path: Path, kind: str) -> checks.Errors:
    pod = template.get("spec")
    if pod is None:
        return [] if template else [FieldError.required(path.child("spec", "containers"))]
    found = []
    restart = pod.get("restartPolicy") or ""
    if restart != "Always":
        where = path.child("spec", "restartPolicy")
        found.append(FieldError.not_supported(where, restart, ("Always",)))
    if pod.get("activeDeadlineSeconds") is not None:
        text = f"activeDeadlineSeconds in {kind} is not Supported"
        where = path.child("spec", "activeDeadlineSeconds")
        found.append(FieldError.forbidden(where, text))
    return found


def check_counts(
    status: Object, path: Path, parts: tuple[str, ...], others: tuple[str, ...] = ()
) -> checks.Errors:
    """Counts of replicas are not negative, and ``parts`` not more than all."""
    found = checks.nonnegative(status, path, "replicas", *parts, *others)
    total = status.get("replicas") or 0
    for field in parts:
        if (status.get(field) or 0) > total:
            found.append(FieldError.invalid(path.child(field), status[field], _STATUS_COUNTS))
    return found


def check_available(status: Object, path: Path, text: str) -> checks.Errors:
    """What is available is ready."""
    available = status.get("availableReplicas") or 0
    if available <= (status.get("readyReplicas") or 0):
        return []
    return [FieldError.invalid(path.child("availableReplicas"), available, text)]
