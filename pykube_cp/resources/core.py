"""Rows of the core group, ``/api/v1``."""

from pykube_cp.machinery.gvk import GVK
from pykube_cp.registry.resource import (
    CREATE_ONLY,
    SCALE,
    STATUS_VERBS,
    Resource,
    Subresource,
    status,
)
from pykube_cp.registry.strategy import StatusStrategy
from pykube_cp.resources.columns import core as columns
from pykube_cp.resources.columns import events as event_columns
from pykube_cp.resources.columns import pods as pod_columns
from pykube_cp.resources.shared import selectable
from pykube_cp.resources.shared.limits import EVENT_TTL_SECONDS
from pykube_cp.resources.strategies import core, pod, service, workloads

BINDING = Resource(
    group="",
    version="v1",
    kind="Binding",
    plural="bindings",
    singular="binding",
    verbs=CREATE_ONLY,
)

COMPONENT_STATUS = Resource(
    group="",
    version="v1",
    kind="ComponentStatus",
    plural="componentstatuses",
    singular="componentstatus",
    namespaced=False,
    short_names=("cs",),
    verbs=("get", "list"),
    columns=columns.COMPONENT_STATUS,
)

CONFIG_MAP = Resource(
    group="",
    version="v1",
    kind="ConfigMap",
    plural="configmaps",
    singular="configmap",
    short_names=("cm",),
    columns=columns.CONFIG_MAP,
    strategy=core.ConfigMapStrategy(),
    storage_version_hash="qFsyl6wFWjQ=",
)

ENDPOINTS = Resource(
    group="",
    version="v1",
    kind="Endpoints",
    plural="endpoints",
    singular="endpoints",
    short_names=("ep",),
    columns=columns.ENDPOINTS,
    strategy=core.EndpointsStrategy(),
    storage_version_hash="fWeeMqaN/OA=",
)

EVENT = Resource(
    group="",
    version="v1",
    kind="Event",
    plural="events",
    singular="event",
    short_names=("ev",),
    columns=event_columns.EVENT,
    selectable_fields=selectable.EVENT,
    strategy=core.EventStrategy(),
    storage_version_hash="r2yiGXH7wu8=",
    ttl_seconds=EVENT_TTL_SECONDS,
)

LIMIT_RANGE = Resource(
    group="",
    version="v1",
    kind="LimitRange",
    plural="limitranges",
    singular="limitrange",
    short_names=("limits",),
    strategy=core.LimitRangeStrategy(),
    storage_version_hash="EBKMFVe6cwo=",
)

NAMESPACE = Resource(
    group="",
    version="v1",
    kind="Namespace",
    plural="namespaces",
    singular="namespace",
    namespaced=False,
    short_names=("ns",),
    verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
    subresources=(
        Subresource(
            name="finalize",
            verbs=("update",),
            strategy=core.NamespaceFinalizeStrategy(),
            has_table=False,
        ),
        status(core.NamespaceStatusStrategy()),
    ),
    columns=columns.NAMESPACE,
    selectable_fields=selectable.NAMESPACE,
    strategy=core.NamespaceStrategy(),
    storage_version_hash="Q3oi5N2YM8M=",
)

NODE = Resource(
    group="",
    version="v1",
    kind="Node",
    plural="nodes",
    singular="node",
    namespaced=False,
    short_names=("no",),
    subresources=(
        Subresource(
            name="proxy",
            kind=GVK("", "v1", "NodeProxyOptions"),
            verbs=("create", "delete", "get", "patch", "update"),
        ),
        status(core.NodeStatusStrategy()),
    ),
    columns=columns.NODE,
    selectable_fields=selectable.NODE,
    strategy=core.NodeStrategy(),
    storage_version_hash="XwShjMxG9Fs=",
)

PERSISTENT_VOLUME_CLAIM = Resource(
    group="",
    version="v1",
    kind="PersistentVolumeClaim",
    plural="persistentvolumeclaims",
    singular="persistentvolumeclaim",
    short_names=("pvc",),
    subresources=(status(core.PersistentVolumeClaimStatusStrategy()),),
    columns=columns.PERSISTENT_VOLUME_CLAIM,
    strategy=core.PersistentVolumeClaimStrategy(),
    storage_version_hash="QWTyNDq0dC4=",
)

PERSISTENT_VOLUME = Resource(
    group="",
    version="v1",
    kind="PersistentVolume",
    plural="persistentvolumes",
    singular="persistentvolume",
    namespaced=False,
    short_names=("pv",),
    subresources=(status(core.PersistentVolumeStatusStrategy()),),
    columns=columns.PERSISTENT_VOLUME,
    strategy=core.PersistentVolumeStrategy(),
    storage_version_hash="HN/zwEC+JgM=",
)

POD = Resource(
    group="",
    version="v1",
    kind="Pod",
    plural="pods",
    singular="pod",
    short_names=("po",),
    categories=("all",),
    subresources=(
        Subresource(name="attach", kind=GVK("", "v1", "PodAttachOptions"), verbs=("create", "get")),
        Subresource(
            name="binding", kind=GVK("", "v1", "Binding"), verbs=CREATE_ONLY, has_table=False
        ),
        Subresource(
            name="ephemeralcontainers",
            verbs=STATUS_VERBS,
            strategy=pod.PodEphemeralContainersStrategy(),
            has_table=False,
        ),
        Subresource(
            name="eviction",
            kind=GVK("policy", "v1", "Eviction"),
            verbs=CREATE_ONLY,
            has_table=False,
        ),
        Subresource(name="exec", kind=GVK("", "v1", "PodExecOptions"), verbs=("create", "get")),
        Subresource(name="log", kind=GVK("", "v1", "Pod"), verbs=("get",), has_table=False),
        Subresource(
            name="portforward", kind=GVK("", "v1", "PodPortForwardOptions"), verbs=("create", "get")
        ),
        Subresource(
            name="proxy",
            kind=GVK("", "v1", "PodProxyOptions"),
            verbs=("create", "delete", "get", "patch", "update"),
        ),
        Subresource(
            name="resize",
            verbs=STATUS_VERBS,
            strategy=pod.PodResizeStrategy(),
            has_table=False,
        ),
        status(pod.PodStatusStrategy()),
    ),
    columns=pod_columns.POD,
    row_conditions=pod_columns.row_conditions,
    selectable_fields=selectable.POD,
    strategy=pod.PodStrategy(),
    storage_version_hash="xPOwRZ+Yhw8=",
)

POD_TEMPLATE = Resource(
    group="",
    version="v1",
    kind="PodTemplate",
    plural="podtemplates",
    singular="podtemplate",
    columns=pod_columns.POD_TEMPLATE,
    strategy=workloads.PodTemplateStrategy(),
    storage_version_hash="LIXB2x4IFpk=",
)

REPLICATION_CONTROLLER = Resource(
    group="",
    version="v1",
    kind="ReplicationController",
    plural="replicationcontrollers",
    singular="replicationcontroller",
    short_names=("rc",),
    categories=("all",),
    subresources=(
        SCALE,
        status(workloads.ReplicationControllerStatusStrategy()),
    ),
    columns=columns.REPLICATION_CONTROLLER,
    selectable_fields=selectable.REPLICAS,
    strategy=workloads.ReplicationControllerStrategy(),
    storage_version_hash="Jond2If31h0=",
)

RESOURCE_QUOTA = Resource(
    group="",
    version="v1",
    kind="ResourceQuota",
    plural="resourcequotas",
    singular="resourcequota",
    short_names=("quota",),
    subresources=(status(StatusStrategy()),),
    columns=columns.RESOURCE_QUOTA,
    strategy=core.ResourceQuotaStrategy(),
    storage_version_hash="8uhSgffRX6w=",
)

SECRET = Resource(
    group="",
    version="v1",
    kind="Secret",
    plural="secrets",
    singular="secret",
    columns=columns.SECRET,
    selectable_fields=selectable.SECRET,
    strategy=core.SecretStrategy(),
    storage_version_hash="S6u1pOWzb84=",
)

SERVICE_ACCOUNT = Resource(
    group="",
    version="v1",
    kind="ServiceAccount",
    plural="serviceaccounts",
    singular="serviceaccount",
    short_names=("sa",),
    subresources=(
        Subresource(
            name="token",
            kind=GVK("authentication.k8s.io", "v1", "TokenRequest"),
            verbs=CREATE_ONLY,
            has_table=False,
        ),
    ),
    columns=columns.SERVICE_ACCOUNT,
    strategy=core.ServiceAccountStrategy(),
    storage_version_hash="pbx9ZvyFpBE=",
)

SERVICE = Resource(
    group="",
    version="v1",
    kind="Service",
    plural="services",
    singular="service",
    short_names=("svc",),
    categories=("all",),
    subresources=(
        Subresource(
            name="proxy",
            kind=GVK("", "v1", "ServiceProxyOptions"),
            verbs=("create", "delete", "get", "patch", "update"),
        ),
        status(service.ServiceStatusStrategy()),
    ),
    columns=columns.SERVICE,
    selectable_fields=selectable.SERVICE,
    strategy=service.ServiceStrategy(),
    storage_version_hash="0/CO1lhkEBI=",
)

RESOURCES = (
    BINDING,
    COMPONENT_STATUS,
    CONFIG_MAP,
    ENDPOINTS,
    EVENT,
    LIMIT_RANGE,
    NAMESPACE,
    NODE,
    PERSISTENT_VOLUME_CLAIM,
    PERSISTENT_VOLUME,
    POD,
    POD_TEMPLATE,
    REPLICATION_CONTROLLER,
    RESOURCE_QUOTA,
    SECRET,
    SERVICE_ACCOUNT,
    SERVICE,
)
