"""``Table``: what ``kubectl get`` prints, computed by the server."""
# upstream: pkg/printers/tablegenerator.go, apiserver pkg/registry/rest/table.go

from collections.abc import Callable, Sequence
from typing import Any

from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Column, Resource

UNKNOWN, INVALID = "<unknown>", "<invalid>"

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 365 * 86400


def human_duration(seconds: float) -> str:
    """A time span as people say it: ``59s``, ``5m10s``, ``3h``, ``2d4h``, ``3y20d``."""
    # upstream: apimachinery pkg/util/duration/duration.go HumanDuration
    whole = int(seconds)
    if whole < -1:
        return INVALID
    if whole < 2 * _MINUTE:
        return f"{max(whole, 0)}s"
    minutes, hours, days = whole // _MINUTE, whole // _HOUR, whole // _DAY
    if minutes < 10:
        return _two(minutes, "m", whole % 60, "s")
    if minutes < 3 * 60:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _two(days, "d", hours % 24, "h")
    if whole < 2 * _YEAR:
        return f"{days}d"
    return _two(days // 365, "y", days % 365 if whole < 8 * _YEAR else 0, "d")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def age(timestamp: str | None) -> str:
    """Time since an RFC 3339 timestamp; ``<unknown>`` when there is none."""
    return human_duration(clock.now() - clock.parse_time(timestamp)) if timestamp else UNKNOWN


_DEFAULT_COLUMNS = (
    Column(
        "Name",
        objects.name,
        format="name",
        description=(
            "Name must be unique within a namespace. Is required when creating resources, although "
            "some resources may allow a client to request the generation of an appropriate name "
            "automatically. Name is primarily intended for creation idempotence and configuration "
            "definition. Cannot be updated. More info: "
            "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
        ),
    ),
    Column(
        "Created At",
        lambda obj: objects.metadata(obj).get("creationTimestamp"),
        type="date",
        description=(
            "CreationTimestamp is a timestamp representing the server time when this object was "
            "created. It is not guaranteed to be set in happens-before order across separate "
            "operations. Clients may not set this value. It is represented in RFC3339 form and is "
            "in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: "
            "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
            "#metadata"
        ),
    ),
)


def columns(resource: Resource) -> tuple[Column, ...]:
    """The columns of a resource, or name and creation time for those without any."""
    return resource.columns or _DEFAULT_COLUMNS


def column_definitions(resource: Resource) -> list[Object]:
    """``columnDefinitions`` of a Table."""
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description,
            "priority": column.priority,
        }
        for column in columns(resource)
    ]


def cells(resource: Resource, obj: Object) -> list[Any]:
    """The cells of one row; ``obj`` is in the stored version."""
    return [column.value(obj) for column in columns(resource)]


def table(
    resource: Resource,
    items: Sequence[Object],
    shown: Callable[[Object], Object | None],
    *,
    list_meta: Object | None = None,
    with_headers: bool = True,
) -> Object:
    """A whole Table.

    Args:
        resource: whose objects they are.
        items: in the stored version.
        shown: what a row carries of its object (``includeObject``): the object, its metadata only,
            or nothing.
        list_meta: resourceVersion, continue and the like.
        with_headers: false in watch events after the first.
    """
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": list_meta or {},
        "columnDefinitions": column_definitions(resource) if with_headers else None,
        "rows": [{"cells": cells(resource, obj), "object": shown(obj)} for obj in items],
    }
