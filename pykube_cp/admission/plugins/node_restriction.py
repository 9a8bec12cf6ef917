"""A kubelet changes only its own node, the pods on it, and what it needs for them."""
# upstream: plugin/pkg/admission/noderestriction/admission.go

import base64
import binascii
import difflib
import json
from collections.abc import Awaitable, Callable

from pykube_cp.admission.base import BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.admission.node_requests import NodeRequests, owner_of
from pykube_cp.authz import references
from pykube_cp.authz.node import is_node
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object, annotations, labels, nested
from pykube_cp.pki.certificates import PKIError
from pykube_cp.pki.requests import parse_csr

_PREFIX = "system:node:"
_MIRROR = "kubernetes.io/config.mirror"
_LEASES = "kube-node-lease"
_OWN_DOMAINS = ("kubelet.kubernetes.io", "node.kubernetes.io")
_RESTRICTED = "node-restriction.kubernetes.io"
_LABELS = frozenset(
    {
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
_FIXED_STATUS = (
    ("resourceClaimStatuses", "resource claim statues"),
    ("extendedResourceClaimStatus", "extended resource claim status"),
    ("nodeAllocatableResourceClaimStatuses", "node allocatable resource claim statuses"),
)
_CLAIM_STATUS = ("capacity", "conditions", "allocatedResourceStatuses", "allocatedResources")
_KUBELET_SIGNERS = frozenset(
    {"kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet"}
)

_Check = Callable[[Attributes, str], Awaitable[None]]


class NodeRestriction(BasePlugin):
    """Looks only at requests of nodes, and before anything is validated."""

    name = "NodeRestriction"
    operations = frozenset({Operation.CREATE, Operation.UPDATE, Operation.DELETE})

    def __init__(self) -> None:
        self._checks: dict[tuple[str, str], _Check] = {
            ("", "pods"): self._pod,
            ("", "nodes"): _node,
            ("", "persistentvolumeclaims"): _claim,
            ("", "serviceaccounts"): self._account,
            ("certificates.k8s.io", "certificatesigningrequests"): _signing_request,
            ("certificates.k8s.io", "podcertificaterequests"): self._pod_certificate,
            ("coordination.k8s.io", "leases"): _lease,
            ("resource.k8s.io", "resourceslices"): _slice,
            ("storage.k8s.io", "csinodes"): _csi_node,
        }
        self.resources = frozenset(self._checks)

    async def admit(self, attributes: Attributes) -> None:
        if not is_node(attributes.user):
            return
        node = attributes.user.name[len(_PREFIX) :]
        if not node:
            text = f"could not determine node from user {quote(attributes.user.name)}"
            raise forbidden(attributes, text)
        await self._checks[attributes.resource.group, attributes.resource.resource](
            attributes, node
        )

    async def _pod(self, attributes: Attributes, node: str) -> None:
        if attributes.subresource == "status":
            _pod_status(attributes, node)
        elif attributes.subresource == "eviction":
            await self._own_pod(attributes, node, f"node {node} can only evict")
        elif attributes.subresource:
            text = f"unexpected pod subresource {quote(attributes.subresource)}"
            raise forbidden(attributes, f"{text}, only 'status' and 'eviction' are allowed")
        elif attributes.operation is Operation.CREATE:
            await self._mirror(attributes, node)
        elif attributes.operation is Operation.DELETE:
            await self._own_pod(attributes, node, f"node {quote(node)} can only delete")
        else:
            text = f"unexpected operation {quote(attributes.operation)}, node {quote(node)}"
            raise forbidden(attributes, f"{text} can only create and delete mirror pods")

    async def _own_pod(self, attributes: Attributes, node: str, text: str) -> None:
        name = attributes.name or _own_name(attributes)
        pod = await NodeRequests(self.services, attributes, node).find("pods", name)
        if pod["spec"].get("nodeName") != node:
            raise forbidden(attributes, f"{text} pods with spec.nodeName set to itself")

    async def _mirror(self, attributes: Attributes, node: str) -> None:
        pod = attributes.object or {}
        who, can = f"node {quote(node)}", f"node {quote(node)} can only create"
        if _MIRROR not in annotations(pod):
            text = f"pod does not have {quote(_MIRROR)} annotation, {can} mirror pods"
            raise forbidden(attributes, text)
        if pod["spec"].get("nodeName") != node:
            raise forbidden(attributes, f"{can} pods with spec.nodeName set to itself")
        if reason := owner_of(pod, node):
            raise forbidden(attributes, f"{who} {reason}")
        owner = pod["metadata"]["ownerReferences"][0]
        found = await NodeRequests(self.services, attributes, node).find("nodes", node)
        uid, given = found["metadata"]["uid"], owner.get("uid", "")
        if uid != given:
            raise forbidden(attributes, f"node {node} UID mismatch: expected {given} got {uid}")
        error, what = references.of_mirror(pod)
        if error:
            text = f"error checking mirror pod for API references: {error}"
            raise forbidden(attributes, text)
        if what:
            raise forbidden(attributes, f"{who} can not create pods that reference {what}")

    async def _account(self, attributes: Attributes, node: str) -> None:
        if attributes.operation is Operation.CREATE and attributes.subresource == "token":
            await NodeRequests(self.services, attributes, node).token()

    async def _pod_certificate(self, attributes: Attributes, node: str) -> None:
        if attributes.operation is not Operation.CREATE:
            raise forbidden(attributes, f"unexpected operation {attributes.operation}")
        if attributes.subresource:
            raise forbidden(attributes, f"unexpected subresource {attributes.subresource}")
        await NodeRequests(self.services, attributes, node).pod_certificate()


def _own_name(attributes: Attributes) -> str:
    name: str = (attributes.object or {})["metadata"].get("name", "")
    if not name:
        raise forbidden(attributes, "could not determine pod from request data")
    return name


def _unexpected(attributes: Attributes) -> Exception:
    return forbidden(attributes, f"unexpected operation {quote(attributes.operation)}")


def _pod_status(attributes: Attributes, node: str) -> None:
    if attributes.operation is not Operation.UPDATE:
        raise _unexpected(attributes)
    old, obj = attributes.old_object or {}, attributes.object or {}
    who = f"node {quote(node)}"
    if nested(old, "spec", "nodeName") != node:
        text = "can only update pod status for pods with spec.nodeName set to itself"
        raise forbidden(attributes, f"{who} {text}")
    if labels(old) != labels(obj):
        raise forbidden(attributes, f"{who} cannot update labels through pod status")
    for field, what in _FIXED_STATUS:
        if (nested(old, "status", field) or None) != (nested(obj, "status", field) or None):
            raise forbidden(attributes, f"{who} cannot update {what}")


async def _claim(attributes: Attributes, node: str) -> None:
    if attributes.subresource != "status":
        raise forbidden(attributes, "may only update PVC status")
    if attributes.operation is not Operation.UPDATE:
        raise _unexpected(attributes)
    old, new = _unchanging(attributes.old_object or {}), _unchanging(attributes.object or {})
    if old != new:
        text = "is not allowed to update fields other than status.quantity and status.conditions"
        raise forbidden(attributes, f"node {quote(node)} {text}: {_difference(old, new)}")


def _unchanging(claim: Object) -> Object:
    """A claim without what nodes may change, or cannot help."""
    meta = {**claim["metadata"]}
    for field in ("resourceVersion", "managedFields"):
        meta.pop(field, None)
    rest = {
        field: value
        for field, value in (claim.get("status") or {}).items()
        if field not in _CLAIM_STATUS
    }
    return {**claim, "metadata": meta, "status": rest}


def _difference(old: Object, new: Object) -> str:
    # upstream: apimachinery pkg/util/diff/diff.go Diff
    before, after = (json.dumps(each, indent=1).splitlines(keepends=True) for each in (old, new))
    return "".join(list(difflib.unified_diff(before, after))[2:])


async def _node(attributes: Attributes, node: str) -> None:
    who, obj, old = f"node {quote(node)}", attributes.object or {}, attributes.old_object or {}
    name = attributes.name or nested(obj, "metadata", "name") or ""
    if name != node:
        raise forbidden(attributes, f"{who} is not allowed to modify node {quote(name)}")
    if attributes.operation is Operation.CREATE:
        if nested(obj, "spec", "configSource") is not None:
            text = f"{who} is not allowed to create pods with a non-nil configSource"
            raise forbidden(attributes, text)
        if bad := _forbidden_labels(labels(obj), {}):
            text = f"{who} is not allowed to set the following labels: {', '.join(bad)}"
            raise forbidden(attributes, text)
    if attributes.operation is Operation.UPDATE:
        _node_update(attributes, who, obj, old)


def _node_update(attributes: Attributes, who: str, obj: Object, old: Object) -> None:
    source = nested(obj, "spec", "configSource")
    if source is not None and source != nested(old, "spec", "configSource"):
        text = f"{who} is not allowed to update configSource to a new non-nil configSource"
        raise forbidden(attributes, text)
    for path in (("spec", "taints"), ("metadata", "ownerReferences")):
        if (nested(obj, *path) or None) != (nested(old, *path) or None):
            raise forbidden(attributes, f"{who} is not allowed to modify {path[1]}")
    if bad := _forbidden_labels(labels(obj), labels(old)):
        raise forbidden(attributes, f"is not allowed to modify labels: {', '.join(bad)}")


def _forbidden_labels(new: dict[str, str], before: dict[str, str]) -> list[str]:
    changed = {key for key in new.keys() | before.keys() if new.get(key) != before.get(key)}
    return sorted(key for key in changed if _is_forbidden(key))


def _is_forbidden(label: str) -> bool:
    # upstream: kubelet pkg/apis/well_known_labels.go IsKubeletLabel
    domain = label.partition("/")[0] if "/" in label else ""
    if _within(domain, _RESTRICTED):
        return True
    if not (_within(domain, "kubernetes.io") or _within(domain, "k8s.io")):
        return False
    return label not in _LABELS and not any(_within(domain, own) for own in _OWN_DOMAINS)


def _within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


def _named(attributes: Attributes) -> str:
    """The object's own name on creation, else that in the path."""
    if attributes.operation is not Operation.CREATE:
        return attributes.name
    name: str = nested(attributes.object or {}, "metadata", "name") or ""
    return name


async def _lease(attributes: Attributes, node: str) -> None:
    if attributes.namespace != _LEASES:
        text = f"can only access leases in the {quote(_LEASES)} system namespace"
        raise forbidden(attributes, text)
    if _named(attributes) != node:
        text = "can only access node lease with the same name as the requesting node"
        raise forbidden(attributes, text)


async def _csi_node(attributes: Attributes, node: str) -> None:
    if _named(attributes) != node:
        text = "can only access CSINode with the same name as the requesting node"
        raise forbidden(attributes, text)
    if attributes.subresource == "status":
        raise forbidden(attributes, "CSIVolumeHealth feature gate is disabled")


async def _slice(attributes: Attributes, node: str) -> None:
    if attributes.operation is Operation.UPDATE:
        return  # The node authorizer has judged it.
    what = "create" if attributes.operation is Operation.CREATE else "delete"
    found = attributes.object if attributes.operation is Operation.CREATE else attributes.old_object
    if nested(found or {}, "spec", "nodeName") != node:
        text = f"can only {what} ResourceSlice with the same NodeName as the requesting node"
        raise forbidden(attributes, text)


async def _signing_request(attributes: Attributes, node: str) -> None:
    spec = (attributes.object or {}).get("spec") or {}
    if (
        attributes.operation is not Operation.CREATE
        or spec.get("signerName") not in _KUBELET_SIGNERS
    ):
        return
    try:
        request = parse_csr(base64.b64decode(spec.get("request") or ""))
    except (PKIError, binascii.Error) as error:
        raise forbidden(attributes, f"unable to parse csr: {error}") from error
    if request.common_name != f"{_PREFIX}{node}":
        raise forbidden(attributes, f"can only create a node CSR with CN={_PREFIX}{node}")
