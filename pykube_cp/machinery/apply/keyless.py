"""Lists told apart by keys that an element may lack: upstream can then say nothing of the object.

Only branches with such lists are visited, which most types have none of.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pykube_cp.machinery.apply.elements import elements_of
from pykube_cp.machinery.apply.fields import FieldsError
from pykube_cp.machinery.apply.shapes import ListShape, list_shape
from pykube_cp.machinery.schema import Compiler, Field, ListOf, MapOf, Type, Visitor

Plan = Callable[[Any], None]


def check(kind: Type, obj: Mapping[str, Any]) -> None:
    """``FieldsError``, with the place, when an element cannot be told from the others."""
    plan = _compiler.compile(kind)
    if plan is not None:
        plan(obj)


class _Keyless(Visitor[Plan]):
    """Plans that ask for the keys of elements."""

    def list_of(self, kind: ListOf, items: Plan | None, field: Field | None) -> Plan | None:
        shape = list_shape(kind, field).list if field is not None and field.type is kind else None
        if shape is None or not _may_lack_keys(shape, kind):
            return None if items is None else _each(items)
        return _with_keys(shape, items)

    def map_of(self, kind: MapOf, values: Plan | None, field: Field | None) -> Plan | None:
        if values is None:
            return None
        each = _each(values)
        return lambda value: each(value.values())

    def struct(self, kind: Type, members: Sequence[tuple[Field, Plan]]) -> Plan | None:
        plans = [(field.name, plan) for field, plan in members]

        def run(value: Any) -> None:
            for name, plan in plans:
                member = value.get(name)
                if not member:
                    continue
                try:
                    plan(member)
                except FieldsError as error:
                    raise FieldsError(f".{name}{error}") from None

        return run if plans else None


def _may_lack_keys(shape: ListShape, kind: ListOf) -> bool:
    """Whether Go may leave all keys of an element out."""
    if shape.atomic or not shape.keys or shape.defaults or not isinstance(kind.items, Type):
        return False
    fields = kind.items.fields
    return all(fields[key].omitempty or fields[key].omitzero for key in shape.keys if key in fields)


def _each(items: Plan) -> Plan:
    def run(value: Any) -> None:
        for item in value:
            if item:
                items(item)

    return run


def _with_keys(shape: ListShape, items: Plan | None) -> Plan:
    each = _each(items) if items is not None else None

    def run(value: Any) -> None:
        try:
            elements_of(shape, value)
        except FieldsError as error:
            raise FieldsError(f": {error}") from None
        if each is not None:
            each(value)

    return run


_compiler = Compiler(_Keyless())
