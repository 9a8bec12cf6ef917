"""Rows of lifecycle.k8s.io."""

from pykube_cp.machinery.gvk import GVK
from pykube_cp.registry.resource import STATUS_VERBS, Resource, Subresource
from pykube_cp.resources.columns import lifecycle as columns
from pykube_cp.resources.strategies import lifecycle

EVICTION_REQUEST = Resource(
    group="lifecycle.k8s.io",
    version="v1alpha1",
    kind="EvictionRequest",
    plural="evictionrequests",
    singular="evictionrequest",
    subresources=(
        Subresource(
            name="status",
            kind=GVK("lifecycle.k8s.io", "v1alpha1", "EvictionRequest"),
            verbs=STATUS_VERBS,
            strategy=lifecycle.RequestStatusStrategy(),
        ),
    ),
    columns=columns.EVICTION_REQUEST,
    strategy=lifecycle.EvictionStrategy(),
    storage_version_hash="0sGDWzI0u0Q=",
    served_by_default=False,
)

EVICTION = Resource(
    group="lifecycle.k8s.io",
    version="v1alpha1",
    kind="Eviction",
    plural="evictions",
    singular="eviction",
    subresources=(
        Subresource(
            name="status",
            kind=GVK("lifecycle.k8s.io", "v1alpha1", "Eviction"),
            verbs=STATUS_VERBS,
            strategy=lifecycle.EvictionStatusStrategy(),
        ),
    ),
    columns=columns.EVICTION,
    strategy=lifecycle.EvictionStrategy(),
    storage_version_hash="Un48RuLRFt0=",
    served_by_default=False,
)

RESOURCES = (
    EVICTION_REQUEST,
    EVICTION,
)
