"""Rows of policy."""

from pykube_cp.machinery.gvk import GVK
from pykube_cp.registry.resource import STATUS_VERBS, Resource, Subresource
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
    subresources=(
        Subresource(
            name="status",
            kind=GVK("policy", "v1", "PodDisruptionBudget"),
            verbs=STATUS_VERBS,
            strategy=StatusStrategy(),
        ),
    ),
    columns=columns.POD_DISRUPTION_BUDGET,
    strategy=policies.PodDisruptionBudgetStrategy(),
    storage_version_hash="EVWiDmWqyJw=",
)

RESOURCES = (POD_DISRUPTION_BUDGET,)
