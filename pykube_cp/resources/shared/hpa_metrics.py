"""Metrics by which the number of pods is chosen."""
# upstream: pkg/apis/autoscaling/validation/validation.go validateMetricSpec

from collections.abc import Sequence

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, resource_names

_FIELDS = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
_ORDER = ("object", "external", "pods", "resource", "containerResource")
_TARGETS = ("Utilization", "Value", "AverageValue")


def check_reference(reference: Object, path: Path) -> checks.Errors:
    # upstream: autoscaling validation.go ValidateCrossVersionObjectReference
    found = []
    for field in ("kind", "name"):
        found += checks.must_name(reference, path, field, names.is_path_segment_name)
    version = reference.get("apiVersion") or ""
    return found + checks.group_version(version, path.child("apiVersion"))


def check(metrics: Sequence[Object], low: int | None, path: Path) -> checks.Errors:
    found = []
    for position, metric in enumerate(metrics):
        found += _metric(metric, path.index(position))
    if low == 0 and not any(metric.get("type") in {"Object", "External"} for metric in metrics):
        text = (
            "must specify at least one Object or External metric to support scaling to zero "
            "replicas"
        )
        found.append(FieldError.forbidden(path, text))
    return found


def _metric(metric: Object, path: Path) -> checks.Errors:
    kind, where = metric.get("type") or "", path.child("type")
    found = []
    if not kind:
        found.append(FieldError.required(where, "must specify a metric source type"))
    if kind not in _FIELDS:
        found += [FieldError.not_supported(where, kind, tuple(_FIELDS))] * 2
    given = [field for field in _ORDER if metric.get(field) is not None]
    if given:
        found += _SOURCES[given[0]](metric[given[0]], path.child(given[0]))
    expected = _FIELDS.get(kind)
    if expected is not None and expected not in given:
        text = "must populate information for the given metric source"
        found.append(FieldError.required(path.child(expected), text))
    if len(given) > 1:
        text = "must populate the given metric source only"
        found += [FieldError.forbidden(path.child(f), text) for f in given if f != expected]
    return found


def _target(source: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/autoscaling/validation/validation.go validateMetricTarget
    target = source.get("target") or {}
    kind, where = target.get("type") or "", path.child("target", "type")
    found = []
    if not kind:
        found.append(FieldError.required(where, "must specify a metric target type"))
    if kind not in _TARGETS:
        text = "must be either Utilization, Value, or AverageValue"
        found.append(FieldError.invalid(where, kind, text))
    for field in ("value", "averageValue"):
        amount = checks.quantity(target[field]) if target.get(field) is not None else None
        if amount is not None and amount.sign() != 1:
            place = path.child("target", field)
            found.append(FieldError.invalid(place, str(amount), "must be positive"))
    utilization = target.get("averageUtilization")
    if utilization is not None and utilization < 1:
        place = path.child("target", "averageUtilization")
        found.append(FieldError.invalid(place, utilization, "must be greater than 0"))
    return found


def _identified(source: Object, path: Path) -> checks.Errors:
    metric, where = source.get("metric") or {}, path.child("metric")
    if not metric.get("name"):
        found = [FieldError.required(where.child("name"), "must specify a metric name")]
    else:
        found = checks.named(metric, where, "name", names.is_path_segment_name)
    return found + _target(source, path)


def _has(source: Object, field: str) -> bool:
    return (source.get("target") or {}).get(field) is not None


def _object(source: Object, path: Path) -> checks.Errors:
    found = check_reference(source.get("describedObject") or {}, path.child("describedObject"))
    found += _identified(source, path)
    if not _has(source, "value") and not _has(source, "averageValue"):
        text = "must set either a target value or averageValue"
        found.append(FieldError.required(path.child("target", "averageValue"), text))
    return found


def _external(source: Object, path: Path) -> checks.Errors:
    found = _identified(source, path)
    one, other = _has(source, "value"), _has(source, "averageValue")
    if not one and not other:
        text = "must set either a target value for metric or a per-pod target"
        found.append(FieldError.required(path.child("target", "averageValue"), text))
    if one and other:
        text = "may not set both a target value for metric and a per-pod target"
        found.append(FieldError.forbidden(path.child("target", "value"), text))
    return found


def _pods(source: Object, path: Path) -> checks.Errors:
    found = _identified(source, path)
    if not _has(source, "averageValue"):
        text = "must specify a positive target averageValue"
        found.append(FieldError.required(path.child("target", "averageValue"), text))
    return found


def _resource(source: Object, path: Path) -> checks.Errors:
    found = []
    if not source.get("name"):
        found.append(FieldError.required(path.child("name"), "must specify a resource name"))
    return found + _of_resource(source, path)


def _container(source: Object, path: Path) -> checks.Errors:
    found = []
    if not source.get("name"):
        found.append(FieldError.required(path.child("name"), "must specify a resource name"))
    else:
        found += resource_names.check_of_container(source["name"], path.child("name"))
    if not source.get("container"):
        found.append(FieldError.required(path.child("container"), "must specify a container"))
    else:
        found += checks.label(source["container"], path.child("container"))
    return found + _of_resource(source, path)


def _of_resource(source: Object, path: Path) -> checks.Errors:
    found = _target(source, path)
    one, other = _has(source, "averageUtilization"), _has(source, "averageValue")
    if not one and not other:
        text = "must set either a target raw value or a target utilization"
        found.append(FieldError.required(path.child("target", "averageUtilization"), text))
    if one and other:
        text = "may not set both a target raw value and a target utilization"
        found.append(FieldError.forbidden(path.child("target", "averageValue"), text))
    return found


_SOURCES = {
    "object": _object,
    "external": _external,
    "pods": _pods,
    "resource": _resource,
    "containerResource": _container,
}
