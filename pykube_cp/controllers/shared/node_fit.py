"""Whether a node is one that a pod may run on: node selector, node affinity, taints."""

# upstream: component-helpers scheduling/corev1/nodeaffinity/nodeaffinity.go,
# api core/v1/toleration.go

from collections.abc import Iterable, Mapping

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object


def matches_affinity(spec: Object, node: Object) -> bool:
    """Whether a node meets ``nodeSelector`` and required node affinity of a pod's spec."""
    selector: Mapping[str, str] = spec.get("nodeSelector") or {}
    if not selector.items() <= objects.labels(node).items():
        return False
    required = objects.nested(
        spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"
    )
    if required is None:
        return True
    return any(_matches_term(term, node) for term in required.get("nodeSelectorTerms") or [])


def _matches_term(term: Object, node: Object) -> bool:
    expressions = term.get("matchExpressions") or []
    fields = term.get("matchFields") or []
    if not expressions and not fields:
        return False
    labels = objects.labels(node)
    return all(_matches(requirement, labels) for requirement in expressions) and all(
        _matches(requirement, {"metadata.name": objects.name(node)}) for requirement in fields
    )


def _matches(requirement: Object, values: Mapping[str, str]) -> bool:
    value = values.get(requirement["key"])
    wanted: list[str] = requirement.get("values") or []
    match requirement["operator"]:
        case "In":
            return value in wanted
        case "NotIn":
            return value not in wanted
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(value, wanted, operator)
        case _:
            return False


def _compares(value: str | None, wanted: list[str], operator: str) -> bool:
    try:
        one, other = int(value or ""), int(wanted[0])
    except (ValueError, IndexError):
        return False
    return one > other if operator == "Gt" else one < other


def tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    if toleration.get("key") and toleration["key"] != taint.get("key"):
        return False
    match toleration.get("operator") or "Equal":
        case "Equal":
            return (toleration.get("value") or "") == (taint.get("value") or "")
        case "Exists":
            return True
        case _:
            return False


def has_untolerated_taint(
    node: Object, tolerations: Iterable[Object], effects: Iterable[str]
) -> bool:
    """Whether a taint with one of ``effects`` keeps pods with these tolerations away."""
    counted = [
        taint
        for taint in objects.nested(node, "spec", "taints", default=[])
        if taint.get("effect") in effects
    ]
    known = list(tolerations)
    return any(not any(tolerates(found, taint) for found in known) for taint in counted)
