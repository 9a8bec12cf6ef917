"""Rows of internal.apiserver.k8s.io."""

from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import apiserverinternal as columns
from pykube_cp.resources.shared.spec_and_status import VersionedStatusStrategy
from pykube_cp.resources.strategies import cluster

STORAGE_VERSION = Resource(
    group="internal.apiserver.k8s.io",
    version="v1alpha1",
    kind="StorageVersion",
    plural="storageversions",
    singular="storageversion",
    namespaced=False,
    subresources=(status(VersionedStatusStrategy()),),
    columns=columns.STORAGE_VERSION,
    strategy=cluster.StorageVersionStrategy(),
    storage_version_hash="c8YZt5U0nPk=",
    served_by_default=False,
)

RESOURCES = (STORAGE_VERSION,)
