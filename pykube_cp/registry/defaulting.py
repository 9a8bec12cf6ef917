"""Fill in what a client may leave out.

Two sources, compiled into one walk per kind: defaults that the schema declares, and the ``default``
functions of type rules. The walk goes outside in, as upstream's generated defaulters do, and never
enters a branch without defaults.
"""
# upstream: pkg/apis/core/v1/zz_generated.defaults.go SetObjectDefaults_Pod

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from pykube_cp.machinery import schema
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import Compiler, Field, ListOf, MapOf, Type, Visitor
from pykube_cp.registry.rules import RuleContext, TypeRule

Plan: TypeAlias = Callable[[Any, RuleContext], None]
Default: TypeAlias = Callable[[Any, RuleContext], None]


class _Defaulter(Visitor[Plan]):
    """Compiles the walk.

    Structs that Go holds by value get their defaults even when the client left them out whole;
    ``_wanted`` names the types for which that makes a difference.
    """

    def __init__(self, rules: dict[str, Default]) -> None:
        self._rules = rules
        self._wanted: set[str] = set()

    def list_of(self, kind: ListOf, items: Plan | None, field: Field | None) -> Plan | None:
        if items is None:
            return None
        each = items

        def run(values: Any, ctx: RuleContext) -> None:
            for value in values:
                if value is not None:
                    each(value, ctx)

        return run

    def map_of(self, kind: MapOf, values: Plan | None, field: Field | None) -> Plan | None:
        if values is None:
            return self._rules.get(kind.go_type)
        each = values

        def run(members: Any, ctx: RuleContext) -> None:
            for value in members.values():
                if value is not None:
                    each(value, ctx)

        return run

    def struct(self, kind: Type, members: Sequence[tuple[Field, Plan]]) -> Plan | None:
        declared = [_declared(field) for field in kind.fields.values() if _has_default(field)]
        rule = self._rules.get(kind.name)
        needed = [field for field, _ in members if self._by_value(field)]
        if rule is not None or declared or needed:
            self._wanted.add(kind.name)
        steps = ([rule] if rule is not None else []) + declared
        steps += [_descend(field.name, plan, field in needed) for field, plan in members]
        return _sequence(steps)

    def _by_value(self, field: Field) -> bool:
        kind = field.type
        return isinstance(kind, Type) and not field.pointer and kind.name in self._wanted


def _sequence(steps: list[Plan]) -> Plan | None:
    if len(steps) <= 1:
        return steps[0] if steps else None
    fixed = tuple(steps)

    def run(value: Any, ctx: RuleContext) -> None:
        for step in fixed:
            step(value, ctx)

    return run


def _descend(name: str, plan: Plan, by_value: bool) -> Plan:  # noqa: FBT001 - two kinds of member
    def into(value: Any, ctx: RuleContext) -> None:
        member = value.get(name)
        if member is not None:
            plan(member, ctx)

    def into_value(value: Any, ctx: RuleContext) -> None:
        member = value.get(name)
        if member is not None:
            plan(member, ctx)
            return
        fresh: Object = {}
        plan(fresh, ctx)
        if fresh:
            value[name] = fresh

    return into_value if by_value else into


def _has_default(field: Field) -> bool:
    """Zero values say nothing, except behind a pointer."""
    if "default" not in field.facts:
        return False
    value = field.facts["default"]
    return field.pointer if value in ("", 0, False) else value != {}


def _declared(field: Field) -> Plan:
    name, value = field.name, field.facts["default"]
    if isinstance(value, dict):

        def set_struct(owner: Any, _ctx: RuleContext) -> None:
            if owner.get(name) is None:
                owner[name] = {key: dict(inner) for key, inner in value.items()}

        return set_struct
    if field.pointer:

        def set_missing(owner: Any, _ctx: RuleContext) -> None:
            if owner.get(name) is None:
                owner[name] = value

        return set_missing

    def set_zero(owner: Any, _ctx: RuleContext) -> None:
        if not owner.get(name):
            owner[name] = value

    return set_zero


class Defaulting:
    """The compiled defaults of a set of rules."""

    def __init__(self, rules: Iterable[TypeRule]) -> None:
        functions = {rule.type: rule.default for rule in rules if rule.default is not None}
        self._compiler = Compiler(_Defaulter(functions))
        self._plans: dict[GVK, Plan | None] = {}

    def apply(self, obj: Object, gvk: GVK) -> None:
        """Set the defaults of a built-in kind in place; other kinds are left alone."""
        try:
            plan = self._plans[gvk]
        except KeyError:
            plan = self._plans[gvk] = self._compile(gvk)
        if plan is not None:
            plan(obj, RuleContext(root=obj, kind=gvk))

    def _compile(self, gvk: GVK) -> Plan | None:
        kind = schema.find(gvk)
        return self._compiler.compile(kind) if kind is not None else None


_current: Defaulting | None = None


def use(rules: Iterable[TypeRule]) -> None:
    """Say which rules ``default`` follows. The composition root does, once."""
    global _current  # noqa: PLW0603 - the rules of the process
    _current = Defaulting(rules)


def default(obj: Object, gvk: GVK) -> None:
    """Set the defaults of ``obj``, which is of kind ``gvk``, in place."""
    assert _current is not None, "defaulting.use() comes first"
    _current.apply(obj, gvk)
