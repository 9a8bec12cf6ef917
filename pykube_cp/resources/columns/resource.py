"""Columns of resource.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go

from pykube_cp.machinery.objects import Object, is_deleting
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

DEVICE_CLASS = (table.NAME, table.AGE)
RESOURCE_CLAIM_TEMPLATE = (table.NAME, table.AGE)


def _claim_state(claim: Object) -> str:
    status = claim.get("status") or {}
    states = ["deleted"] if is_deleting(claim) else []
    if status.get("allocation") is not None:
        states.append("allocated")
        if status.get("reservedFor"):
            states.append("reserved")
    elif not states:
        states.append("pending")
    return ",".join(states)


RESOURCE_CLAIM = (
    table.NAME,
    Column(
        "State",
        _claim_state,
        description="A summary of the current state (allocated, pending, reserved, etc.).",
    ),
    table.AGE,
)

RESOURCE_SLICE = (
    table.NAME,
    Column(
        "Node", cells.at("spec", "nodeName"), described_by="resource.v1.ResourceSliceSpec.nodeName"
    ),
    Column(
        "Driver", cells.at("spec", "driver"), described_by="resource.v1.ResourceSliceSpec.driver"
    ),
    Column("Pool", cells.at("spec", "pool", "name"), described_by="resource.v1.ResourcePool.name"),
    table.AGE,
)

DEVICE_TAINT_RULE = (
    table.NAME,
    Column("Key", cells.at("spec", "taint", "key"), described_by="resource.v1.DeviceTaint.key"),
    Column(
        "Value", cells.at("spec", "taint", "value"), described_by="resource.v1.DeviceTaint.value"
    ),
    Column(
        "Effect", cells.at("spec", "taint", "effect"), described_by="resource.v1.DeviceTaint.effect"
    ),
    Column(
        "TimeAdded",
        cells.age_at("spec", "taint", "timeAdded", default=""),
        described_by="resource.v1.DeviceTaint.timeAdded",
    ),
    table.AGE,
)


# Requests for the status of pools.


def _outcome(request: Object) -> Object | None:
    """The condition that says how the request ended."""
    for found in cells.conditions(request):
        if found.get("type") in {"Complete", "Failed"} and found.get("status") == "True":
            return found
    return None


def _request_status(request: Object) -> str:
    outcome = _outcome(request)
    if outcome is None:
        return "Pending"
    pools, total = len(cells.items(request, "status", "pools")), _pool_count(request)
    if outcome["type"] == "Complete" and total > pools:
        return f"Complete ({pools}/{total} pools)"
    return str(outcome["type"])


def _pool_count(request: Object) -> int:
    return (request.get("status") or {}).get("poolCount") or 0


def _has_figures(request: Object) -> bool:
    if request.get("status") is None:
        return False
    outcome = _outcome(request)
    return outcome is None or outcome["type"] != "Failed"


def _sum(field: str) -> cells.Value:
    def value(request: Object) -> str:
        if not _has_figures(request):
            return "-"
        pools = cells.items(request, "status", "pools")
        return str(sum(pool.get(field) or 0 for pool in pools))

    return value


def _errors(request: Object) -> str:
    if not _has_figures(request):
        return "-"
    pools = cells.items(request, "status", "pools")
    return str(sum(pool.get("validationError") is not None for pool in pools))


def _completed(request: Object) -> str:
    outcome = _outcome(request)
    if outcome is None or outcome["type"] != "Complete":
        return cells.NONE
    return table.age(outcome.get("lastTransitionTime"))


RESOURCE_POOL_STATUS_REQUEST = (
    table.NAME,
    Column("Driver", cells.at("spec", "driver"), description="The driver to query pools for."),
    Column(
        "Total",
        _sum("totalDevices"),
        description="Total number of devices across all pools.",
    ),
    Column(
        "Available",
        _sum("availableDevices"),
        description="Number of available devices across all pools.",
    ),
    Column(
        "Allocated",
        _sum("allocatedDevices"),
        description="Number of allocated devices across all pools.",
    ),
    Column(
        "Unavailable",
        _sum("unavailableDevices"),
        description="Number of unavailable devices across all pools.",
    ),
    Column("Errors", _errors, description="Number of pools with validation errors."),
    Column("Pools", _pool_count, type="integer", description="Total number of matching pools."),
    Column("Status", _request_status, description="Processing status."),
    Column("Completed", _completed, description="Time since the observation completed."),
)
