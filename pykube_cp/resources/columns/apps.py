"""Columns of apps."""
# upstream: pkg/printers/internalversion/printers.go

from pykube_cp.machinery import go_text, selectors
from pykube_cp.machinery.gvk import GroupVersion
from pykube_cp.machinery.objects import Object, controller_of
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

_TEMPLATE = ("spec", "template", "spec")


def _ready(obj: Object) -> str:
    ready = (obj.get("status") or {}).get("readyReplicas", 0)
    return f"{ready}/{(obj.get('spec') or {}).get('replicas', 0)}"


def _selector(obj: Object) -> str:
    return selectors.format_label_selector((obj.get("spec") or {}).get("selector"))


def _deployment_selector(obj: Object) -> str:
    try:
        return str(selectors.from_label_selector((obj.get("spec") or {}).get("selector")))
    except selectors.SelectorError:
        return "<invalid>"


def _controller(obj: Object) -> str:
    # upstream: printControllerRevision
    owner = controller_of(obj)
    if owner is None:
        return cells.NONE
    group = GroupVersion.parse(owner.get("apiVersion") or "").group
    kind = go_text.lower(cells.group_resource(group, owner.get("kind") or ""))
    return f"{kind}/{owner.get('name')}"


def _number(name: str, kind: str, field: str, *, part: str = "status") -> Column:
    said = f"apps.v1.{kind}{part.capitalize()}.{field}"
    return Column(name, cells.number(part, field), type="integer", described_by=said)


CONTROLLER_REVISION = (
    table.NAME,
    Column("Controller", _controller, description="Controller of the object"),
    Column(
        "Revision", cells.number("revision"), described_by="apps.v1.ControllerRevision.revision"
    ),
    table.AGE,
)

DAEMON_SET = (
    table.NAME,
    _number("Desired", "DaemonSet", "desiredNumberScheduled"),
    _number("Current", "DaemonSet", "currentNumberScheduled"),
    _number("Ready", "DaemonSet", "numberReady"),
    _number("Up-to-date", "DaemonSet", "updatedNumberScheduled"),
    _number("Available", "DaemonSet", "numberAvailable"),
    Column(
        "Node Selector",
        cells.labels_at(*_TEMPLATE, "nodeSelector"),
        described_by="core.v1.PodSpec.nodeSelector",
    ),
    table.AGE,
    *cells.container_columns(*_TEMPLATE),
    Column("Selector", _selector, priority=1, described_by="apps.v1.DaemonSetSpec.selector"),
)

DEPLOYMENT = (
    table.NAME,
    Column("Ready", _ready, description="Number of the pod with ready state"),
    Column(
        "Up-to-date",
        cells.number("status", "updatedReplicas"),
        described_by="apps.v1.DeploymentStatus.updatedReplicas",
    ),
    Column(
        "Available",
        cells.number("status", "availableReplicas"),
        described_by="apps.v1.DeploymentStatus.availableReplicas",
    ),
    table.AGE,
    *cells.container_columns(*_TEMPLATE),
    Column(
        "Selector", _deployment_selector, priority=1, described_by="apps.v1.DeploymentSpec.selector"
    ),
)

REPLICA_SET = (
    table.NAME,
    _number("Desired", "ReplicaSet", "replicas", part="spec"),
    _number("Current", "ReplicaSet", "replicas"),
    _number("Ready", "ReplicaSet", "readyReplicas"),
    table.AGE,
    *cells.container_columns(*_TEMPLATE),
    Column("Selector", _selector, priority=1, described_by="apps.v1.ReplicaSetSpec.selector"),
)

STATEFUL_SET = (
    table.NAME,
    Column("Ready", _ready, description="Number of the pod with ready state"),
    table.AGE,
    *cells.container_columns(*_TEMPLATE),
)
