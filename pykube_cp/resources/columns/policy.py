"""Columns of policy."""
# upstream: pkg/printers/internalversion/printers.go printPodDisruptionBudget

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells


def _bound(field: str) -> cells.Value:
    def value(obj: Object) -> str:
        found = (obj.get("spec") or {}).get(field)
        return "N/A" if found is None else str(found)

    return value


POD_DISRUPTION_BUDGET = (
    table.NAME,
    Column(
        "Min Available",
        _bound("minAvailable"),
        description="The minimum number of pods that must be available.",
    ),
    Column(
        "Max Unavailable",
        _bound("maxUnavailable"),
        description="The maximum number of pods that may be unavailable.",
    ),
    Column(
        "Allowed Disruptions",
        cells.number("status", "disruptionsAllowed"),
        type="integer",
        description="Calculated number of pods that may be disrupted at this time.",
    ),
    table.AGE,
)
