"""Cases about patches that follow from the bases: each object applied, each field taken, each list merged.

What changes a base is only tried. Where several managers write one object after the other, it is a copy
in the namespace of the case.
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from generate import Base, Object, bases
from script import Case, Step

from pykube_cp.machinery import schema
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.schema import AnyType, Field, ListOf, Type

HEAD = ("apiVersion", "kind")
OWN = ("name", "namespace")
"""Members of metadata that say which object it is."""
DEPTH = 3
"""How far down members are taken away one by one."""


class Place(NamedTuple):
    """A list somewhere in an object; ``way`` are members and, for elements of lists, their key."""

    way: tuple["str | Key", ...]
    field: Field
    items: list[Any]


class Key(NamedTuple):
    """Which element of a list: the one whose member ``name`` is ``value``."""

    name: str
    value: Any


def cases() -> Iterator[Case]:
    """Of all bases."""
    for base in bases():
        yield _tried(base)
        if base.row.namespaced:
            yield _shared(base)
        yield from _without(base)
        yield from _lists(base)


def _case(theme: str, base: Base, title: str, steps: Iterator[Step], **more: Any) -> Case:
    more.setdefault("own_namespace", False)
    return Case(theme=theme, name=f"{base.title}: {title}", steps=tuple(steps), **more)


# Applied.


def _tried(base: Base) -> Case:
    """The base is applied by another, as it is and otherwise."""
    other, bare = _otherwise(base.obj, _type(base)), _bare(base.obj)

    def steps() -> Iterator[Step]:
        yield _step(base, "apply", base.obj)
        yield _step(base, "apply", bare)
        yield _step(base, "apply", other)
        yield _step(base, "apply", other, "&force=true")
        for form in ("merge", "strategic"):
            yield _step(base, form, base.obj)
            yield _step(base, form, other)
        fresh = base.changed(lambda obj: obj["metadata"].update(name=f"{base.name}-2"))
        path = f"{base.collection}/{base.name}-2?dryRun=All&fieldManager=two"
        yield Step(method="PATCH", path=path, form="apply", body=fresh)

    return _case("applied", base, "is applied", steps())


def _shared(base: Base) -> Case:
    """Two managers apply one object after the other, and take back what they applied."""
    obj = base.changed(lambda obj: obj["metadata"].pop("namespace", None))
    other, bare = _otherwise(obj, _type(base)), _bare(obj)
    root = base.collection.partition("/namespaces/")[0]
    path = f"{root}/namespaces/{{ns}}/{base.row.plural}/{base.name}?fieldManager="

    def steps() -> Iterator[Step]:
        for manager, body in (
            ("one", obj),
            ("two", obj),
            ("two", other),
            ("two&force=true", other),
            ("one", obj),
            ("one", bare),
            ("two", bare),
            ("three", obj),
            ("three", other),
        ):
            yield Step(method="PATCH", path=f"{path}{manager}", form="apply", body=body)

    return _case("applied", base, "is shared", steps(), own_namespace=True)


def _step(base: Base, form: str, body: Any, more: str = "") -> Step:
    path = f"{base.collection}/{base.name}?dryRun=All&fieldManager=two{more}"
    return Step(method="PATCH", path=path, form=form, body=body)


def _type(base: Base) -> Type:
    return schema.type_of(GVK.of(base.obj))


def _bare(obj: Object) -> Object:
    metadata = {key: value for key, value in obj["metadata"].items() if key in OWN}
    return {**{key: obj[key] for key in HEAD}, "metadata": metadata}


def _otherwise(obj: Object, kind: Type) -> Object:
    """Every value another, but for what tells objects and elements of lists from one another."""
    changed: Object = _other(obj, kind, HEAD)
    changed["metadata"] = _other(obj["metadata"], kind.fields["metadata"].type, OWN)
    return changed


def _other(node: Any, kind: AnyType | None, kept: tuple[str, ...] = ()) -> Any:
    if isinstance(node, dict):
        return {
            key: value if key in kept else _other_member(value, kind, key)
            for key, value in node.items()
        }
    if isinstance(node, list):
        items = kind.items if isinstance(kind, ListOf) else None
        return [_other(item, items) for item in node]
    if isinstance(node, bool):
        return not node
    return node + 1 if isinstance(node, int | float) else node and f"{node}x"


def _other_member(value: Any, kind: AnyType | None, key: str) -> Any:
    field = kind.fields.get(key) if isinstance(kind, Type) else None
    keys = tuple(field.facts.get("listMapKeys", ())) if field is not None else ()
    if isinstance(value, list) and field is not None and keys:
        items = field.type.items if isinstance(field.type, ListOf) else None
        return [_other(item, items, keys) for item in value]
    return _other(value, field.type if field is not None else None)


# Taken away.


def _without(base: Base) -> Iterator[Case]:
    for path in _members(base.obj, ()):
        if path[0] not in HEAD and path[:2] not in {("metadata", name) for name in OWN}:
            yield _case("taken away", base, ".".join(path), _removals(base, path))


def _removals(base: Base, path: tuple[str, ...]) -> Iterator[Step]:
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
    yield _step(base, "merge", _nested(path, None))
    yield _step(base, "strategic", _nested(path, None))
    yield _step(base, "json-patch", [{"op": "remove", "path": pointer}])
    yield _step(base, "json-patch", [{"op": "replace", "path": pointer, "value": None}])
    yield _step(base, "merge", _nested(path, {}))
    yield _step(base, "strategic", _nested(path, {"$patch": "delete"}))
    yield _step(base, "strategic", _nested(path, {"$patch": "replace"}))


def _members(node: Object, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for key, value in node.items():
        path = (*above, key)
        yield path
        if isinstance(value, dict) and len(path) < DEPTH:
            yield from _members(value, path)


def _nested(way: tuple[str | Key, ...], value: Any) -> Any:
    """The patch that is about what lies at the end of the way."""
    for part in reversed(way):
        value = {part: value} if isinstance(part, str) else [{part.name: part.value, **value}]
    return value


# Lists.


def _lists(base: Base) -> Iterator[Case]:
    seen: set[tuple[str, ...]] = set()
    for place in _places(base.obj, _type(base), ()):
        shape = tuple(part if isinstance(part, str) else "" for part in place.way)
        if shape not in seen and place.items:
            seen.add(shape)
            title = ".".join(part or "*" for part in shape)
            yield _case("merged lists", base, title, _merged(base, place))


def _places(node: Object, kind: Type, way: tuple[str | Key, ...]) -> Iterator[Place]:
    for name, value in node.items():
        field = kind.fields.get(name)
        if field is None:
            continue
        here = (*way, name)
        if isinstance(value, dict) and isinstance(field.type, Type):
            yield from _places(value, field.type, here)
        if isinstance(value, list) and isinstance(field.type, ListOf):
            yield Place(here, field, value)
            yield from _below(value, field, here)


def _below(items: list[Any], field: Field, way: tuple[str | Key, ...]) -> Iterator[Place]:
    assert isinstance(field.type, ListOf)
    key, kind = field.merge_key, field.type.items
    if key and "merge" in field.patch_strategy and isinstance(kind, Type):
        for item in items:
            if key in item:
                yield from _places(item, kind, (*way, Key(key, item[key])))


def _merged(base: Base, place: Place) -> Iterator[Step]:
    """The list with more in it, less, other things, in another order; by all that a patch can say."""
    first, added = place.items[0], _new(place)
    *above, name = place.way

    def step(value: Any, more: Object | None = None) -> Step:
        body = {name: value} if value is not None else {}
        return _step(base, "strategic", _nested(tuple(above), {**body, **(more or {})}))

    yield step([])
    yield step([added])
    yield step([added, first])
    yield step([first, first])
    yield step([_changed(first, place)])
    if isinstance(first, dict):
        key = place.field.merge_key or next(iter(first))
        yield step([{"$patch": "replace"}, added])
        yield step([{"$patch": "delete", key: first[key]}] if key in first else [{}])
        yield step([{"$patch": "delete", key: "none"}, added])
        yield step([{**added, "$patch": "merge"}])
        order = [{key: item.get(key)} for item in (added, *reversed(place.items))]
    else:
        yield step(None, {f"$deleteFromPrimitiveList/{name}": [first]})
        yield step([added], {f"$deleteFromPrimitiveList/{name}": [first, "none"]})
        order = [added, *reversed(place.items)]
    if place.field.merge_key or not isinstance(first, dict):  # upstream panics
        yield step([added], {f"$setElementOrder/{name}": order})
        yield step(None, {f"$setElementOrder/{name}": order[1:]})
    yield step([added], {"$retainKeys": [name]})


def _new(place: Place) -> Any:
    """An element that is not there yet."""
    first = json.loads(json.dumps(place.items[0]))
    if not isinstance(first, dict):
        return _other(first, None)
    for key in {place.field.merge_key, *place.field.facts.get("listMapKeys", ())} & first.keys():
        first[key] = _other(first[key], None)
    return first


def _changed(item: Any, place: Place) -> Any:
    assert isinstance(place.field.type, ListOf)
    kept = (place.field.merge_key, *place.field.facts.get("listMapKeys", ()))
    return _other(item, place.field.type.items, kept)
