"""Defaults that are plain values."""

from collections.abc import Callable, Mapping
from typing import Any

from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext

Default = Callable[[Object, RuleContext], None]


def fill(owner: Object, values: Mapping[str, Any]) -> None:
    """Set the fields that are not there."""
    for field, value in values.items():
        if owner.get(field) is None:
            owner[field] = value


def fill_zeros(owner: Object, values: Mapping[str, Any]) -> None:
    """Set the fields that are not there or empty: for those, upstream's type has no pointer."""
    for field, value in values.items():
        if not owner.get(field):
            owner[field] = value


def missing(**values: str | int) -> Default:
    """``fill`` as the rule of a type."""
    return lambda owner, _ctx: fill(owner, values)


def zeros(**values: str | int) -> Default:
    """``fill_zeros`` as the rule of a type."""
    return lambda owner, _ctx: fill_zeros(owner, values)
