"""Pods of DaemonSets: where they belong, and templates bound to one node."""

# upstream: pkg/controller/daemon/util/daemonset_util.go

from collections.abc import Iterable

from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.node_fit import has_untolerated_taint, matches_affinity
from pykube_cp.controllers.shared.templates import int_or_percent
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object

HASH_LABEL = "controller-revision-hash"
GENERATION_LABEL = "pod-template-generation"
GENERATION_ANNOTATION = "deprecated.daemonset.template.generation"
_NODE_NAME_FIELD = "metadata.name"
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_TOLERATED_ON_HOST_NETWORK = ("node.kubernetes.io/network-unavailable", "NoSchedule")


def tolerations(spec: Object) -> list[Object]:
    """Tolerations of a pod spec with those that all daemons have."""
    found: list[Object] = list(spec.get("tolerations") or [])
    wanted = [*_TOLERATED, *([_TOLERATED_ON_HOST_NETWORK] if spec.get("hostNetwork") else [])]
    for key, effect in wanted:
        toleration = {"key": key, "operator": "Exists", "effect": effect}
        for index, existing in enumerate(found):
            if {k: v for k, v in existing.items() if k != "tolerationSeconds" and v} == toleration:
                found[index] = toleration
                break
        else:
            found.append(toleration)
    return found


def should_run(node: Object, daemon_set: Object) -> tuple[bool, bool]:
    """Whether a daemon should start on the node, and whether one there may stay."""
    # upstream: pkg/controller/daemon/daemon_controller.go nodeShouldRunDaemonPod
    spec = daemon_set["spec"]["template"]["spec"]
    if spec.get("nodeName") not in {None, "", objects.name(node)}:
        return False, False
    if not matches_affinity(spec, node):
        return False, False
    tolerated = tolerations(spec)
    if not has_untolerated_taint(node, tolerated, ("NoExecute", "NoSchedule")):
        return True, True
    return False, not has_untolerated_taint(node, tolerated, ("NoExecute",))


def pod_template(daemon_set: Object, hash_text: str) -> Object:
    """The template with the tolerations of daemons and the label of its revision."""
    template: Object = objects.deep_copy(daemon_set["spec"]["template"])
    template["spec"]["tolerations"] = tolerations(template["spec"])
    labels = dict(objects.labels(template))
    generation = template_generation(daemon_set)
    if generation is not None:
        labels[GENERATION_LABEL] = generation
    if hash_text:
        labels[HASH_LABEL] = hash_text
    template.setdefault("metadata", {})["labels"] = labels
    return template


def template_generation(daemon_set: Object) -> str | None:
    text = objects.annotations(daemon_set).get(GENERATION_ANNOTATION)
    try:
        return str(int(text)) if text is not None else None
    except ValueError:
        return None


def bound_to(template: Object, node_name: str) -> Object:
    """A copy of a template that the scheduler can place only on this node."""
    # upstream: daemonset_util.go ReplaceDaemonSetPodNodeNameNodeAffinity
    copy: Object = objects.deep_copy(template)
    requirement = {"key": _NODE_NAME_FIELD, "operator": "In", "values": [node_name]}
    affinity = copy["spec"].get("affinity") or {}
    node_affinity = affinity.get("nodeAffinity") or {}
    node_affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {
        "nodeSelectorTerms": [{"matchFields": [requirement]}]
    }
    copy["spec"]["affinity"] = {**affinity, "nodeAffinity": node_affinity}
    return copy


def target_node(pod: Object) -> str:
    """The node a daemon runs on or is bound to; empty if it says neither."""
    # upstream: daemonset_util.go GetTargetNodeName
    if pod_state.node_name(pod):
        return pod_state.node_name(pod)
    terms = objects.nested(
        pod,
        "spec",
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
        default=[],
    )
    for term in terms:
        for requirement in term.get("matchFields") or []:
            if requirement["key"] == _NODE_NAME_FIELD and requirement["operator"] == "In":
                values: list[str] = requirement.get("values") or []
                return values[0] if len(values) == 1 else ""
    return ""


def is_updated(pod: Object, hash_text: str, generation: str | None) -> bool:
    """Whether a daemon has the current template."""
    labels = objects.labels(pod)
    if generation is not None and labels.get(GENERATION_LABEL) == generation:
        return True
    return bool(hash_text) and labels.get(HASH_LABEL) == hash_text


def _rolling_update(daemon_set: Object) -> Object | None:
    strategy = daemon_set["spec"].get("updateStrategy") or {}
    found: Object | None = strategy.get("rollingUpdate")
    return found if strategy.get("type") == "RollingUpdate" else None


def max_surge(daemon_set: Object, desired: int) -> int:
    rolling = _rolling_update(daemon_set)
    if rolling is None or rolling.get("maxSurge") is None:
        return 0
    return int_or_percent(rolling["maxSurge"], desired, round_up=True)


def max_unavailable(daemon_set: Object, desired: int) -> int:
    rolling = _rolling_update(daemon_set)
    if rolling is None or rolling.get("maxUnavailable") is None:
        return 0
    return int_or_percent(rolling["maxUnavailable"], desired, round_up=True)


def by_placement(pod: Object) -> tuple[bool, float, str]:
    """Sort key: pods on a node first, then the oldest."""
    return (not pod_state.node_name(pod), *pod_state.by_age(pod))


def by_node(pods: Iterable[Object]) -> dict[str, list[Object]]:
    """Daemons by the node they belong to."""
    found: dict[str, list[Object]] = {}
    for pod in pods:
        node = target_node(pod)
        if node:
            found.setdefault(node, []).append(pod)
    return found
