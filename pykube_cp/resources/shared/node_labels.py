"""Labels of nodes that nobody should use any more."""
# upstream: pkg/api/node/util.go deprecatedNodeLabels

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object

DEPRECATED = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": (
        "deprecated since v1.22; use Taints and Tolerations instead"
    ),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}


def warnings_for_term(term: Object, path: Path, *, check_values: bool) -> list[str]:
    """Warnings about a node selector term."""
    # upstream: pkg/api/node/util.go GetWarningsForNodeSelectorTerm
    found = []
    for position, expression in enumerate(term.get("matchExpressions") or ()):
        where = path.child("matchExpressions").index(position)
        key = expression.get("key", "")
        if key in DEPRECATED:
            found.append(f"{where.child('key')}: {key} is {DEPRECATED[key]}")
        for index, value in enumerate(expression.get("values") or () if check_values else ()):
            for text in names.is_valid_label_value(value):
                found.append(f"{where.child('values').index(index)}: {value} is invalid, {text}")
    return found


def warnings_for_selector(selector: Object | None, path: Path) -> list[str]:
    """Warnings about a label selector over nodes."""
    # upstream: pkg/api/node/util.go GetWarningsForNodeSelector
    found = warnings_for_term(selector or {}, path, check_values=False)
    for key in (selector or {}).get("matchLabels") or ():
        if key in DEPRECATED:
            found.append(f"{path.child('matchLabels').child(key)}: {DEPRECATED[key]}")
    return found
