"""Columns of scheduling.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go

from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

PRIORITY_CLASS = (
    table.NAME,
    Column(
        "Value",
        cells.number("value"),
        type="integer",
        described_by="scheduling.v1.PriorityClass.value",
    ),
    Column(
        "Global-Default",
        cells.flag("globalDefault"),
        type="boolean",
        described_by="scheduling.v1.PriorityClass.globalDefault",
    ),
    table.AGE,
    Column(
        "PreemptionPolicy",
        cells.at("preemptionPolicy"),
        described_by="scheduling.v1.PriorityClass.preemptionPolicy",
    ),
)

WORKLOAD = (table.NAME, table.AGE)


def _policy(group: Object) -> str:
    return "Basic" if nested(group, "spec", "schedulingPolicy", "gang") is None else "Gang"


def _status(group: Object) -> str:
    # upstream: printPodGroup
    found = cells.conditions_by_type(group)
    if "DisruptionTarget" in found:
        return found["DisruptionTarget"].get("reason") or ""
    scheduled = found.get("PodGroupInitiallyScheduled")
    if scheduled is None:
        return "Pending"
    return "Scheduled" if scheduled.get("status") == "True" else "Unschedulable"


def _policy_of(kind: str) -> Column:
    return Column("Policy", _policy, described_by=f"scheduling.{kind}Spec.schedulingPolicy")


_WORKLOAD = Column(
    "Workload",
    cells.at("spec", "workloadRef", "workloadName", default=cells.NONE),
    description="Name of the referenced Workload object",
)

POD_GROUP = (
    table.NAME,
    _policy_of("v1beta1.PodGroup"),
    _WORKLOAD,
    Column("Status", _status, description="Status of the PodGroup"),
    table.AGE,
)

COMPOSITE_POD_GROUP = (table.NAME, _policy_of("v1alpha3.CompositePodGroup"), _WORKLOAD, table.AGE)
