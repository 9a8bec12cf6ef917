"""Label keys that selectors inside a pod take their values from."""
# upstream: pkg/registry/core/pod/strategy.go mutatePodAffinity

from collections.abc import Iterator

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object


def apply_label_keys(pod: Object) -> None:
    """Write the pod's own values of ``matchLabelKeys`` into its selectors."""
    spec, labels = pod["spec"], objects.labels(pod)
    for term in _affinity_terms(spec.get("affinity") or {}):
        _merge(term, labels, "matchLabelKeys", "In")
        _merge(term, labels, "mismatchLabelKeys", "NotIn")
    for constraint in spec.get("topologySpreadConstraints") or ():
        _merge(constraint, labels, "matchLabelKeys", "In")


def _affinity_terms(affinity: Object) -> Iterator[Object]:
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        for weighted in terms.get("preferredDuringSchedulingIgnoredDuringExecution") or ():
            yield weighted.get("podAffinityTerm") or {}
        yield from terms.get("requiredDuringSchedulingIgnoredDuringExecution") or ()


def _merge(owner: Object, labels: dict[str, str], field: str, operator: str) -> None:
    """A null selector matches nothing and stays as it is."""
    selector = owner.get("labelSelector")
    if selector is None:
        return
    added = [
        {"key": key, "operator": operator, "values": [labels[key]]}
        for key in owner.get(field) or ()
        if key in labels
    ]
    if added:
        selector["matchExpressions"] = [*(selector.get("matchExpressions") or ()), *added]
