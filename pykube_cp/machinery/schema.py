"""The built-in types as a model to walk: what fields a type has and what is said about each.

Read from ``data/types.json`` on first use, each type built when first asked for. Whoever has rules
about types (defaults, checks, merging) compiles them once per type with ``compile_plan`` and then
visits only the branches under which some rule applies.
"""

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast

import orjson

from pykube_cp.machinery.gvk import GVK

ScalarName: TypeAlias = Literal["string", "bool", "int32", "int64", "uint8", "float64", "bytes"]
SCALARS = frozenset({"string", "bool", "int32", "int64", "uint8", "float64", "bytes"})

LIST_KIND_SUFFIX = "List"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."


@dataclass(frozen=True, slots=True)
class Scalar:
    """A JSON scalar; ``bytes`` is base64 text. ``go_type`` is how Go prints it: ``v1.PodPhase``."""

    name: ScalarName
    go_type: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A type with a JSON form of its own, not described by fields.

    Time, MicroTime, Duration, Quantity, IntOrString; FieldsV1, RawExtension, JSON, any (free JSON);
    JSONSchemaPropsOrArray, JSONSchemaPropsOrBool, JSONSchemaPropsOrStringArray, whose schema is of
    the type named ``refers``.
    """

    name: str
    go_type: str
    refers: str = ""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list. ``boxed``: protobuf wraps it in a message; ``nullable``: items are Go pointers."""

    items: "AnyType"
    go_type: str
    boxed: bool = False
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map with string keys. ``nullable``: values are Go pointers."""

    values: "AnyType"
    go_type: str
    nullable: bool = False


@dataclass(slots=True, eq=False)
class Type:
    """A struct.

    Attributes:
        name: as OpenAPI names it, ``io.k8s.api.core.v1.Pod``.
        go_type: as Go prints it, ``v1.Pod``.
        protobuf: whether it has a protobuf form.
        fields: by JSON name, in Go's order; members of inlined structs stand in place.
        facts: what OpenAPI says about the type: ``mapType``, ``unions``.
    """

    name: str
    go_type: str
    protobuf: bool
    facts: Mapping[str, Any]
    fields: dict[str, "Field"] = field(default_factory=dict)

    @property
    def go_name(self) -> str:
        """Without its package: ``Pod``."""
        return self.go_type.rpartition(".")[2]

    @property
    def map_type(self) -> str:
        """``atomic``, or empty for granular."""
        return str(self.facts.get("mapType", ""))

    def __repr__(self) -> str:
        return f"Type({self.name})"


AnyType: TypeAlias = Scalar | Leaf | ListOf | MapOf | Type


@dataclass(frozen=True, slots=True)
class Embed:
    """A Go struct that was inlined: its name, and its protobuf number (0: absent from protobuf)."""

    go_name: str
    number: int


@dataclass(slots=True, eq=False)
class Field:
    """A member of a struct.

    Attributes:
        go_name: ``PodIP`` of ``podIP``.
        pointer: a Go pointer, so that a zero value differs from none.
        omitempty: left out of JSON when false, 0, empty or a nil pointer; structs never are.
        omitzero: left out when zero, structs too.
        number: of protobuf, 0 when it has none; ``embeds`` are the messages on the way.
        required: as OpenAPI says.
        patch_strategy, merge_key: of strategic merge patch.
        facts: what OpenAPI says: ``default``, ``enum``, ``format``, ``listType``, ``listMapKeys``,
            ``mapType``, ``items`` (the same about elements).
    """

    name: str
    go_name: str
    type: AnyType
    pointer: bool
    omitempty: bool
    omitzero: bool
    number: int
    embeds: tuple[Embed, ...]
    required: bool
    patch_strategy: tuple[str, ...]
    merge_key: str
    facts: Mapping[str, Any]

    @property
    def go_type(self) -> str:
        return self.type.go_type

    @property
    def list_type(self) -> str:
        """``atomic``, ``set``, ``map``, or empty when nothing is said (which means atomic)."""
        return str(self.facts.get("listType", ""))

    @property
    def list_map_keys(self) -> Sequence[str]:
        return cast("Sequence[str]", self.facts.get("listMapKeys", ()))

    @property
    def map_type(self) -> str:
        """``atomic``, or empty for granular."""
        return str(self.facts.get("mapType", ""))

    @property
    def default(self) -> Any:
        """As OpenAPI says, often Go's zero value; not what defaulting sets."""
        return self.facts.get("default")

    @property
    def enum(self) -> Sequence[Any]:
        return cast("Sequence[Any]", self.facts.get("enum", ()))

    @property
    def format(self) -> str:
        return str(self.facts.get("format", ""))

    @property
    def item_facts(self) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", self.facts.get("items", {}))

    def __repr__(self) -> str:
        return f"Field({self.name})"


class _Catalog:
    """What types.json holds, with the types built so far."""

    def __init__(self) -> None:
        data = resources.files("pykube_cp.machinery.data").joinpath("types.json").read_bytes()
        document = orjson.loads(data)
        self.raw: dict[str, Any] = document["types"]
        self.upstream: str = document["upstream"]
        self.kinds = {GVK(*row[:3]): row[3] for row in document["kinds"]}
        self.deprecated: dict[GVK, str] = {
            GVK(*row[:3]): row[4] for row in document["kinds"] if len(row) > 4
        }
        self.built: dict[str, Type] = {}
        self._unfinished: dict[str, Type] = {}
        self._building = threading.RLock()

    def type_named(self, name: str) -> Type:
        known = self.built.get(name)
        return known if known is not None else self._build(name)

    def _build(self, name: str) -> Type:
        # Documents are made in a thread: nobody may see a type whose fields are not all there.
        with self._building:
            known = self.built.get(name) or self._unfinished.get(name)
            if known is not None:
                return known
            outermost = not self._unfinished
            raw = self.raw[name]
            made = Type(name, raw["go"], raw.get("pb", False), raw.get("schema", {}))
            self._unfinished[name] = made  # before its fields: types may contain themselves
            for row in raw["fields"]:
                made.fields[row["n"]] = self._field(row, name)
            if outermost:
                self.built.update(self._unfinished)
                self._unfinished.clear()
            return made

    def _field(self, row: Mapping[str, Any], owner: str) -> Field:
        omit = row.get("e", "")
        strategy = row.get("ps", "")
        return Field(
            name=row["n"],
            go_name=row.get("f") or row["n"][:1].upper() + row["n"][1:],
            type=self._parse(row["t"], row.get("go", ""), owner),
            pointer=row.get("p", False),
            omitempty="e" in omit,
            omitzero="z" in omit,
            number=int(row.get("pb", "0 ")[:-1]),
            embeds=tuple(_embed(text) for text in row.get("in", ())),
            required=row.get("r", False),
            patch_strategy=tuple(strategy.split(",")) if strategy else (),
            merge_key=row.get("pk", ""),
            facts=row.get("s", {}),
        )

    def _parse(self, text: str, go_type: str, owner: str) -> AnyType:
        if text in SCALARS:
            return Scalar(cast("ScalarName", text), go_type or _go_scalar(text))
        if text.startswith(("[]", "@[]")):
            return self._list(text, go_type, owner)
        if text.startswith("map["):
            return self._map(text, go_type, owner)
        if "." in text:
            return self.type_named(text)
        return Leaf(text, go_type or "interface {}", owner if "Props" in text else "")

    def _list(self, text: str, go_type: str, owner: str) -> ListOf:
        inner = text.removeprefix("@").removeprefix("[]")
        below = go_type[2:] if go_type.startswith("[]") else ""
        items = self._parse(inner.removeprefix("*"), below.removeprefix("*"), owner)
        nullable = inner.startswith("*")
        written = go_type or ("[]*" if nullable else "[]") + items.go_type
        return ListOf(items, written, boxed=text.startswith("@"), nullable=nullable)

    def _map(self, text: str, go_type: str, owner: str) -> MapOf:
        inner = text.partition("]")[2]
        below = go_type.partition("]")[2] if go_type.startswith("map[") else ""
        values = self._parse(inner.removeprefix("*"), below.removeprefix("*"), owner)
        nullable = inner.startswith("*")
        written = go_type or ("map[string]*" if nullable else "map[string]") + values.go_type
        return MapOf(values, written, nullable=nullable)


def _embed(text: str) -> Embed:
    go_name, _, number = text.partition(":")
    return Embed(go_name, int(number or 0))


def _go_scalar(name: str) -> str:
    return "[]uint8" if name == "bytes" else name


@functools.cache
def _catalog() -> _Catalog:
    return _Catalog()


def upstream_tag() -> str:
    """The upstream release the data was made from."""
    return _catalog().upstream


def type_named(name: str) -> Type:
    """The type of that OpenAPI name; ``KeyError`` if there is none."""
    return _catalog().type_named(name)


def find(gvk: GVK) -> Type | None:
    """The type of a kind, or None. Options and WatchEvent belong to every group and version."""
    catalog = _catalog()
    name = catalog.kinds.get(gvk)
    if name is None:
        name = catalog.kinds.get(GVK("", "v1", gvk.kind), "")
        if not name.startswith(META):
            return None
    return catalog.type_named(name)


def type_of(gvk: GVK) -> Type:
    """The type of a kind; ``KeyError`` if it is not a built-in one."""
    found = find(gvk)
    if found is None:
        raise KeyError(gvk)
    return found


def kinds() -> Mapping[GVK, str]:
    """Every registered kind and the name of its type."""
    return _catalog().kinds


def has_kind(group: str, kind: str) -> bool:
    """Whether the group has the kind, in whatever version."""
    return any((gvk.group, gvk.kind) == (group, kind) for gvk in kinds())


def deprecation_warning(gvk: GVK) -> str:
    """What upstream says of a kind that this release calls deprecated; empty for others."""
    return _catalog().deprecated.get(gvk, "")


def type_names() -> Sequence[str]:
    return list(_catalog().raw)


Plan = TypeVar("Plan", bound=Callable[..., Any])


class Visitor(Generic[Plan]):
    """What to compile for each place in a type; None where there is nothing to do.

    ``field`` is the member under which the place stands, None at the root. Plans of the same
    visitor take the same arguments.
    """

    def scalar(self, kind: Scalar | Leaf, field: Field | None) -> Plan | None:
        """A plan for a scalar or a leaf; none unless a visitor says so."""
        del kind, field
        return None

    def list_of(self, kind: ListOf, items: Plan | None, field: Field | None) -> Plan | None:
        """A plan for a list whose items have the plan ``items``."""
        raise NotImplementedError

    def map_of(self, kind: MapOf, values: Plan | None, field: Field | None) -> Plan | None:
        """A plan for a map whose values have the plan ``values``."""
        raise NotImplementedError

    def struct(self, kind: Type, members: Sequence[tuple[Field, Plan]]) -> Plan | None:
        """A plan for a struct; ``members`` are the fields that have a plan."""
        raise NotImplementedError


class Compiler(Generic[Plan]):
    """Compiles plans of one visitor, each struct once, for all threads; a type may contain itself."""

    def __init__(self, visitor: Visitor[Plan]) -> None:
        self._visitor = visitor
        self._done: dict[str, Plan | None] = {}
        self._open: dict[str, bool] = {}
        """Structs being compiled; True when references to them become calls by name."""
        self._recursive: set[str] = set()
        self._compiling = threading.RLock()

    def compile(self, kind: Type) -> Plan | None:
        """The plan of a struct, None when nothing in it has one."""
        with self._compiling:
            return self._compile(kind)

    def _compile(self, kind: Type) -> Plan | None:
        if kind.name in self._done:
            return self._done[kind.name]
        if kind.name in self._open:
            self._recursive.add(kind.name)
            return self._by_name(kind.name) if self._open[kind.name] else None
        before = dict(self._done)
        plan = self._struct(kind, by_name=False)
        if plan is not None and kind.name in self._recursive:
            self._done = before  # what was compiled inside took the reference for None
            plan = self._struct(kind, by_name=True)
        self._done[kind.name] = plan
        return plan

    def _struct(self, kind: Type, *, by_name: bool) -> Plan | None:
        self._open[kind.name] = by_name
        try:
            return self._visitor.struct(kind, self._members(kind))
        finally:
            del self._open[kind.name]

    def _members(self, kind: Type) -> list[tuple[Field, Plan]]:
        plans = ((member, self._any(member.type, member)) for member in kind.fields.values())
        return [(member, plan) for member, plan in plans if plan is not None]

    def _any(self, kind: AnyType, field: Field | None) -> Plan | None:
        match kind:
            case Type():
                return self.compile(kind)
            case ListOf():
                return self._visitor.list_of(kind, self._any(kind.items, field), field)
            case MapOf():
                return self._visitor.map_of(kind, self._any(kind.values, field), field)
            case Scalar() | Leaf():
                return self._visitor.scalar(kind, field)

    def _by_name(self, name: str) -> Plan:
        def call(*arguments: Any) -> Any:
            plan = self._done[name]
            assert plan is not None
            return plan(*arguments)

        return cast("Plan", call)


def compile_plan(kind: Type, visitor: Visitor[Plan]) -> Plan | None:
    """The visitor's plan for a type. To compile several types, keep one ``Compiler``."""
    return Compiler(visitor).compile(kind)
