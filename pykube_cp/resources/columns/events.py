"""Columns of events, in whichever group they are served."""
# upstream: pkg/printers/internalversion/printers.go printEvent

from pykube_cp.machinery import go_text
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells


def _first_seen(event: Object) -> str:
    return table.age(event.get("firstTimestamp") or event.get("eventTime"))


def _last_seen(event: Object) -> str:
    series = event.get("series")
    if series is not None:
        return table.age(series.get("lastObservedTime"))
    return table.age(event["lastTimestamp"]) if event.get("lastTimestamp") else _first_seen(event)


def _count(event: Object) -> int:
    series = event.get("series")
    if series is not None:
        return int(series.get("count", 0))
    # Whoever reports an event once through events.k8s.io sends no count.
    return int(event.get("count") or 1)


def _object(event: Object) -> str:
    involved = event.get("involvedObject") or {}
    kind, name = go_text.lower(involved.get("kind") or ""), involved.get("name")
    return f"{kind}/{name}" if name else kind


def _source(event: Object) -> str:
    source = event.get("source") or {}
    component = source.get("component") or event.get("reportingComponent") or ""
    instance = source.get("host") or event.get("reportingInstance")
    return f"{component}, {instance}" if instance else component


def _message(event: Object) -> str:
    return go_text.trim_space(event.get("message") or "")


EVENT = (
    Column("Last Seen", _last_seen, described_by="core.v1.Event.lastTimestamp"),
    Column("Type", cells.at("type"), described_by="core.v1.Event.type"),
    Column("Reason", cells.at("reason"), described_by="core.v1.Event.reason"),
    Column("Object", _object, described_by="core.v1.Event.involvedObject"),
    Column(
        "Subobject",
        cells.at("involvedObject", "fieldPath"),
        priority=1,
        described_by="core.v1.ObjectReference.fieldPath",
    ),
    Column("Source", _source, priority=1, described_by="core.v1.Event.source"),
    Column("Message", _message, described_by="core.v1.Event.message"),
    Column("First Seen", _first_seen, priority=1, described_by="core.v1.Event.firstTimestamp"),
    Column("Count", _count, priority=1, described_by="core.v1.Event.count"),
    Column(
        "Name",
        table.NAME.value,
        format="name",
        priority=1,
        described_by="meta.v1.ObjectMeta.name",
    ),
)
