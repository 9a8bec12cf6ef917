"""Objects as rows of a Table, the form in which ``kubectl get`` asks for them."""
# upstream: apiserver pkg/registry/rest/table.go defaultTableConvertor

from collections.abc import Iterable
from typing import Any

from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.registry import descriptions
from pykube_cp.registry.resource import Column, Resource, TableRow

UNKNOWN = "<unknown>"

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24


_definitions: dict[GVR, tuple[Resource, list[Object]]] = {}


def definitions(resource: Resource) -> list[Object]:
    """The heads of the columns, as ``TableColumnDefinition``; not to be changed."""
    row, made = _definitions.get(resource.gvr, (None, []))
    if row is not resource:
        made = _definitions_of(resource)
        _definitions[resource.gvr] = resource, made
    return made


def _definitions_of(resource: Resource) -> list[Object]:
    columns = [column for column in columns_of(resource) if column.name]
    said = descriptions.of_fields({each.described_by for each in columns if each.described_by})
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": column.description or said.get(column.described_by, ""),
            "priority": column.priority,
        }
        for column in columns
    ]


def cells(resource: Resource, obj: Object) -> list[Any]:
    """The row of an object of the stored version, a value per column."""
    return [column.value(obj) for column in columns_of(resource)]


def rows(
    resource: Resource, objs: Iterable[Object], *, listed: bool, stored: bool = False
) -> list[TableRow]:
    """All rows in order; ``listed`` unless they show what was asked for by name or watched.

    The objects are of the served version, or, ``stored``, as storage has them.
    """
    found = [_row(resource, obj, stored=stored) for obj in objs]
    if listed and resource.finish_rows is not None:
        return resource.finish_rows(found)
    return found


def _row(resource: Resource, obj: Object, *, stored: bool) -> TableRow:
    """Cells tell of the stored version, except of custom kinds; the row has the served one."""
    shown = obj
    if (conversion := resource.conversion) is not None:
        if stored:
            obj = conversion.from_storage(objects.deep_copy(obj))
        else:
            shown = conversion.to_storage(objects.deep_copy(obj))
    conditions = resource.row_conditions
    made = cells(resource, obj if resource.is_custom else shown)
    return TableRow(obj, made, conditions(obj) if conditions is not None else ())


def columns_of(resource: Resource) -> tuple[Column, ...]:
    """What the row says, else upstream's columns for kinds that say nothing."""
    return resource.columns or (CUSTOM if resource.is_custom else DEFAULT)


def age(timestamp: str | None) -> str:
    """How long ago a time was, in two or three figures."""
    # upstream: apimachinery pkg/api/meta/table/table.go ConvertToHumanReadableDateType
    if not timestamp:
        return UNKNOWN
    return human_duration(clock.now() - clock.parse_time(timestamp))


def human_duration(seconds: float) -> str:
    """A time span in two or three figures: ``59s``, ``2m5s``, ``3h20m``, ``5d3h``, ``2y10d``."""
    # upstream: apimachinery pkg/util/duration/duration.go HumanDuration
    whole = int(seconds)
    if whole < 2 * _MINUTE:
        # A clock that is a second ahead is no reason to call the time invalid.
        return "<invalid>" if whole < -1 else f"{max(whole, 0)}s"
    minutes, hours = whole // _MINUTE, whole // _HOUR
    if minutes < 10:
        return _two_figures(minutes, "m", whole % _MINUTE, "s")
    if minutes < 3 * _MINUTE:
        return f"{minutes}m"
    if hours < 8:
        return _two_figures(hours, "h", minutes % _MINUTE, "m")
    if hours < 2 * _DAY:
        return f"{hours}h"
    return _days(hours)


def _days(hours: int) -> str:
    days, years = hours // _DAY, hours // _DAY // 365
    if days < 8:
        return _two_figures(days, "d", hours % _DAY, "h")
    if years < 2:
        return f"{days}d"
    if years < 8:
        return _two_figures(years, "y", days % 365, "d")
    return f"{years}y"


def _two_figures(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def object_age(obj: Object) -> str:
    """The cell of the column Age."""
    return age(objects.metadata(obj).get("creationTimestamp"))


def created_at(obj: Object) -> str:
    """The time of creation itself; Go writes its zero time where there is none."""
    return objects.metadata(obj).get("creationTimestamp") or "0001-01-01T00:00:00Z"


_CREATED = "meta.v1.ObjectMeta.creationTimestamp"

NAME = Column("Name", objects.name, format="name", described_by="meta.v1.ObjectMeta.name")
AGE = Column("Age", object_age, described_by=_CREATED)

DEFAULT = (NAME, Column("Created At", created_at, type="date", described_by=_CREATED))
CUSTOM = (NAME, Column("Age", object_age, type="date", described_by=_CREATED))
