"""The rules that upstream's API types declare for their fields, as data.

Read from ``data/validations.json`` on first use. Rules of one place apply in order; those that stop
come first, all of them, and the rest only when none of them fired.
"""
# upstream: apimachinery pkg/api/validate

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Rule:
    """One check.

    Attributes:
        check: what is checked, named as upstream's function.
        level: ``alpha`` is only watched, ``beta`` takes the place of what is checked by hand as well;
            empty for rules that just hold.
        stop: whether the other rules of the place are passed over when it fires.
        quiet: whether it only stops and says nothing (an optional value that is not there).
        number: limit of a size or a value.
        words: values of an enumeration, constraints of an update, members of a union.
        keys: members that tell which items of a list are the same; one empty name stands for the
            whole item.
        field: the member that the check is about, or the option that it depends on.
        by: the member that decides.
        equal: what makes an old item not worth checking again: ``deep`` or ``direct`` equality;
            when empty, that it is the same item.
        type: the type whose rules apply.
        enabled: whether the option must be on or off.
        do: rules for what is inside.
        cases: rules by the value of the member ``by``.
    """

    check: str
    level: str = ""
    stop: bool = False
    quiet: bool = False
    number: int = 0
    words: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    field: str = ""
    by: str = ""
    equal: str = ""
    type: str = ""
    enabled: bool = False
    do: tuple["Rule", ...] = ()
    cases: tuple[tuple[str, tuple["Rule", ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Declared:
    """Rules of a type: of its values as a whole, then of its members; an embedded struct has no name."""

    own: tuple[Rule, ...]
    members: tuple[tuple[str, tuple[Rule, ...]], ...]


def _rules(raw: Sequence[Mapping[str, Any]] | None) -> tuple[Rule, ...]:
    return tuple(_rule(each) for each in raw or ())


def _rule(raw: Mapping[str, Any]) -> Rule:
    return Rule(
        check=raw["c"],
        level=raw.get("l", ""),
        stop=raw.get("s", False),
        quiet=raw.get("q", False),
        number=raw.get("n", 0),
        words=tuple(raw.get("w", ())),
        keys=tuple(raw.get("k", ())),
        field=raw.get("f", ""),
        by=raw.get("by", ""),
        equal=raw.get("eq", ""),
        type=raw.get("t", ""),
        enabled=raw.get("on", False),
        do=_rules(raw.get("do")),
        cases=tuple((case["v"], _rules(case["do"])) for case in raw.get("cases", ())),
    )


@functools.cache
def _raw() -> Mapping[str, Any]:
    folder = resources.files("pykube_cp.machinery.data")
    document: Mapping[str, Any] = orjson.loads(folder.joinpath("validations.json").read_bytes())
    return document


def upstream_tag() -> str:
    """The upstream release the data was made from."""
    return str(_raw()["upstream"])


def type_names() -> Sequence[str]:
    """Every type that has rules, by OpenAPI name."""
    return list(_raw()["types"])


@functools.cache
def find(name: str) -> Declared | None:
    """The rules of the type of that OpenAPI name."""
    raw = _raw()["types"].get(name)
    if raw is None:
        return None
    members = tuple((each.get("n", ""), _rules(each["r"])) for each in raw.get("fields", ()))
    return Declared(_rules(raw.get("self")), members)
