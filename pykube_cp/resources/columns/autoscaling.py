"""Columns of autoscaling."""
# upstream: pkg/printers/internalversion/printers.go

from collections.abc import Callable, Sequence

from pykube_cp.machinery.objects import Object
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column
from pykube_cp.resources.shared import cells

_SOURCES = {
    "External": "external",
    "Pods": "pods",
    "Object": "object",
    "Resource": "resource",
    "ContainerResource": "containerResource",
}
_SHOWN = 2


def _reference(obj: Object) -> str:
    target = (obj.get("spec") or {}).get("scaleTargetRef") or {}
    return f"{target.get('kind') or ''}/{target.get('name') or ''}"


def _min_pods(obj: Object) -> str:
    found = (obj.get("spec") or {}).get("minReplicas")
    return cells.UNSET if found is None else str(found)


# Targets: what was measured, and what it should be.


def _targets(obj: Object) -> str:
    # upstream: formatHPAMetrics
    specs = cells.items(obj, "spec", "metrics")
    if not specs:
        return cells.NONE
    statuses = cells.items(obj, "status", "currentMetrics")
    shown = ", ".join(_target(specs, statuses, index) for index in range(len(specs[:_SHOWN])))
    return f"{shown} + {len(specs) - _SHOWN} more..." if len(specs) > _SHOWN else shown


def _target(specs: Sequence[Object], statuses: Sequence[Object], index: int) -> str:
    field = _SOURCES.get(specs[index].get("type", ""))
    if field is None:
        return "<unknown type>"
    source = specs[index].get(field) or {}
    status = statuses[index].get(field) if len(statuses) > index else None
    current = None if status is None else status.get("current") or {}
    return _FORMATS[field](source, source.get("target") or {}, current)


def _pods(_source: Object, target: Object, current: Object | None) -> str:
    return f"{_measured(current, 'averageValue')}/{_amount(target.get('averageValue'))}"


def _value(_source: Object, target: Object, current: Object | None) -> str:
    """Of metrics from outside and of objects."""
    if target.get("averageValue") is None:
        return f"{_measured(current, 'value')}/{_amount(target.get('value'))}"
    is_known = current is not None and current.get("averageValue") is not None
    measured = _measured(current if is_known else None, "averageValue")
    return f"{measured}/{_amount(target['averageValue'])} (avg)"


def _resource(source: Object, target: Object, current: Object | None) -> str:
    name = source.get("name") or ""
    if target.get("averageValue") is not None:
        return f"{name}: {_pods(source, target, current)}"
    measured = _percent((current or {}).get("averageUtilization"), table.UNKNOWN)
    return f"{name}: {measured}/{_percent(target.get('averageUtilization'), '<auto>')}"


def _measured(current: Object | None, field: str) -> str:
    return table.UNKNOWN if current is None else _amount(current.get(field))


def _amount(value: str | None) -> str:
    # Go prints a missing quantity so.
    return "<nil>" if value is None else cells.quantity_text(value)


def _percent(value: int | None, default: str) -> str:
    return default if value is None else f"{value}%"


_FORMATS: dict[str, Callable[[Object, Object, Object | None], str]] = {
    "external": _value,
    "object": _value,
    "pods": _pods,
    "resource": _resource,
    "containerResource": _resource,
}

HORIZONTAL_POD_AUTOSCALER = (
    table.NAME,
    Column(
        "Reference",
        _reference,
        described_by="autoscaling.v2.HorizontalPodAutoscalerSpec.scaleTargetRef",
    ),
    Column("Targets", _targets, described_by="autoscaling.v2.HorizontalPodAutoscalerSpec.metrics"),
    Column(
        "MinPods", _min_pods, described_by="autoscaling.v1.HorizontalPodAutoscalerSpec.minReplicas"
    ),
    Column(
        "MaxPods",
        cells.number("spec", "maxReplicas"),
        described_by="autoscaling.v2.HorizontalPodAutoscalerSpec.maxReplicas",
    ),
    Column(
        "Replicas",
        cells.number("status", "currentReplicas"),
        described_by="autoscaling.v2.HorizontalPodAutoscalerStatus.currentReplicas",
    ),
    table.AGE,
)

SCALE = (
    Column("Name", table.NAME.value, described_by="meta.v1.ObjectMeta.name"),
    Column(
        "Desired",
        cells.number("spec", "replicas"),
        type="integer",
        described_by="autoscaling.v1.ScaleSpec.replicas",
    ),
    Column(
        "Available",
        cells.number("status", "replicas"),
        type="integer",
        described_by="autoscaling.v1.ScaleStatus.replicas",
    ),
    table.AGE,
)
