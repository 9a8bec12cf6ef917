"""Rows of rbac.authorization.k8s.io."""

from pykube_cp.registry.resource import Resource
from pykube_cp.resources.strategies.rbac import BindingStrategy, RoleStrategy

CLUSTER_ROLE_BINDING = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="ClusterRoleBinding",
    strategy=BindingStrategy(),
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    storage_version_hash="48tpQ8gZHFc=",
)

CLUSTER_ROLE = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="ClusterRole",
    strategy=RoleStrategy(),
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    storage_version_hash="bYE5ZWDrJ44=",
)

ROLE_BINDING = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="RoleBinding",
    strategy=BindingStrategy(),
    plural="rolebindings",
    singular="rolebinding",
    storage_version_hash="eGsCzGH6b1g=",
)

ROLE = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="Role",
    strategy=RoleStrategy(),
    plural="roles",
    singular="role",
    storage_version_hash="7FuwZcIIItM=",
)

RESOURCES = (
    CLUSTER_ROLE_BINDING,
    CLUSTER_ROLE,
    ROLE_BINDING,
    ROLE,
)
