"""Rows of lifecycle.k8s.io."""

from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import lifecycle as columns
from pykube_cp.resources.strategies import lifecycle

EVICTION_REQUEST = Resource(
    group="lifecycle.k8s.io",
    version="v1alpha1",
    kind="EvictionRequest",
    plural="evictionrequests",
    singular="evictionrequest",
    subresources=(status(lifecycle.RequestStatusStrategy()),),
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
    subresources=(status(lifecycle.EvictionStatusStrategy()),),
    columns=columns.EVICTION,
    strategy=lifecycle.EvictionStrategy(),
    storage_version_hash="Un48RuLRFt0=",
    served_by_default=False,
)

RESOURCES = (
    EVICTION_REQUEST,
    EVICTION,
)
