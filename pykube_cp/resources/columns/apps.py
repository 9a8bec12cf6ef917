"""Columns of apps."""
# upstream: pkg/printers/internalversion/printers.go

from pykube_cp.machinery import selectors
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
    kind = cells.group_resource(group, owner.get("kind") or "").lower()
    return f"{kind}/{owner.get('name')}"


def _number(name: str, field: str, *, part: str = "status") -> Column:
    return Column(name, cells.number(part, field), type="integer")


CONTROLLER_REVISION = (
    table.NAME,
    Column("Controller", _controller, description="Controller of the object"),
    Column("Revision", cells.number("revision")),
    table.AGE,
)

DAEMON_SET = (
    table.NAME,
    _number("Desired", "desiredNumberScheduled"),
    _number("Current", "currentNumberScheduled"),
    _number("Ready", "numberReady"),
    _number("Up-to-date", "updatedNumberScheduled"),
    _number("Available", "numberAvailable"),
    Column("Node Selector", cells.labels_at(*_TEMPLATE, "nodeSelector")),
    table.AGE,
    *cells.container_columns(*_TEMPLATE),
    Column("Selector", _selector, priority=1),
)

DEPLOYMENT = (
    table.NAME,
    Column("Ready", _ready, description="Number of the pod with ready state"),
    Column("Up-to-date", cells.number("status", "updatedReplicas")),
    Column("Available", cells.number("status", "availableReplicas")),
    table.AGE,
    *cells.container_columns(*_TEMPLATE),
    Column("Selector", _deployment_selector, priority=1),
)

REPLICA_SET = (
    table.NAME,
    _number("Desired", "replicas", part="spec"),
    _number("Current", "replicas"),
    _number("Ready", "readyReplicas"),
    table.AGE,
    *cells.container_columns(*_TEMPLATE),
    Column("Selector", _selector, priority=1),
)

STATEFUL_SET = (
    table.NAME,
    Column("Ready", _ready, description="Number of the pod with ready state"),
    table.AGE,
    *cells.container_columns(*_TEMPLATE),
)
