"""Columns of flowcontrol.apiserver.k8s.io."""
# upstream: pkg/printers/internalversion/printers.go

from pykube_cp.machinery.objects import Object, name
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column, TableRow
from pykube_cp.resources.shared import cells


def _precedence(schema: Object) -> int:
    return (schema.get("spec") or {}).get("matchingPrecedence") or 0


def in_order_of_matching(rows: list[TableRow]) -> list[TableRow]:
    """Schemas as requests meet them."""
    # upstream: apiserver pkg/util/apihelpers/helpers.go FlowSchemaSequence
    return sorted(rows, key=lambda row: (_precedence(row.obj), name(row.obj)))


def _dangling(schema: Object) -> str:
    found = cells.condition(schema, "Dangling")
    return "?" if found is None else found.get("status") or ""


FLOW_SCHEMA = (
    table.NAME,
    Column(
        "PriorityLevel",
        cells.at("spec", "priorityLevelConfiguration", "name"),
        described_by="flowcontrol.v1.PriorityLevelConfigurationReference.name",
    ),
    Column(
        "MatchingPrecedence",
        _precedence,
        described_by="flowcontrol.v1.FlowSchemaSpec.matchingPrecedence",
    ),
    Column(
        "DistinguisherMethod",
        cells.at("spec", "distinguisherMethod", "type", default=cells.NONE),
        described_by="flowcontrol.v1.FlowSchemaSpec.distinguisherMethod",
    ),
    table.AGE,
    Column(
        "MissingPL",
        _dangling,
        description="references a broken or non-existent PriorityLevelConfiguration",
    ),
)


def _limit(*path: str) -> cells.Value:
    """A number of a limited level; where the limits are there, it is 0 when missing."""
    *parents, field = path

    def value(level: Object) -> int | str:
        found = level.get("spec") or {}
        for step in parents:
            found = found.get(step)
            if found is None:
                return cells.NONE
        return int(found.get(field) or 0)

    return value


_QUEUING = ("limited", "limitResponse", "queuing")

PRIORITY_LEVEL_CONFIGURATION = (
    table.NAME,
    Column(
        "Type",
        cells.at("spec", "type"),
        described_by="flowcontrol.v1.PriorityLevelConfigurationSpec.type",
    ),
    Column(
        "NominalConcurrencyShares",
        _limit("limited", "nominalConcurrencyShares"),
        described_by="flowcontrol.v1.LimitedPriorityLevelConfiguration.nominalConcurrencyShares",
    ),
    Column(
        "Queues",
        _limit(*_QUEUING, "queues"),
        described_by="flowcontrol.v1.QueuingConfiguration.queues",
    ),
    Column(
        "HandSize",
        _limit(*_QUEUING, "handSize"),
        described_by="flowcontrol.v1.QueuingConfiguration.handSize",
    ),
    Column(
        "QueueLengthLimit",
        _limit(*_QUEUING, "queueLengthLimit"),
        described_by="flowcontrol.v1.QueuingConfiguration.queueLengthLimit",
    ),
    table.AGE,
)
