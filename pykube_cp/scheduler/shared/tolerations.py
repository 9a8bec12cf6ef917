"""Which taints a pod puts up with."""

# upstream: component-helpers scheduling/corev1/helpers.go, api core/v1/toleration.go ToleratesTaint

from collections.abc import Iterable, Sequence

from pykube_cp.machinery.objects import Object

HARD_EFFECTS = frozenset({"NoSchedule", "NoExecute"})
UNSCHEDULABLE_TAINT: Object = {
    "key": "node.kubernetes.io/unschedulable",
    "effect": "NoSchedule",
}


def tolerates(tolerations: Iterable[Object], taint: Object) -> bool:
    return any(_matches(toleration, taint) for toleration in tolerations)


def _matches(toleration: Object, taint: Object) -> bool:
    effect, key = toleration.get("effect"), toleration.get("key")
    if effect and effect != taint.get("effect"):
        return False
    if key and key != taint.get("key"):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Equal":
        return (toleration.get("value") or "") == (taint.get("value") or "")
    return bool(operator == "Exists")


def untolerated(taints: Iterable[Object], tolerations: Sequence[Object]) -> Object | None:
    """The first taint that keeps pods away and is not tolerated."""
    for taint in taints:
        if taint.get("effect") in HARD_EFFECTS and not tolerates(tolerations, taint):
            return taint
    return None
