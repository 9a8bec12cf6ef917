"""Flow schemas and priority levels."""

from collections.abc import Callable

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule

_V1 = "io.k8s.api.flowcontrol.v1."


def _zeros(**values: int) -> Callable[[Object, RuleContext], None]:
    """Defaults of fields for which zero counts as unset."""

    # upstream: pkg/apis/flowcontrol/v1/defaults.go
    def default(owner: Object, _ctx: RuleContext) -> None:
        for field, value in values.items():
            if not owner.get(field):
                owner[field] = value

    return default


def _missing(**values: int) -> Callable[[Object, RuleContext], None]:
    def default(owner: Object, _ctx: RuleContext) -> None:
        for field, value in values.items():
            if owner.get(field) is None:
                owner[field] = value

    return default


RULES = (
    TypeRule(type=f"{_V1}FlowSchemaSpec", default=_zeros(matchingPrecedence=1000)),
    TypeRule(
        type=f"{_V1}ExemptPriorityLevelConfiguration",
        default=_missing(nominalConcurrencyShares=0, lendablePercent=0),
    ),
    TypeRule(
        type=f"{_V1}LimitedPriorityLevelConfiguration",
        default=_missing(nominalConcurrencyShares=30, lendablePercent=0),
    ),
    TypeRule(
        type=f"{_V1}QueuingConfiguration",
        default=_zeros(handSize=8, queues=64, queueLengthLimit=50),
    ),
)
