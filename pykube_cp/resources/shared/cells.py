"""What the columns of many kinds have in common."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pykube_cp.machinery import quantity
from pykube_cp.machinery.objects import Object, nested
from pykube_cp.registry import table
from pykube_cp.registry.resource import Column

NONE = "<none>"
UNSET = "<unset>"

Value = Callable[[Object], Any]


def at(*path: str, default: Any = "") -> Value:
    """What stands at a path; ``default`` where Go has a nil pointer or the zero value."""

    def value(obj: Object) -> Any:
        found: Any = obj
        for step in path:
            found = found.get(step)
            if found is None:
                return default
        return found

    return value


def filled(*path: str, default: str = NONE) -> Value:
    """As ``at``, with ``default`` for what is empty as well."""
    found = at(*path)
    return lambda obj: found(obj) or default


def number(*path: str) -> Value:
    return at(*path, default=0)


def flag(*path: str) -> Value:
    return at(*path, default=False)


def count(*path: str) -> Value:
    """How many elements a list or a map has."""
    found = at(*path, default=())
    return lambda obj: len(found(obj))


def joined(*path: str, default: str = "") -> Value:
    """The texts of a list, by commas."""
    found = at(*path, default=())
    return lambda obj: ",".join(found(obj)) or default


def labels_at(*path: str) -> Value:
    found = at(*path, default=None)
    return lambda obj: labels_text(found(obj))


def labels_text(labels: Mapping[str, str] | None) -> str:
    # upstream: apimachinery pkg/labels/labels.go FormatLabels
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def more(texts: Sequence[str], limit: int) -> str:
    """The first few, and how many there are besides."""
    shown = ",".join(texts[:limit])
    return f"{shown} + {len(texts) - limit} more..." if len(texts) > limit else shown


def some(texts: Sequence[str], limit: int = 3) -> str:
    """As ``more``, with a word for nothing at all."""
    # upstream: pkg/printers/internalversion/printers.go listWithMoreString
    return more(texts, limit) or UNSET


def items(obj: Object, *path: str) -> Sequence[Any]:
    """The list at a path, empty when there is none."""
    found: Sequence[Any] = nested(obj, *path, default=())
    return found


def conditions(obj: Object) -> Sequence[Object]:
    return items(obj, "status", "conditions")


def condition(obj: Object, kind: str) -> Object | None:
    """The status condition of a type."""
    return next((found for found in conditions(obj) if found.get("type") == kind), None)


def conditions_by_type(obj: Object) -> dict[str, Object]:
    """The status conditions; of several of a type the last."""
    return {found.get("type", ""): found for found in conditions(obj)}


def has_condition(obj: Object, kind: str) -> bool:
    """Whether the condition of that type is True; of several the first."""
    return is_true(condition(obj, kind))


def is_true(found: Object | None) -> bool:
    return found is not None and found.get("status") == "True"


def quantity_text(value: Any) -> str:
    """As Go prints a ``Quantity``, the zero value included."""
    return quantity.canonical(str(value)) if value is not None else "0"


def group_resource(group: str, resource: str) -> str:
    return f"{resource}.{group}" if group else resource


def host_port(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def load_balancer(obj: Object) -> list[str]:
    """The points where a load balancer takes traffic."""
    # upstream: pkg/printers/internalversion/printers.go loadBalancerStatusStringer
    ingress = items(obj, "status", "loadBalancer", "ingress")
    return sorted({point.get("ip") or point.get("hostname") or "" for point in ingress} - {""})


def container_columns(*spec: str, priority: int = 1) -> tuple[Column, Column]:
    """Names and images of the containers in the pod spec at a path."""
    found = at(*spec, "containers", default=())

    def texts(field: str) -> Value:
        return lambda obj: ",".join(_fields(found(obj), field))

    return (
        Column(
            "Containers",
            texts("name"),
            priority=priority,
            description="Names of each container in the template.",
        ),
        Column(
            "Images",
            texts("image"),
            priority=priority,
            description="Images referenced by each container in the template.",
        ),
    )


def _fields(containers: Iterable[Object], field: str) -> Iterable[str]:
    return (container.get(field) or "" for container in containers)


def age_at(*path: str, default: str = table.UNKNOWN) -> Value:
    """How long ago the time at a path was."""
    found = at(*path, default=None)

    def value(obj: Object) -> str:
        time = found(obj)
        return table.age(time) if time else default

    return value
