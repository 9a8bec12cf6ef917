"""Rows of apps."""

from pykube_cp.registry.resource import SCALE, Resource, status
from pykube_cp.registry.strategy import StatusStrategy
from pykube_cp.resources.columns import apps as columns
from pykube_cp.resources.shared.workloads import TEMPLATE_GENERATION
from pykube_cp.resources.strategies import workloads

_NO_REPLICAS = {"spec": {"replicas": 0}}

CONTROLLER_REVISION = Resource(
    group="apps",
    version="v1",
    kind="ControllerRevision",
    plural="controllerrevisions",
    singular="controllerrevision",
    columns=columns.CONTROLLER_REVISION,
    strategy=workloads.ControllerRevisionStrategy(),
    storage_version_hash="85nkx63pcBU=",
)

DAEMON_SET = Resource(
    group="apps",
    version="v1",
    kind="DaemonSet",
    plural="daemonsets",
    singular="daemonset",
    short_names=("ds",),
    categories=("all",),
    subresources=(status(workloads.DaemonSetStatusStrategy()),),
    columns=columns.DAEMON_SET,
    bookmark={"metadata": {"annotations": {TEMPLATE_GENERATION: "0"}}},
    hidden_annotations=(TEMPLATE_GENERATION,),
    strategy=workloads.DaemonSetStrategy(),
    storage_version_hash="dd7pWHUlMKQ=",
)

DEPLOYMENT = Resource(
    group="apps",
    version="v1",
    kind="Deployment",
    plural="deployments",
    singular="deployment",
    short_names=("deploy",),
    categories=("all",),
    subresources=(
        SCALE,
        status(workloads.DeploymentStatusStrategy()),
    ),
    columns=columns.DEPLOYMENT,
    bookmark=_NO_REPLICAS,
    strategy=workloads.DeploymentStrategy(),
    storage_version_hash="8aSe+NMegvE=",
)

REPLICA_SET = Resource(
    group="apps",
    version="v1",
    kind="ReplicaSet",
    plural="replicasets",
    singular="replicaset",
    short_names=("rs",),
    categories=("all",),
    subresources=(
        SCALE,
        status(StatusStrategy()),
    ),
    columns=columns.REPLICA_SET,
    bookmark=_NO_REPLICAS,
    strategy=workloads.ReplicaSetStrategy(),
    storage_version_hash="P1RzHs8/mWQ=",
)

STATEFUL_SET = Resource(
    group="apps",
    version="v1",
    kind="StatefulSet",
    plural="statefulsets",
    singular="statefulset",
    short_names=("sts",),
    categories=("all",),
    subresources=(
        SCALE,
        status(workloads.CollisionsStatusStrategy()),
    ),
    columns=columns.STATEFUL_SET,
    bookmark=_NO_REPLICAS,
    strategy=workloads.StatefulSetStrategy(),
    storage_version_hash="H+vl74LkKdo=",
)

RESOURCES = (
    CONTROLLER_REVISION,
    DAEMON_SET,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
)
