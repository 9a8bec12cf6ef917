"""What a kubelet may do: the node rules, and of some resources only what leads to its own node."""
# upstream: plugin/pkg/auth/authorizer/node/node_authorizer.go NodeAuthorizer

from collections.abc import Callable

from pykube_cp.authz.bootstrap import node_rules
from pykube_cp.authz.interface import Attributes, Decision, Rules
from pykube_cp.authz.node_graph import Graph, Vertex
from pykube_cp.authz.rbac import allows
from pykube_cp.machinery import errors, selectors
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.user import UserInfo

Verdict = tuple[Decision, str]
_PREFIX = "system:node:"
_NODES = "system:nodes"
_LEASES = "kube-node-lease"
_ALLOWED: Verdict = (Decision.ALLOW, "")
_NO_OPINION: Verdict = (Decision.NO_OPINION, "")
_READ = frozenset({"get", "list", "watch"})
_CHANGE = frozenset({"update", "patch"})
_OWN = frozenset({"get", "create", "update", "patch", "delete"})


def is_node(user: UserInfo) -> bool:
    # upstream: pkg/auth/nodeidentifier/default.go defaultNodeIdentifier.NodeIdentity
    return user.name.startswith(_PREFIX) and _NODES in user.groups


class NodeAuthorizer:
    """Has an opinion only on nodes."""

    name = "node"

    def __init__(self, graph: Graph) -> None:
        self._rules = node_rules()
        self._graph = graph
        self._special: dict[tuple[str, str], Callable[[str, Attributes], Verdict]] = {
            ("", "secrets"): self._namespaced,
            ("", "configmaps"): self._namespaced,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._single,
            ("", "serviceaccounts"): self._account,
            ("", "nodes"): self._node,
            ("", "pods"): self._pod,
            ("resource.k8s.io", "resourceclaims"): self._single,
            ("resource.k8s.io", "resourceslices"): self._slice,
            ("storage.k8s.io", "volumeattachments"): self._single,
            ("storage.k8s.io", "csinodes"): self._csi_node,
            ("coordination.k8s.io", "leases"): self._lease,
            ("certificates.k8s.io", "podcertificaterequests"): self._certificate_request,
        }

    async def authorize(self, attributes: Attributes) -> Verdict:
        user = attributes.user
        if not is_node(user):
            return _NO_OPINION
        node = user.name[len(_PREFIX) :]
        if not node:
            return _no(f"unknown node for user {quote(user.name)}")
        if attributes.is_resource:
            special = self._special.get((attributes.group, attributes.resource))
            if special is not None:
                return special(node, attributes)
        if any(allows(rule, attributes, clusterwide=True) for rule in self._rules):
            return _ALLOWED
        return _NO_OPINION

    async def rules_for(self, user: UserInfo, namespace: str) -> Rules:
        del namespace
        if not is_node(user):
            return Rules()
        return Rules(incomplete=True, error="node authorizer does not support user rule resolution")

    def _related(self, node: str, attributes: Attributes) -> Verdict:
        if not attributes.name:
            return _no("No Object name found")
        vertex = Vertex(attributes.resource, attributes.namespace, attributes.name)
        if self._graph.leads_to(node, vertex):
            return _ALLOWED
        return _no(f"no relationship found between node '{node}' and this object")

    def _single(self, node: str, attributes: Attributes) -> Verdict:
        if attributes.verb != "get":
            return _no("can only get individual resources of this type")
        if attributes.subresource:
            return _no("cannot get subresource")
        return self._related(node, attributes)

    def _namespaced(self, node: str, attributes: Attributes) -> Verdict:
        if attributes.verb not in _READ:
            return _no("can only read resources of this type")
        if attributes.subresource:
            return _no("cannot read subresource")
        if not attributes.namespace:
            return _no("can only read namespaced object of this type")
        return self._related(node, attributes)

    def _claim(self, node: str, attributes: Attributes) -> Verdict:
        if attributes.subresource != "status":
            return self._single(node, attributes)
        if attributes.verb not in _CHANGE:
            return _no("can only get/update/patch this type")
        return self._related(node, attributes)

    def _account(self, node: str, attributes: Attributes) -> Verdict:
        if attributes.verb == "get" and not attributes.subresource:
            return self._namespaced(node, attributes)
        if attributes.verb != "create" or not attributes.name:
            return _no("can only create tokens for individual service accounts")
        if attributes.subresource != "token":
            return _no("can only create token subresource of serviceaccount")
        return self._related(node, attributes)

    def _lease(self, node: str, attributes: Attributes) -> Verdict:
        if attributes.verb not in _OWN:
            return _no("can only get, create, update, patch, or delete a node lease")
        if attributes.namespace != _LEASES:
            return _no(f"can only access leases in the {quote(_LEASES)} system namespace")
        # Which name a new one has is NodeRestriction's business.
        if attributes.verb != "create" and attributes.name != node:
            return _no("can only access node lease with the same name as the requesting node")
        return _ALLOWED

    def _csi_node(self, node: str, attributes: Attributes) -> Verdict:
        if attributes.subresource == "status":
            return _no("CSINode status access requires CSIVolumeHealth feature")
        if attributes.subresource:
            return _no("cannot authorize CSINode subresources")
        if attributes.verb not in _OWN:
            return _no("can only get, create, update, patch, or delete a CSINode")
        if attributes.verb != "create" and attributes.name != node:
            return _no("can only access CSINode with the same name as the requesting node")
        return _ALLOWED

    def _slice(self, node: str, attributes: Attributes) -> Verdict:
        verb = attributes.verb
        if attributes.subresource:
            return _no("cannot authorize ResourceSlice subresources")
        if verb == "create":
            return _ALLOWED
        if verb in {"get", "update", "patch", "delete"}:
            return self._related(node, attributes)
        if verb not in {"watch", "list", "deletecollection"}:
            return _no(
                "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, "
                "update, patch, delete, deletecollection"
            )
        if _selects(attributes, "spec.nodeName", node):
            return _ALLOWED
        return _no(
            "can only list/watch/deletecollection resourceslices with nodeName field selector"
        )

    def _certificate_request(self, node: str, attributes: Attributes) -> Verdict:
        verb = attributes.verb
        if attributes.subresource:
            return _no("nodes may not access the status subresource of PodCertificateRequests")
        if verb == "create":
            return _ALLOWED
        if verb == "get":
            return self._related(node, attributes)
        if verb not in {"list", "watch"}:
            return _no(f"nodes may not {verb} podcertificaterequests")
        if _selects(attributes, "spec.nodeName", node):
            return _ALLOWED
        return _no("can only list/watch podcertificaterequests with nodeName field selector")

    def _node(self, node: str, attributes: Attributes) -> Verdict:
        """Which nodes it may change is NodeRestriction's business."""
        verb = attributes.verb
        if attributes.subresource == "status":
            return _ALLOWED if verb in _CHANGE else _NO_OPINION
        if attributes.subresource or verb not in _READ | _CHANGE | {"create"}:
            return _NO_OPINION
        if verb not in _READ or attributes.name == node:
            return _ALLOWED
        if not attributes.name:
            return _no(f"node '{node}' cannot read all nodes, only its own Node object")
        return _no(f"node '{node}' cannot read '{attributes.name}', only its own Node object")

    def _pod(self, node: str, attributes: Attributes) -> Verdict:
        """Which pods it may change is NodeRestriction's business."""
        sub, verb = attributes.subresource, attributes.verb
        if sub == "status":
            return _ALLOWED if verb in _CHANGE else _NO_OPINION
        if sub == "eviction":
            return _ALLOWED if verb == "create" else _NO_OPINION
        if sub:
            return _NO_OPINION
        if verb in {"create", "delete"}:
            return _ALLOWED
        if verb == "get":
            return self._single(node, attributes)
        if verb not in {"list", "watch"}:
            return _NO_OPINION
        if _selects(attributes, "spec.nodeName", node):
            return _ALLOWED
        if attributes.name:
            return self._related(node, attributes)
        return _no("can only list/watch pods with spec.nodeName field selector")


def _no(reason: str) -> Verdict:
    return Decision.NO_OPINION, reason


def _selects(attributes: Attributes, field: str, value: str) -> bool:
    """Whether the field selector asks for that value of a field, and so for nothing else."""
    try:
        selector = selectors.parse_field_selector(attributes.field_selector)
    except (ValueError, errors.StatusError):
        return False
    return any(term == (field, "=", value) for term in selector.terms)
