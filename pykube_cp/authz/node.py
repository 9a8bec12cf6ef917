"""What a kubelet may do: the node rules, and reading only what its own pods refer to."""
# upstream: plugin/pkg/auth/authorizer/node/node_authorizer.go

from collections.abc import Iterator

from pykube_cp.authz.bootstrap import node_rules
from pykube_cp.authz.interface import Attributes, Decision, Rules
from pykube_cp.authz.rbac import allows
from pykube_cp.client.informer import Informers
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object, namespace
from pykube_cp.machinery.user import UserInfo

PODS = GVR("", "v1", "pods")
CLAIMS = GVR("", "v1", "persistentvolumeclaims")
ATTACHMENTS = GVR("storage.k8s.io", "v1", "volumeattachments")
_PREFIX = "system:node:"
_NODES = "system:nodes"
_BY_NODE = "authz-node"
_READ = frozenset({"get", "list", "watch"})
_REFERENCED = frozenset({"secrets", "configmaps", "persistentvolumeclaims", "persistentvolumes"})


def node_name(user: UserInfo) -> str:
    """The node that a user is, empty when he is none."""
    if user.name.startswith(_PREFIX) and _NODES in user.groups:
        return user.name[len(_PREFIX) :]
    return ""


class NodeAuthorizer:
    """Has an opinion only on nodes."""

    name = "node"

    def __init__(self, informers: Informers) -> None:
        self._rules = node_rules()
        self._pods = informers.of(PODS)
        self._pods.add_index(_BY_NODE, _node_of)
        self._claims = informers.of(CLAIMS)
        self._attachments = informers.of(ATTACHMENTS)

    async def authorize(self, attributes: Attributes) -> tuple[Decision, str]:
        node = node_name(attributes.user)
        if not node:
            return Decision.NO_OPINION, ""
        if attributes.is_resource:
            special = self._special(node, attributes)
            if special is not None:
                return special
        if any(allows(rule, attributes, clusterwide=True) for rule in self._rules):
            return Decision.ALLOW, ""
        return Decision.NO_OPINION, ""

    def _special(self, node: str, attributes: Attributes) -> tuple[Decision, str] | None:
        """Resources of which a node may see only its own."""
        resource, group = attributes.resource, attributes.group
        if not group and resource in _REFERENCED and not attributes.subresource:
            return self._referenced(node, attributes)
        if (group, resource) == ("", "serviceaccounts") and attributes.subresource == "token":
            return self._token(node, attributes)
        if (group, resource) == ("coordination.k8s.io", "leases"):
            own = attributes.namespace == "kube-node-lease" and (
                attributes.verb == "create" or attributes.name == node
            )
            return _verdict(
                own, "can only access node lease with the same name as the requesting node"
            )
        if (group, resource) == ("storage.k8s.io", "csinodes"):
            own = attributes.verb == "create" or attributes.name == node
            return _verdict(
                own, "can only access CSINode with the same name as the requesting node"
            )
        if (group, resource) == ("storage.k8s.io", "volumeattachments"):
            return self._attachment(node, attributes)
        return None

    def _referenced(self, node: str, attributes: Attributes) -> tuple[Decision, str] | None:
        if attributes.verb not in _READ:
            return None
        if not attributes.name:
            return Decision.NO_OPINION, "No Object name found"
        found = any(
            attributes.name in names
            for pod in self._pods.lister.by_index(_BY_NODE, node)
            if attributes.resource == "persistentvolumes" or namespace(pod) == attributes.namespace
            for names in (self._references(pod, attributes.resource),)
        )
        return _verdict(found, f"no relationship found between node '{node}' and this object")

    def _references(self, pod: Object, resource: str) -> set[str]:
        if resource == "persistentvolumes":
            return {
                claim["spec"].get("volumeName", "")
                for name in _claims(pod)
                if (claim := self._claims.lister.named(name, namespace(pod))) is not None
            }
        if resource == "persistentvolumeclaims":
            return set(_claims(pod))
        return set(_names(pod, resource))

    def _token(self, node: str, attributes: Attributes) -> tuple[Decision, str]:
        if attributes.verb != "create":
            return Decision.NO_OPINION, "can only create tokens for individual service accounts"
        found = any(
            namespace(pod) == attributes.namespace
            and pod["spec"].get("serviceAccountName") == attributes.name
            for pod in self._pods.lister.by_index(_BY_NODE, node)
        )
        return _verdict(found, f"no relationship found between node '{node}' and this object")

    def _attachment(self, node: str, attributes: Attributes) -> tuple[Decision, str] | None:
        if attributes.verb != "get":
            return None
        found = self._attachments.lister.get(attributes.name)
        own = found is not None and found["spec"].get("nodeName") == node
        return _verdict(own, f"no relationship found between node '{node}' and this object")

    async def rules_for(self, user: UserInfo, namespace: str) -> Rules:
        del namespace
        if not node_name(user):
            return Rules()
        return Rules(incomplete=True, error="node authorizer does not support user rule resolution")


def _verdict(own: bool, reason: str) -> tuple[Decision, str]:  # noqa: FBT001 - the verdict itself
    return (Decision.ALLOW, "") if own else (Decision.NO_OPINION, reason)


def _node_of(pod: Object) -> tuple[str, ...]:
    node = pod["spec"].get("nodeName")
    return (node,) if node else ()


def _claims(pod: Object) -> Iterator[str]:
    for volume in pod["spec"].get("volumes") or []:
        if claim := volume.get("persistentVolumeClaim"):
            yield claim["claimName"]
        elif volume.get("ephemeral"):
            yield f"{pod['metadata']['name']}-{volume['name']}"


def _names(pod: Object, resource: str) -> Iterator[str]:
    """Secrets or configmaps of a pod."""
    spec = pod["spec"]
    kind, reference = (
        ("secret", "secretRef") if resource == "secrets" else ("configMap", "configMapRef")
    )
    key = f"{kind}KeyRef"
    if resource == "secrets":
        for pull in spec.get("imagePullSecrets") or []:
            yield pull.get("name", "")
    for container in _containers(spec):
        for source in container.get("envFrom") or []:
            yield (source.get(reference) or {}).get("name", "")
        for variable in container.get("env") or []:
            yield ((variable.get("valueFrom") or {}).get(key) or {}).get("name", "")
    for volume in spec.get("volumes") or []:
        yield from _volume_names(volume, kind)


def _volume_names(volume: Object, kind: str) -> Iterator[str]:
    source = volume.get(kind) or {}
    yield source.get("secretName") or source.get("name") or ""
    for part in (volume.get("projected") or {}).get("sources") or []:
        yield (part.get(kind) or {}).get("name", "")
    if kind == "secret":
        for driver in ("csi", "cephfs", "rbd", "flexVolume", "iscsi", "scaleIO", "storageos"):
            found = volume.get(driver) or {}
            for field in ("nodePublishSecretRef", "secretRef"):
                yield (found.get(field) or {}).get("name", "")


def _containers(spec: Object) -> Iterator[Object]:
    for field in ("containers", "initContainers", "ephemeralContainers"):
        yield from spec.get(field) or []
