"""Rows of discovery.k8s.io."""

from pykube_cp.registry.resource import Resource

ENDPOINT_SLICE = Resource(
    group="discovery.k8s.io",
    version="v1",
    kind="EndpointSlice",
    plural="endpointslices",
    singular="endpointslice",
    storage_version_hash="qgS0xkrxYAI=",
)

RESOURCES = (ENDPOINT_SLICE,)
