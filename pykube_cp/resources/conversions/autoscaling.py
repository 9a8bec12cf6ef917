"""``autoscaling/v1`` HorizontalPodAutoscaler, stored as ``v2``.

What v1 has no field for travels in annotations, in a form of the metrics that is older than v2's.
"""
# upstream: pkg/apis/autoscaling/v1/conversion.go

from typing import Any

import orjson

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Conversion

METRICS = "autoscaling.alpha.kubernetes.io/metrics"
CURRENT_METRICS = "autoscaling.alpha.kubernetes.io/current-metrics"
CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"
BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior"
ROUND_TRIP = (METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR)

DEFAULT_CPU_UTILIZATION = 80

_SOURCES = ("object", "pods", "resource", "containerResource", "external")

# The annotation holds Go's internal type, which has no JSON names.
_BEHAVIOR_NAMES = {
    "scaleUp": "ScaleUp",
    "scaleDown": "ScaleDown",
    "stabilizationWindowSeconds": "StabilizationWindowSeconds",
    "selectPolicy": "SelectPolicy",
    "policies": "Policies",
    "tolerance": "Tolerance",
    "type": "Type",
    "value": "Value",
    "periodSeconds": "PeriodSeconds",
}
_BEHAVIOR_FIELDS = {internal.lower(): name for name, internal in _BEHAVIOR_NAMES.items()}


def _present(**members: Any) -> Object:
    return {name: value for name, value in members.items() if value is not None}


def _cpu_metric(utilization: int) -> Object:
    target = {"type": "Utilization", "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def _is_cpu(metric: Object) -> bool:
    resource = metric.get("resource") or {}
    return metric.get("type") == "Resource" and resource.get("name") == "cpu"


def _cpu_utilization(metric: Object, side: str) -> int | None:
    if not _is_cpu(metric):
        return None
    found: int | None = (metric["resource"].get(side) or {}).get("averageUtilization")
    return found


# Metrics, v2 to the form in annotations and back.


def _old_source(kind: str, source: Object) -> Object:
    target, metric = source.get("target") or {}, source.get("metric") or {}
    if kind in {"resource", "containerResource"}:
        return _present(
            name=source.get("name"),
            targetAverageUtilization=target.get("averageUtilization"),
            targetAverageValue=target.get("averageValue"),
            container=source.get("container"),
        )
    if kind == "object":
        return _present(
            target=source.get("describedObject"),
            metricName=metric.get("name", ""),
            targetValue=target.get("value", "0"),
            selector=metric.get("selector"),
            averageValue=target.get("averageValue"),
        )
    if kind == "pods":
        return _present(
            metricName=metric.get("name", ""),
            targetAverageValue=target.get("averageValue", "0"),
            selector=metric.get("selector"),
        )
    return _present(
        metricName=metric.get("name", ""),
        metricSelector=metric.get("selector"),
        targetValue=target.get("value"),
        targetAverageValue=target.get("averageValue"),
    )


def _old_status(kind: str, status: Object) -> Object:
    current, metric = status.get("current") or {}, status.get("metric") or {}
    if kind in {"resource", "containerResource"}:
        return _present(
            name=status.get("name"),
            currentAverageUtilization=current.get("averageUtilization"),
            currentAverageValue=current.get("averageValue", "0"),
            container=status.get("container"),
        )
    if kind == "object":
        return _present(
            target=status.get("describedObject"),
            metricName=metric.get("name", ""),
            currentValue=current.get("value", "0"),
            selector=metric.get("selector"),
            averageValue=current.get("averageValue"),
        )
    if kind == "pods":
        return _present(
            metricName=metric.get("name", ""),
            currentAverageValue=current.get("averageValue", "0"),
            selector=metric.get("selector"),
        )
    return _present(
        metricName=metric.get("name", ""),
        metricSelector=metric.get("selector"),
        currentValue=current.get("value", "0"),
        currentAverageValue=current.get("averageValue"),
    )


def _new_target(kind: str, source: Object) -> Object:
    utilization = source.get("targetAverageUtilization")
    average = source.get("averageValue" if kind == "object" else "targetAverageValue")
    value = source.get("targetValue")
    if kind in {"resource", "containerResource"}:
        metric_type = "AverageValue" if utilization is None else "Utilization"
        return _present(type=metric_type, averageValue=average, averageUtilization=utilization)
    if kind == "pods":
        return _present(type="AverageValue", averageValue=average)
    if kind == "object":
        if average is None:
            return _present(type="Value", value=value or "0")
        return _present(
            type="AverageValue", value=None if value == "0" else value, averageValue=average
        )
    return _present(
        type="AverageValue" if value is None else "Value", value=value, averageValue=average
    )


def _new_current(kind: str, status: Object) -> Object:
    average = status.get("averageValue" if kind == "object" else "currentAverageValue")
    return _present(
        value=status.get("currentValue"),
        averageValue=average,
        averageUtilization=status.get("currentAverageUtilization"),
    )


def _new_identity(kind: str, old: Object) -> Object:
    if kind in {"resource", "containerResource"}:
        return _present(name=old.get("name"), container=old.get("container"))
    selector = old.get("metricSelector" if kind == "external" else "selector")
    found = _present(metric=_present(name=old.get("metricName", ""), selector=selector))
    if kind == "object":
        found["describedObject"] = old.get("target") or {}
    return found


def _old_metrics(metrics: list[Object], *, status: bool) -> list[Object]:
    convert = _old_status if status else _old_source
    return [
        {"type": metric.get("type", "")}
        | {kind: convert(kind, metric[kind]) for kind in _SOURCES if metric.get(kind) is not None}
        for metric in metrics
    ]


def _new_metric(old: Object, *, status: bool) -> Object:
    found: Object = {"type": old.get("type", "")}
    for kind in _SOURCES:
        if old.get(kind) is None:
            continue
        side = _new_current(kind, old[kind]) if status else _new_target(kind, old[kind])
        found[kind] = _new_identity(kind, old[kind]) | {"current" if status else "target": side}
    return found


# Behavior.


def _internal_behavior(value: Any) -> Any:
    if isinstance(value, dict):
        return {_BEHAVIOR_NAMES.get(key, key): _internal_behavior(v) for key, v in value.items()}
    return [_internal_behavior(item) for item in value] if isinstance(value, list) else value


def _external_behavior(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            _BEHAVIOR_FIELDS[key.lower()]: _external_behavior(member)
            for key, member in value.items()
            if member is not None and key.lower() in _BEHAVIOR_FIELDS
        }
    return [_external_behavior(item) for item in value] if isinstance(value, list) else value


def _go_rules(rules: Object) -> Object:
    """All members, as Go writes a struct without tags."""
    names = ("stabilizationWindowSeconds", "selectPolicy", "policies", "tolerance")
    return {name: rules.get(name) for name in names}


def _behavior_text(behavior: Object) -> str:
    filled = {
        name: _go_rules(behavior[name]) if behavior.get(name) is not None else None
        for name in ("scaleUp", "scaleDown")
    }
    return orjson.dumps(_internal_behavior(filled)).decode()


# The object.


def _from_storage(obj: Object) -> Object:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    obj["apiVersion"] = "autoscaling/v1"
    _set_annotations(obj, _saved(spec, status))
    obj["spec"] = _old_spec(spec)
    obj["status"] = _old_hpa_status(status)
    return obj


def _saved(spec: Object, status: Object) -> dict[str, str]:
    """What goes into annotations."""
    found: dict[str, str] = {}
    metrics = spec.get("metrics") or []
    others = [metric for metric in metrics if _cpu_utilization(metric, "target") is None]
    if others:
        found[METRICS] = orjson.dumps(_old_metrics(others, status=False)).decode()
    if current := status.get("currentMetrics"):
        found[CURRENT_METRICS] = orjson.dumps(_old_metrics(current, status=True)).decode()
    if (behavior := spec.get("behavior")) is not None:
        found[BEHAVIOR] = _behavior_text(behavior)
    if conditions := status.get("conditions"):
        found[CONDITIONS] = orjson.dumps(conditions).decode()
    return found


def _old_spec(spec: Object) -> Object:
    utilizations = (_cpu_utilization(m, "target") for m in spec.get("metrics") or [])
    return _present(
        scaleTargetRef=spec.get("scaleTargetRef"),
        minReplicas=spec.get("minReplicas"),
        maxReplicas=spec.get("maxReplicas", 0),
        targetCPUUtilizationPercentage=next((u for u in utilizations if u is not None), None),
    )


def _old_hpa_status(status: Object) -> Object:
    utilizations = (_cpu_utilization(m, "current") for m in status.get("currentMetrics") or [])
    found = [utilization for utilization in utilizations if utilization is not None]
    return _present(
        observedGeneration=status.get("observedGeneration"),
        lastScaleTime=status.get("lastScaleTime"),
        currentReplicas=status.get("currentReplicas", 0),
        desiredReplicas=status.get("desiredReplicas", 0),
        currentCPUUtilizationPercentage=found[-1] if found else None,
    )


def _to_storage(obj: Object) -> Object:
    saved = (obj.get("metadata") or {}).get("annotations") or {}
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    obj["apiVersion"] = "autoscaling/v2"
    obj["spec"] = _new_spec(spec, saved)
    obj["status"] = _new_hpa_status(status, saved)
    _set_annotations(obj, {})
    return obj


def _new_spec(spec: Object, saved: dict[str, str]) -> Object:
    utilization = spec.get("targetCPUUtilizationPercentage")
    metrics = [_new_metric(old, status=False) for old in _read(saved, METRICS)]
    if utilization is not None:
        metrics.append(_cpu_metric(utilization))
    return _present(
        scaleTargetRef=spec.get("scaleTargetRef"),
        minReplicas=spec.get("minReplicas"),
        maxReplicas=spec.get("maxReplicas", 0),
        metrics=metrics or [_cpu_metric(DEFAULT_CPU_UTILIZATION)],
        behavior=_external_behavior(_read(saved, BEHAVIOR)) or None,
    )


def _new_hpa_status(status: Object, saved: dict[str, str]) -> Object:
    utilization = status.get("currentCPUUtilizationPercentage")
    metrics = [_new_metric(old, status=True) for old in _read(saved, CURRENT_METRICS)]
    if not metrics and utilization is not None:
        current = {"averageUtilization": utilization}
        metrics = [{"type": "Resource", "resource": {"name": "cpu", "current": current}}]
    return _present(
        observedGeneration=status.get("observedGeneration"),
        lastScaleTime=status.get("lastScaleTime"),
        currentReplicas=status.get("currentReplicas") or None,
        desiredReplicas=status.get("desiredReplicas", 0),
        currentMetrics=metrics or None,
        conditions=_read(saved, CONDITIONS) or None,
    )


def _read(saved: dict[str, str], name: str) -> Any:
    """What an annotation holds; nothing when it is not JSON."""
    try:
        return orjson.loads(saved[name]) if name in saved else []
    except orjson.JSONDecodeError:
        return []


def _set_annotations(obj: Object, saved: dict[str, str]) -> None:
    meta = obj.setdefault("metadata", {})
    kept = {k: v for k, v in (meta.get("annotations") or {}).items() if k not in ROUND_TRIP}
    kept |= saved
    if kept:
        meta["annotations"] = kept
    else:
        meta.pop("annotations", None)


HORIZONTAL_POD_AUTOSCALER = Conversion(
    to_storage=_to_storage, from_storage=_from_storage, more_defaults=True
)
