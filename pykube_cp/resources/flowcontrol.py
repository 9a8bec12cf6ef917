"""Rows of flowcontrol.apiserver.k8s.io."""

from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import flowcontrol as columns
from pykube_cp.resources.shared.spec_and_status import KeptMetaStatusStrategy
from pykube_cp.resources.strategies import cluster

FLOW_SCHEMA = Resource(
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    kind="FlowSchema",
    plural="flowschemas",
    singular="flowschema",
    namespaced=False,
    subresources=(status(KeptMetaStatusStrategy()),),
    columns=columns.FLOW_SCHEMA,
    finish_rows=columns.in_order_of_matching,
    strategy=cluster.FlowSchemaStrategy(),
    storage_version_hash="GJVAJZSZBIw=",
)

PRIORITY_LEVEL_CONFIGURATION = Resource(
    group="flowcontrol.apiserver.k8s.io",
    version="v1",
    kind="PriorityLevelConfiguration",
    plural="prioritylevelconfigurations",
    singular="prioritylevelconfiguration",
    namespaced=False,
    subresources=(status(KeptMetaStatusStrategy()),),
    columns=columns.PRIORITY_LEVEL_CONFIGURATION,
    strategy=cluster.FlowSchemaStrategy(),
    storage_version_hash="Kir5PVfvNeI=",
)

RESOURCES = (
    FLOW_SCHEMA,
    PRIORITY_LEVEL_CONFIGURATION,
)
