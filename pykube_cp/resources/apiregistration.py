"""Rows of apiregistration.k8s.io."""

from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import apiregistration as columns
from pykube_cp.resources.strategies import extensions

API_SERVICE = Resource(
    group="apiregistration.k8s.io",
    version="v1",
    kind="APIService",
    plural="apiservices",
    singular="apiservice",
    namespaced=False,
    categories=("api-extensions",),
    subresources=(status(extensions.APIServiceStatusStrategy(), has_table=False),),
    columns=columns.API_SERVICE,
    strategy=extensions.APIServiceStrategy(),
    declarations=None,
    storage_version_hash="InPBPD7+PqM=",
)

RESOURCES = (API_SERVICE,)
