"""Rows of scheduling.k8s.io."""

from pykube_cp.machinery.gvk import GVR
from pykube_cp.registry.declarative import Declarations
from pykube_cp.registry.resource import Resource, status
from pykube_cp.resources.columns import scheduling as columns
from pykube_cp.resources.conversions import versions
from pykube_cp.resources.strategies import cluster, scheduling

_OPTIONS = dict.fromkeys(
    (
        "CompositePodGroup",
        "DRAWorkloadResourceClaims",
        "PodGroupPreemptionPolicy",
        "TopologyAwareWorkloadScheduling",
    ),
    False,
)

PRIORITY_CLASS = Resource(
    group="scheduling.k8s.io",
    version="v1",
    kind="PriorityClass",
    plural="priorityclasses",
    singular="priorityclass",
    namespaced=False,
    short_names=("pc",),
    columns=columns.PRIORITY_CLASS,
    strategy=cluster.PriorityClassStrategy(),
    storage_version_hash="1QwjyaZjj3Y=",
)

COMPOSITE_POD_GROUP = Resource(
    group="scheduling.k8s.io",
    version="v1alpha3",
    kind="CompositePodGroup",
    plural="compositepodgroups",
    singular="compositepodgroup",
    subresources=(status(scheduling.GroupStatusStrategy(), has_table=False),),
    columns=columns.COMPOSITE_POD_GROUP,
    strategy=scheduling.CompositePodGroupStrategy(),
    storage_version_hash="L+dT284DGFE=",
    declarations=Declarations(options=_OPTIONS | {"CompositePodGroup": True}),
    served_by_default=False,
)

POD_GROUP_V1ALPHA3 = Resource(
    group="scheduling.k8s.io",
    version="v1alpha3",
    kind="PodGroup",
    plural="podgroups",
    singular="podgroup",
    subresources=(status(scheduling.GroupStatusStrategy(), has_table=False),),
    columns=columns.POD_GROUP,
    strategy=scheduling.PodGroupStrategy(),
    storage_version_hash="QjOl2H5qPs0=",
    stored_as=GVR("scheduling.k8s.io", "v1beta1", "podgroups"),
    conversion=versions.between("scheduling.k8s.io/v1beta1", "scheduling.k8s.io/v1alpha3"),
    served_by_default=False,
)

WORKLOAD_V1ALPHA3 = Resource(
    group="scheduling.k8s.io",
    version="v1alpha3",
    kind="Workload",
    plural="workloads",
    singular="workload",
    columns=columns.WORKLOAD,
    strategy=scheduling.WorkloadStrategy(),
    storage_version_hash="Fgcxusx6IUo=",
    stored_as=GVR("scheduling.k8s.io", "v1beta1", "workloads"),
    conversion=versions.between("scheduling.k8s.io/v1beta1", "scheduling.k8s.io/v1alpha3"),
    served_by_default=False,
)

POD_GROUP_V1BETA1 = Resource(
    group="scheduling.k8s.io",
    version="v1beta1",
    kind="PodGroup",
    plural="podgroups",
    singular="podgroup",
    subresources=(status(scheduling.GroupStatusStrategy(), has_table=False),),
    columns=columns.POD_GROUP,
    strategy=scheduling.PodGroupStrategy(),
    storage_version_hash="QjOl2H5qPs0=",
    declarations=Declarations(options=_OPTIONS),
    served_by_default=False,
)

WORKLOAD_V1BETA1 = Resource(
    group="scheduling.k8s.io",
    version="v1beta1",
    kind="Workload",
    plural="workloads",
    singular="workload",
    columns=columns.WORKLOAD,
    strategy=scheduling.WorkloadStrategy(),
    storage_version_hash="Fgcxusx6IUo=",
    declarations=Declarations(options=_OPTIONS),
    served_by_default=False,
)

RESOURCES = (
    PRIORITY_CLASS,
    COMPOSITE_POD_GROUP,
    POD_GROUP_V1ALPHA3,
    WORKLOAD_V1ALPHA3,
    POD_GROUP_V1BETA1,
    WORKLOAD_V1BETA1,
)
