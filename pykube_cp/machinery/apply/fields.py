r"""Sets of fields as a trie in the form of FieldsV1, so that storing one costs nothing.

A set maps path elements to what is known below them. An element is in the set when nothing stands
below it, or when ``"."`` does:

    {"f:spec": {
        "f:replicas": {},
        "f:volumes": {"k:{\"name\":\"a\"}": {".": {}, "f:name": {}}}}}

contains ``.spec.replicas``, ``.spec.volumes[name="a"]`` and its ``.name``; it does not contain
``.spec`` or ``.spec.volumes``. Elements are ``f:`` a field, ``k:`` a list element by its keys,
``v:`` a list element by its value, ``i:`` by its index. Sets are never changed once made, and share
branches.
"""
# upstream: structured-merge-diff fieldpath/set.go, serialize-pe.go

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from pykube_cp.machinery.go_text import marshal, value_text
from pykube_cp.machinery.remember import remembered

Fields: TypeAlias = dict[str, "Fields"]
PathElements: TypeAlias = tuple[str, ...]

SELF = "."
EMPTY: Fields = {}
_LEAF: Fields = {}


class FieldsError(ValueError):
    """A set of fields, or a value to be described by one, makes no sense."""


# Path elements.


def field_element(name: str) -> str:
    return f"f:{name}"


@remembered(8192)
def _string_value(value: str) -> str:
    return f"v:{marshal(value)}"


def value_element(value: Any) -> str:
    return _string_value(value) if type(value) is str else f"v:{_json(value)}"


def key_element(keys: Mapping[str, Any]) -> str:
    """An element by its keys; names are sorted."""
    pairs = [part for name in sorted(keys) for part in (name, keys[name])]
    try:
        return _keys_value(*pairs)
    except TypeError:
        return _keys_value.__wrapped__(*pairs)  # a list or map, which no key should be


@lru_cache(maxsize=8192, typed=True)  # 1 and true are different keys
def _keys_value(*pairs: Any) -> str:
    names, values = pairs[::2], pairs[1::2]
    inner = (f"{marshal(name)}:{_json(value)}" for name, value in zip(names, values, strict=True))
    return f"k:{{{','.join(inner)}}}"


def _json(value: Any) -> str:
    if type(value) is float and value.is_integer() and abs(value) < 1e21:
        value = int(value)
    return marshal(value)


@remembered(8192)
def canonical_element(text: str) -> str | None:
    """An element in its one form; None for kinds unknown, ``FieldsError`` if malformed."""
    if len(text) < 2:
        raise FieldsError("key must be 2 characters long:")
    if text[1] != ":":
        raise FieldsError(f"missing colon: {text}")
    kind, rest = text[0], text[2:]
    if kind == "f":
        return text
    if kind == "i":
        return _canonical_index(rest)
    if kind not in {"k", "v"}:
        return None
    try:
        value = orjson.loads(rest)
    except ValueError as error:
        raise FieldsError(str(error)) from None
    if kind == "v":
        return value_element(value)
    if not isinstance(value, dict):
        raise FieldsError(f"expect {{ or n, but found {rest[:1]}")
    return key_element(value)


def _canonical_index(text: str) -> str:
    try:
        return f"i:{int(text)}"
    except ValueError:
        raise FieldsError(f'strconv.Atoi: parsing "{text}": invalid syntax') from None


def element_text(element: str) -> str:
    """As errors show it: ``.name``, ``[name="a"]``, ``[="a"]``, ``[0]``."""
    # upstream: structured-merge-diff fieldpath/element.go PathElement.String
    kind, rest = element[0], element[2:]
    if kind == "f":
        return f".{rest}"
    if kind == "i":
        return f"[{rest}]"
    value = orjson.loads(rest)
    if kind == "v":
        return f"[={value_text(value)}]"
    return f"[{','.join(f'{name}={value_text(found)}' for name, found in value.items())}]"


def path_text(path: PathElements) -> str:
    return "".join(element_text(element) for element in path)


def _value_order(value: Any) -> tuple[int, Any]:
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (3, marshal(value))


@remembered(8192)
def element_order(element: str) -> tuple[int, Any]:
    """To sort elements as upstream does: fields, then keys, values and indices."""
    # upstream: structured-merge-diff fieldpath/element.go PathElement.Compare
    kind, rest = element[0], element[2:]
    if kind == "f":
        return 0, rest
    if kind == "i":
        return 3, int(rest)
    value = orjson.loads(rest)
    if kind == "v":
        return 2, _value_order(value)
    return 1, [(name, _value_order(found)) for name, found in value.items()]


# Sets.


def is_member(below: Fields) -> bool:
    """Whether the element above ``below`` is itself in the set."""
    return not below or SELF in below


def has(fields: Fields, path: PathElements) -> bool:
    below: Fields | None = fields
    for element in path:
        below = below.get(element) if below is not None else None
    return below is not None and bool(path) and is_member(below)


def under(fields: Fields, element: str) -> Fields:
    """The set below an element, as paths from there."""
    below = fields.get(element, EMPTY)
    return _without_self(below) if SELF in below else below


def _without_self(below: Fields) -> Fields:
    return {element: node for element, node in below.items() if element != SELF}


def insert(fields: Fields, path: PathElements) -> None:
    """Add a path to a set that is still being made."""
    for element in path[:-1]:
        below = fields.get(element)
        if below is None:
            below = fields[element] = {}
        elif not below:
            below[SELF] = {}
        fields = below
    mark(fields, path[-1])


def mark(fields: Fields, element: str) -> None:
    """Add an element to a set that is still being made."""
    below = fields.get(element)
    if below is None:
        fields[element] = {}
    elif below:
        below[SELF] = {}


def attach(fields: Fields, element: str, below: Fields) -> None:
    """Put what was found below an element under it, in a set that is still being made."""
    if below:
        known = fields.get(element)
        if known is None:
            fields[element] = below
        else:
            fields[element] = _union_below(known, below)


def union(one: Fields, other: Fields) -> Fields:
    if not other or one is other:
        return one
    if not one:
        return other
    made = dict(one)
    for element, below in other.items():
        known = made.get(element)
        made[element] = below if known is None else _union_below(known, below)
    return made


def _union_below(one: Fields, other: Fields) -> Fields:
    if one is other:
        return one
    if not one:
        return {SELF: _LEAF, **other} if other else one
    return union(one, other) if other else {SELF: _LEAF, **one}


def intersection(one: Fields, other: Fields) -> Fields:
    if not one or not other:
        return EMPTY
    if len(other) < len(one):
        one, other = other, one
    made: Fields = {}
    for element, below in one.items():
        found = other.get(element)
        if found is None or element == SELF:
            continue
        kept = _intersection_below(below, found)
        if kept is not None:
            made[element] = kept
    return made


def _intersection_below(one: Fields, other: Fields) -> Fields | None:
    both = intersection(one, other)
    if is_member(one) and is_member(other):
        return {SELF: _LEAF, **both} if both else _LEAF
    return both or None


def difference(one: Fields, other: Fields) -> Fields:
    """What is in ``one`` and not in ``other``; what lies below its members stays."""
    return _subtract(one, other, recursive=False) if one and other else one


def recursive_difference(one: Fields, other: Fields) -> Fields:
    """As ``difference``, but what lies below the members of ``other`` goes as well."""
    return _subtract(one, other, recursive=True) if one and other else one


def _subtract(one: Fields, other: Fields, *, recursive: bool) -> Fields:
    made: Fields = {}
    is_changed = False
    for element, below in one.items():
        taken = other.get(element) if element != SELF else None
        kept = below if taken is None else _subtract_below(below, taken, recursive=recursive)
        is_changed = is_changed or kept is not below
        if kept is not None:
            made[element] = kept
    return made if is_changed else one


def _subtract_below(below: Fields, taken: Fields, *, recursive: bool) -> Fields | None:
    is_taken = is_member(taken)
    if is_taken and (recursive or not below):
        return None
    if not below:
        return below
    kept = _subtract(below, taken, recursive=recursive) if taken else below
    if is_taken and SELF in kept:
        kept = _without_self(kept)
    if kept:
        # Only "." left: the element itself, with nothing below it.
        return _LEAF if len(kept) == 1 and SELF in kept else kept
    return None


def paths(fields: Fields, prefix: PathElements = ()) -> Iterator[PathElements]:
    """Every path in the set, as upstream orders them: members before what lies below."""
    ordered = sorted((element for element in fields if element != SELF), key=element_order)
    for element in ordered:
        if is_member(fields[element]):
            yield (*prefix, element)
    for element in ordered:
        if fields[element]:
            yield from paths(fields[element], (*prefix, element))


def canonical(fields: Any) -> Fields:
    """A set as a client sent it, in the one form that sets have here.

    ``FieldsError`` if it is malformed; elements of unknown kinds are left out.
    """
    # upstream: structured-merge-diff fieldpath/serialize.go readIterV1
    if not isinstance(fields, dict):
        raise FieldsError("expect { or n, but found something else")
    made: Fields = {}
    for text, below in fields.items():
        element = canonical_element(text) if text != SELF else None
        if element is not None:
            made[element] = _canonical_below(below)
    return made


def _canonical_below(below: Any) -> Fields:
    if below is None:
        return _LEAF
    found = canonical(below)
    return {SELF: _LEAF, **found} if SELF in below and found else found
