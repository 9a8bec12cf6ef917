"""A row: all that is particular about a resource, said as data.

Discovery, routes, Table, protobuf, RBAC verbs, OpenAPI and the golden tests follow from it. One row
is one resource in one served version; a row whose objects are stored as another row's (an HPA of
``autoscaling/v1``, an Event of ``events.k8s.io/v1``) names that row in ``stored_as`` and says how to
convert. A CustomResourceDefinition becomes the same kind of row at run time.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.declarative import LOOSELY, Declarations
from pykube_cp.registry.strategy import Strategy

_ALWAYS_SELECTABLE = ("metadata.name", "metadata.namespace")
READ_WRITE = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
STATUS_VERBS = ("get", "patch", "update")
CREATE_ONLY = ("create",)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of ``kubectl get``. ``value`` is computed from the object; priority 0 is always shown.

    What ``description`` leaves open is said of the field ``described_by``, such as
    ``core.v1.Event.reason``.
    """

    name: str
    value: Callable[[Object], Any]
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""
    described_by: str = ""


@dataclass(slots=True)
class TableRow:
    """An object's row in a Table, before it takes its form on the wire."""

    obj: Object
    cells: list[Any]
    conditions: Sequence[Object] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subresource:
    """A subresource: its name below the object, what kind it speaks if not the resource's, its verbs.

    ``strategy`` is set for those that are another view on the stored object (status and the like);
    behaviour of the others stands in ``resources/subresources``. ``has_table`` says whether it can
    be shown as a Table.
    """

    name: str
    verbs: tuple[str, ...]
    kind: GVK | None = None
    strategy: Strategy | None = None
    has_table: bool = True


def status(strategy: Strategy, *, has_table: bool = True) -> Subresource:
    return Subresource(name="status", verbs=STATUS_VERBS, strategy=strategy, has_table=has_table)


SCALE = Subresource(name="scale", kind=GVK("autoscaling", "v1", "Scale"), verbs=STATUS_VERBS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """How a served version relates to the stored one. Both functions take and keep a fresh object.

    ``more_defaults`` says that the stored version has defaults which the served one does not have.
    """

    to_storage: Callable[[Object], Object]
    from_storage: Callable[[Object], Object]
    more_defaults: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One resource in one served version.

    Attributes:
        columns: written for objects of the stored version, whatever version is served.
        row_conditions: what a Table says of an object's row as a whole (a pod that has ended).
        null_rows: whether a Table without rows has null for them, as of all kinds without columns.
        finish_rows: brings a list's rows in order and marks what depends on the other rows.
        selectable_fields: field label -> function of the object giving the text to compare;
            ``metadata.name`` is always there, and ``metadata.namespace`` where ``is_selectable``.
        not_selectable: what is said of any other field label, ``{}``; without selectable fields it is
            something else.
        selects_namespace: whether a namespaced kind with selectable fields has its namespace among them.
        bookmark: members of a bookmark's object: what upstream makes of an empty object of the kind.
        cached_fields: selectable fields worth keeping beside each cached object (``spec.nodeName``).
        declarations: how the rules that the kind's types declare are followed; None if they are not.
        hidden_annotations: those that stand for fields of upstream's internal type, which clients who
            ask for metadata only do not see.
        ttl_seconds: objects vanish after this time (Events), 0 for never.
        is_custom: whether a CustomResourceDefinition made it.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str = ""
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = READ_WRITE
    subresources: tuple[Subresource, ...] = ()
    columns: tuple[Column, ...] = ()
    row_conditions: Callable[[Object], Sequence[Object]] | None = None
    null_rows: bool = False
    finish_rows: Callable[[list[TableRow]], list[TableRow]] | None = None
    selectable_fields: Mapping[str, Callable[[Object], str]] = field(default_factory=dict)
    not_selectable: str = "field label not supported: {}"
    selects_namespace: bool = True
    bookmark: Mapping[str, Object] = field(default_factory=dict)
    strategy: Strategy = field(default_factory=Strategy)
    storage_version_hash: str = ""
    stored_as: GVR | None = None
    conversion: Conversion | None = None
    declarations: Declarations | None = LOOSELY
    hidden_annotations: tuple[str, ...] = ()
    ttl_seconds: int = 0
    served_by_default: bool = True
    is_custom: bool = False

    def is_selectable(self, label: str) -> bool:
        """Whether a field selector may name it."""
        # upstream: apimachinery pkg/runtime/scheme.go ConvertFieldLabel
        if label == "metadata.namespace" and self.selectable_fields:
            return self.namespaced and self.selects_namespace
        return label in self.selectable_fields or label in _ALWAYS_SELECTABLE

    @property
    def gvr(self) -> GVR:
        return GVR(self.group, self.version, self.plural)

    @property
    def storage_gvr(self) -> GVR:
        """Of the row whose objects are stored."""
        return self.stored_as or self.gvr

    @property
    def gvk(self) -> GVK:
        return GVK(self.group, self.version, self.kind)

    @property
    def api_version(self) -> str:
        return self.gvk.api_version

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    @property
    def group_resource(self) -> tuple[str, str]:
        return self.group, self.plural

    def subresource(self, name: str) -> Subresource | None:
        return next((sub for sub in self.subresources if sub.name == name), None)

    def kind_of(self, subresource: Subresource | None) -> GVK:
        """What a subresource speaks, or the resource itself."""
        own = subresource.kind if subresource is not None else None
        return own or self.gvk
