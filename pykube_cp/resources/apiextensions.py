"""Rows of apiextensions.k8s.io."""

from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import apiextensions as columns
from pykube_cp.resources.strategies import extensions

CUSTOM_RESOURCE_DEFINITION = Resource(
    group="apiextensions.k8s.io",
    version="v1",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    singular="customresourcedefinition",
    namespaced=False,
    short_names=(
        "crd",
        "crds",
    ),
    categories=("api-extensions",),
    subresources=(status(extensions.CustomResourceDefinitionStatusStrategy(), has_table=False),),
    columns=columns.CUSTOM_RESOURCE_DEFINITION,
    null_rows=True,
    strategy=extensions.CustomResourceDefinitionStrategy(),
    declarations=None,
    storage_version_hash="jfWCUB31mvA=",
)

RESOURCES = (CUSTOM_RESOURCE_DEFINITION,)
