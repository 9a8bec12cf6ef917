"""Rows of node.k8s.io."""

from pykube_cp.registry.resource import Resource
from pykube_cp.resources.columns import node as columns
from pykube_cp.resources.strategies import cluster

RUNTIME_CLASS = Resource(
    group="node.k8s.io",
    version="v1",
    kind="RuntimeClass",
    plural="runtimeclasses",
    singular="runtimeclass",
    namespaced=False,
    columns=columns.RUNTIME_CLASS,
    strategy=cluster.RuntimeClassStrategy(),
    storage_version_hash="WQTu1GL3T2Q=",
)

RESOURCES = (RUNTIME_CLASS,)
