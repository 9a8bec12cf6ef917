"""Rows of rbac.authorization.k8s.io."""

from pykube_cp.registry.resource import Resource
from pykube_cp.resources.columns import rbac as columns
from pykube_cp.resources.strategies import rbac

CLUSTER_ROLE_BINDING = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="ClusterRoleBinding",
    plural="clusterrolebindings",
    singular="clusterrolebinding",
    namespaced=False,
    columns=columns.CLUSTER_ROLE_BINDING,
    strategy=rbac.BindingStrategy(),
    storage_version_hash="48tpQ8gZHFc=",
)

CLUSTER_ROLE = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="ClusterRole",
    plural="clusterroles",
    singular="clusterrole",
    namespaced=False,
    strategy=rbac.RoleStrategy(),
    storage_version_hash="bYE5ZWDrJ44=",
)

ROLE_BINDING = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="RoleBinding",
    plural="rolebindings",
    singular="rolebinding",
    columns=columns.ROLE_BINDING,
    strategy=rbac.BindingStrategy(),
    storage_version_hash="eGsCzGH6b1g=",
)

ROLE = Resource(
    group="rbac.authorization.k8s.io",
    version="v1",
    kind="Role",
    plural="roles",
    singular="role",
    strategy=rbac.RoleStrategy(),
    storage_version_hash="7FuwZcIIItM=",
)

RESOURCES = (
    CLUSTER_ROLE_BINDING,
    CLUSTER_ROLE,
    ROLE_BINDING,
    ROLE,
)
