"""Rows of policy."""

from pykube_cp.registry.resource import Resource, status
from pykube_cp.registry.strategy import StatusStrategy
from pykube_cp.resources.columns import policy as columns
from pykube_cp.resources.strategies import policies

POD_DISRUPTION_BUDGET = Resource(
    group="policy",
    version="v1",
    kind="PodDisruptionBudget",
    plural="poddisruptionbudgets",
    singular="poddisruptionbudget",
    short_names=("pdb",),
    subresources=(status(StatusStrategy()),),
    columns=columns.POD_DISRUPTION_BUDGET,
    strategy=policies.PodDisruptionBudgetStrategy(),
    storage_version_hash="EVWiDmWqyJw=",
)

RESOURCES = (POD_DISRUPTION_BUDGET,)
