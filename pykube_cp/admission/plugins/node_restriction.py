"""A kubelet changes only its own node and the pods on it."""
# upstream: plugin/pkg/admission/noderestriction/admission.go

from collections.abc import Iterator

from pykube_cp.admission.base import BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo

_PODS = GVR("", "v1", "pods")
_PREFIX = "system:node:"
_MIRROR = "kubernetes.io/config.mirror"
_LEASES = "kube-node-lease"
_LABEL_PREFIXES = ("kubelet.kubernetes.io/", "node.kubernetes.io/")
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


class NodeRestriction(BasePlugin):
    """Looks only at requests of nodes."""

    name = "NodeRestriction"
    operations = frozenset({Operation.CREATE, Operation.UPDATE, Operation.DELETE})
    resources = frozenset(
        {
            ("", "pods"),
            ("", "nodes"),
            ("", "serviceaccounts"),
            ("coordination.k8s.io", "leases"),
            ("storage.k8s.io", "csinodes"),
        }
    )

    async def validate(self, attributes: Attributes) -> None:
        node = _node_of(attributes.user)
        if node is None:
            return
        if not node:
            text = f'could not determine node from user "{attributes.user.name}"'
            raise forbidden(attributes, text)
        resource = attributes.resource.resource
        if resource == "pods":
            await self._pod(attributes, node)
        elif resource == "nodes":
            _check_node(attributes, node)
        elif resource == "leases":
            _check_own(
                attributes, node, 'can only access leases in the "kube-node-lease" namespace'
            )
        elif resource == "csinodes" and _name(attributes) != node:
            raise forbidden(attributes, f'is not allowed to modify CSINode "{_name(attributes)}"')

    async def _pod(self, attributes: Attributes, node: str) -> None:
        if attributes.subresource == "eviction":
            await self._evict(attributes, node)
        elif attributes.subresource == "status":
            _check_status(attributes, node)
        elif attributes.subresource:
            text = f'unexpected pod subresource "{attributes.subresource}"'
            raise forbidden(attributes, text)
        elif attributes.operation is Operation.CREATE:
            _check_mirror(attributes, node)
        elif attributes.operation is Operation.DELETE:
            spec = (attributes.old_object or {}).get("spec") or {}
            if spec.get("nodeName") != node:
                text = f'node "{node}" can only delete pods with spec.nodeName set to itself'
                raise forbidden(attributes, text)
        else:
            raise forbidden(attributes, "unexpected operation")

    async def _evict(self, attributes: Attributes, node: str) -> None:
        try:
            pod = await self.services.client.get(_PODS, attributes.name, attributes.namespace)
        except errors.StatusError as error:
            if errors.is_not_found(error):
                return
            raise
        if pod["spec"].get("nodeName") != node:
            text = f'node "{node}" can only evict pods with spec.nodeName set to itself'
            raise forbidden(attributes, text)


def _node_of(user: UserInfo) -> str | None:
    """None for users that are no nodes, empty for nodes without a name."""
    if "system:nodes" not in user.groups:
        return None
    return user.name[len(_PREFIX) :] if user.name.startswith(_PREFIX) else ""


def _name(attributes: Attributes) -> str:
    meta = ((attributes.object or attributes.old_object) or {}).get("metadata") or {}
    return attributes.name or meta.get("name", "")


def _check_own(attributes: Attributes, node: str, text: str) -> None:
    if attributes.namespace != _LEASES:
        raise forbidden(attributes, text)
    if _name(attributes) != node:
        text = "can only access node lease with the same name as the requesting node"
        raise forbidden(attributes, text)


def _check_status(attributes: Attributes, node: str) -> None:
    spec = (attributes.old_object or attributes.object or {}).get("spec") or {}
    if spec.get("nodeName") != node:
        text = f'node "{node}" can only update pod status for pods with spec.nodeName set to itself'  # noqa: S608 - prose
        raise forbidden(attributes, text)
    old = ((attributes.old_object or {}).get("metadata") or {}).get("labels") or {}
    new = ((attributes.object or {}).get("metadata") or {}).get("labels") or {}
    if old != new:
        raise forbidden(attributes, f'node "{node}" cannot update labels through pod status')


def _check_mirror(attributes: Attributes, node: str) -> None:
    pod = attributes.object or {}
    if _MIRROR not in (pod["metadata"].get("annotations") or {}):
        text = (
            f'pod does not have "{_MIRROR}" annotation, node "{node}" can only create mirror pods'
        )
        raise forbidden(attributes, text)
    spec = pod["spec"]
    if spec.get("nodeName") != node:
        text = f'node "{node}" can only create pods with spec.nodeName set to itself'
        raise forbidden(attributes, text)
    if spec.get("serviceAccountName"):
        text = f'node "{node}" can not create pods that reference a service account'
        raise forbidden(attributes, text)
    if _refers_to_secrets(spec):
        raise forbidden(
            attributes, f'node "{node}" can not create pods that reference secrets or configmaps'
        )


def _refers_to_secrets(spec: Object) -> bool:
    kinds = {"secret", "configMap", "persistentVolumeClaim", "projected"}
    return any(kinds & volume.keys() for volume in spec.get("volumes") or [])


def _check_node(attributes: Attributes, node: str) -> None:
    name = _name(attributes)
    if name != node:
        raise forbidden(attributes, f'node "{node}" is not allowed to modify node "{name}"')
    obj, old = attributes.object, attributes.old_object
    if obj is None:
        return
    if attributes.operation is Operation.CREATE:
        bad = sorted(_forbidden_labels(obj["metadata"].get("labels") or {}, {}))
        if bad:
            text = f"is not allowed to set the following labels: {', '.join(bad)}"
            raise forbidden(attributes, text)
        return
    if old is None or attributes.subresource:
        return
    if (obj.get("spec") or {}).get("taints") != (old.get("spec") or {}).get("taints"):
        raise forbidden(attributes, f'node "{node}" is not allowed to modify taints')
    labels, before = obj["metadata"].get("labels") or {}, old["metadata"].get("labels") or {}
    bad = sorted(_forbidden_labels(labels, before))
    if bad:
        text = f"is not allowed to modify labels: {', '.join(bad)}"
        raise forbidden(attributes, text)


def _forbidden_labels(labels: dict[str, str], before: dict[str, str]) -> Iterator[str]:
    for key in labels.keys() | before.keys():
        if labels.get(key) == before.get(key):
            continue
        domain = key.partition("/")[0] if "/" in key else ""
        kubernetes = any(
            domain == each or domain.endswith(f".{each}") for each in ("kubernetes.io", "k8s.io")
        )
        restricted = domain == "node-restriction.kubernetes.io" or domain.endswith(
            ".node-restriction.kubernetes.io"
        )
        allowed = key in _LABELS or key.startswith(_LABEL_PREFIXES)
        if restricted or (kubernetes and not allowed):
            yield key
