"""Rows of discovery.k8s.io."""

from pykube_cp.registry.resource import Resource
from pykube_cp.resources.columns import discovery as columns
from pykube_cp.resources.strategies import cluster

ENDPOINT_SLICE = Resource(
    group="discovery.k8s.io",
    version="v1",
    kind="EndpointSlice",
    plural="endpointslices",
    singular="endpointslice",
    columns=columns.ENDPOINT_SLICE,
    strategy=cluster.EndpointSliceStrategy(),
    storage_version_hash="qgS0xkrxYAI=",
)

RESOURCES = (ENDPOINT_SLICE,)
