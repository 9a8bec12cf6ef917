"""Strategic merge patch: a merge patch that knows from the type how lists are merged.

A field's ``patch_strategy`` says whether its list is merged (by ``merge_key``, or as a set of
scalars) or replaced. The patch itself may carry directives:

    {"$patch": "replace"}                 this object (or, as an element, the list) replaces what is
    {"$patch": "delete", "name": "a"}     this object, or the element with that key, goes
    "$retainKeys": ["type"]               all other keys of the live object go
    "$setElementOrder/f": [...]           the order of list ``f``, by key or value
    "$deleteFromPrimitiveList/f": [...]   these scalars leave list ``f``
"""
# upstream: apimachinery pkg/util/strategicpatch/patch.go

from collections.abc import Sequence
from typing import Any, NamedTuple

from pykube_cp.machinery.go_text import as_string, plain, quote, type_name
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import AnyType, Field, Leaf, ListOf, MapOf, Type

_MARKER = "$patch"
_REPLACED = (_MARKER, "replace")
_RETAIN = "$retainKeys"
_ORDER = "$setElementOrder"
_DELETE_FROM = "$deleteFromPrimitiveList"

_BAD_ORDER = "invalid patch format of setElementOrder list"
_BAD_RETAIN = "invalid patch format of retainKeys"
_BAD_DELETE = "invalid patch format of primitive list"
_LIST_OF_LISTS = "lists of lists are not supported"

JsonList = list[Any]


class PatchError(Exception):
    """The patch cannot be applied. ``code`` is what upstream answers: 400, 422 or 500."""

    def __init__(self, text: str, code: int = 500) -> None:
        super().__init__(text)
        self.code = code


class _Rule(NamedTuple):
    """How a list field is merged: by which strategy and key, and the type of its elements."""

    strategy: str
    merge_key: str
    items: AnyType


def apply(live: Object, patch: Object, kind: Type) -> Object:
    """``live``, of type ``kind``, with the patch applied; changes neither, shares branches with both."""
    return _merge_map(live, patch, kind)


def left_over(live: Object, patch: Object, kind: AnyType) -> Object:
    """What upstream's ``apply``, which eats directives and nulls, leaves of the patch: errors show it."""
    if _MARKER in patch:
        return {key: value for key, value in patch.items() if (key, value) != _REPLACED}
    ordered = {key.partition("/")[2] for key in patch if key.startswith(_ORDER)}
    made: Object = {}
    for key, value in patch.items():
        if key == _RETAIN or key.startswith(_ORDER) or key in ordered:
            continue
        if key not in live or type(live[key]) is not type(value):
            made[key] = value if value is None else _without_nulls(value)
        elif isinstance(value, dict):
            made[key] = left_over(live[key], value, _field(kind, key).type)
        elif isinstance(value, list) and not key.startswith(_DELETE_FROM):
            made[key] = _left_of_list(live[key], value, _rule(kind, key))
        else:
            made[key] = value
    return made


def _left_of_list(live: JsonList, patch: JsonList, rule: "_Rule") -> JsonList:
    if rule.strategy != "merge" or not rule.merge_key:
        return patch
    places = _Places(live, rule.merge_key)
    found = [places.of(item.get(rule.merge_key)) for item in patch]
    return [
        item if at < 0 or _has_marker(item) else left_over(live[at], item, rule.items)
        for at, item in zip(found, patch, strict=True)
    ]


def _without_nulls(value: Any) -> Any:
    """Without null members, also of objects in lists."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _merge_map(live: Object, patch: Object, kind: AnyType) -> Object:
    if _MARKER in patch:
        return _directed(patch)
    live, patch = dict(live), dict(patch)  # what follows changes them
    _retain_keys(live, patch)
    for key in [key for key in patch if key.startswith(_ORDER)]:
        _merge_ordered(live, patch, key, kind)
    for key, value in patch.items():
        if key.startswith(_DELETE_FROM):
            _delete_from(live, _without_prefix(key, _DELETE_FROM, _BAD_DELETE), value, kind)
        elif value is None:
            live.pop(key, None)
        elif key not in live or type(live[key]) is not type(value):
            _take(live, key, value)
        elif isinstance(value, dict):
            live[key] = _merge_field(live[key], value, _field(kind, key))
        elif isinstance(value, list):
            rule = _rule(kind, key)
            live[key] = _merge_list(live[key], value, rule) if rule.strategy == "merge" else value
        else:
            live[key] = value
    return live


def _directed(patch: Object) -> Object:
    directive = patch[_MARKER]
    if directive == "replace":
        return {key: value for key, value in patch.items() if key != _MARKER}
    if directive == "delete":
        return {}
    raise _unknown_directive(directive, patch)


def _unknown_directive(directive: Any, where: Object) -> PatchError:
    return PatchError(f"unknown patch type: {as_string(directive)} in map: {plain(where)}")


def _take(live: Object, key: str, value: Any) -> None:
    """Set what was not there, or was something else; null members and directives fall away."""
    if isinstance(value, dict) and _MARKER in value:
        live.pop(key, None)
    else:
        live[key] = _cleaned(value)


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _cleaned(item)
            for key, item in value.items()
            if item is not None and not _has_marker(item)
        }
    if isinstance(value, list):
        return [_cleaned(item) for item in value if not _has_marker(item)]
    return value


def _has_marker(value: Any) -> bool:
    return isinstance(value, dict) and _MARKER in value


def _merge_field(live: Object, patch: Object, field: Field) -> Object:
    return patch if _strategy(field) == "replace" else _merge_map(live, patch, field.type)


def _delete_from(live: Object, key: str, values: Any, kind: AnyType) -> None:
    if values is None:
        live.pop(key, None)
    elif isinstance(live.get(key), list) and isinstance(values, list):
        live[key] = _merge_list(live[key], values, _rule(kind, key), deleting=True)
    # Where there is no such list there is nothing to delete.


# What the type says.


def _field(kind: AnyType, key: str) -> Field:
    # upstream: apimachinery third_party/forked/golang/json/fields.go LookupPatchMetadataForStruct
    if isinstance(kind, Type):
        found = kind.fields.get(key)
        if found is not None:
            return found
        name = kind.go_name
    elif isinstance(kind, Leaf):
        name = kind.name
    else:
        shape = {MapOf: "map", ListOf: "slice"}.get(type(kind), kind.go_type)
        text = f"merging an object in json but data type is not struct, instead is: {shape}"
        raise PatchError(text)
    raise PatchError(f"unable to find api field in struct {name} for the json field {quote(key)}")


def _strategy(field: Field) -> str:
    return next((found for found in field.patch_strategy if found != "retainKeys"), "")


def _rule(kind: AnyType, key: str) -> _Rule:
    field = _field(kind, key)
    if isinstance(field.type, ListOf):
        return _Rule(_strategy(field), field.merge_key, field.type.items)
    if field.pointer:
        return _Rule(_strategy(field), field.merge_key, field.type)
    raise PatchError("expected slice or array type, but got: struct")


# Directives about keys and order.


def _without_prefix(key: str, prefix: str, text: str) -> str:
    found, slash, rest = key.partition("/")
    if found != prefix or not slash:
        raise PatchError(text, 400)
    return rest


def _retain_keys(live: Object, patch: Object) -> None:
    if _RETAIN not in patch:
        return
    kept = patch.pop(_RETAIN)
    if not isinstance(kept, list):
        raise PatchError(_BAD_RETAIN, 400)
    for key, value in patch.items():
        if value is not None and key not in kept and not key.startswith((_DELETE_FROM, _ORDER)):
            raise PatchError(_BAD_RETAIN, 400)
    for key in [key for key in live if key not in kept]:
        del live[key]


def _merge_ordered(live: Object, patch: Object, directive: str, kind: AnyType) -> None:
    """Merge one list and put it into the order that the directive gives."""
    order = _list(patch.pop(directive))
    key = _without_prefix(directive, _ORDER, _BAD_ORDER)
    old = _list(live[key]) if key in live else None
    new = _list(patch[key]) if key in patch else None
    rule = _rule(kind, key)
    _check_order(new or [], order, rule.merge_key)
    if old is None and new is None:
        return
    is_map = _holds_maps(old or [], new or [])
    before = _slots(old or [], new or [], rule.merge_key) if is_map else list(old or [])
    merged = _merged_for_order(old, new, rule)
    ordered, others = _partition(merged, order, rule.merge_key)
    live[key] = _interleave(ordered, others, order, before, rule.merge_key if is_map else "")
    patch.pop(key, None)


def _slots(old: JsonList, new: JsonList, merge_key: str) -> JsonList:
    """The old order; what the patch adds stands where it deletes something.

    Upstream deletes and appends within one array and then reads the old order from it.
    """
    gone = _Places([item for item in new if item.get(_MARKER) == "delete"], merge_key)
    kept = [item for item in old if gone.of(item.get(merge_key)) < 0]
    if len(kept) == len(old) or any(item.get(_MARKER) == "replace" for item in new):
        return kept
    added = [item for item in new if not _has_marker(item)]
    known = _Places(kept, merge_key)
    fresh = [item for item in added if known.of(item.get(merge_key)) < 0]
    return [*kept, *fresh][: len(old)]


def _merged_for_order(old: JsonList | None, new: JsonList | None, rule: _Rule) -> JsonList:
    if new is None:
        return old or []
    if old is None:
        return [_directiveless(item) for item in new if not _has_marker(item)]
    return _merge_list(old, new, rule) if rule.strategy == "merge" else new


def _directiveless(value: Any) -> Any:
    """Without what is marked by a directive; nulls stay."""
    if isinstance(value, dict):
        return {key: _directiveless(item) for key, item in value.items() if not _has_marker(item)}
    if isinstance(value, list):
        return [_directiveless(item) for item in value if not _has_marker(item)]
    return value


def _list(value: Any) -> JsonList:
    if isinstance(value, list):
        return value
    raise PatchError(f"expected a []interface {{}}, but received a {type_name(value)}")


def _map(value: Any) -> Object:
    if isinstance(value, dict):
        return value
    raise PatchError(f"expected a map[string]interface {{}}, but received a {type_name(value)}")


def _key_of(item: Any, merge_key: str) -> Any:
    found = _map(item)
    if merge_key not in found:
        text = f"map: {plain(found)} does not contain declared merge key: {merge_key}"
        raise PatchError(text)
    return found[merge_key]


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _check_order(patch: JsonList, order: JsonList, merge_key: str) -> None:
    """The elements of the patch must come in the order that the directive gives."""
    if not order or not patch:
        return
    staying = [item for item in patch if not merge_key or _map(item).get(_MARKER) != "delete"]
    at = 0
    for wanted in order:
        while at < len(staying) and _has_marker(staying[at]):
            at += 1
        if at == len(staying):
            return
        if merge_key:
            at += _same(_key_of(staying[at], merge_key), _key_of(wanted, merge_key))
        else:
            at += _same(staying[at], wanted)
    if at < len(staying):
        raise PatchError(
            f"The order in patch list:\n{plain(patch)}\n doesn't match {_ORDER} list:\n"
            f"{plain(order)}\n"
        )


# Lists.


def _merge_list(
    live: JsonList, patch: JsonList, rule: _Rule, *, deleting: bool = False
) -> JsonList:
    if not live and not patch:
        return live
    if not _holds_maps(live, patch):
        if deleting:
            gone = _Places(patch, "")
            return [item for item in live if gone.of(item) < 0]
        merged = _Places([*live, *patch], "").firsts()
        ordered, others = _partition(merged, patch, rule.merge_key)
        return _interleave(ordered, others, patch, live, "")
    key = rule.merge_key
    if not key:
        raise PatchError("cannot merge lists without merge key for struct")
    live, patch = _apply_special(live, patch, key)
    before = list(live)
    merged = _merge_elements(live, patch, rule)
    ordered, others = _partition(merged, patch, key)
    return _interleave(ordered, others, patch, before, key)


def _holds_maps(*lists: Sequence[Any]) -> bool:
    """Whether the elements, which must all be of one type, are objects."""
    # upstream: patch.go sliceElementType
    kinds = {type(item) for found in lists for item in found}
    if not kinds:
        raise PatchError("no elements in any of the given slices")
    if len(kinds) > 1 or type(None) in kinds:
        shown = plain(list(lists))
        raise PatchError(f"list element types are not identical: {shown}")
    if list in kinds:
        raise PatchError(_LIST_OF_LISTS, 422)
    return dict in kinds


def _apply_special(live: JsonList, patch: JsonList, merge_key: str) -> tuple[JsonList, JsonList]:
    """Both lists after the elements with ``$patch``: delete takes from live, replace empties it."""
    plain_items: JsonList = []
    replacing = False
    for item in patch:
        directive = item.get(_MARKER)
        if _MARKER not in item:
            plain_items.append(item)
        elif directive == "delete":
            wanted = _key_of(item, merge_key)
            live = [found for found in live if not _has_key(found, merge_key, wanted)]
        elif directive == "replace":
            replacing = True
        elif directive == "merge":
            raise PatchError("merging lists cannot yet be specified in the patch")
        else:
            raise _unknown_directive(directive, item)
    return (plain_items, []) if replacing else (live, plain_items)


def _has_key(item: Object, merge_key: str, wanted: Any) -> bool:
    return merge_key in item and _same(item[merge_key], wanted)


def _merge_elements(live: JsonList, patch: JsonList, rule: _Rule) -> JsonList:
    merged = list(live)
    places = _Places(merged, rule.merge_key)
    for item in patch:
        at = places.of(_key_of(item, rule.merge_key))
        if at < 0:
            places.add(item)
            merged.append(item)
        else:
            merged[at] = _merge_map(merged[at], item, rule.items)
    return merged


class _Places:
    """Where in a list the first element with a key, or of a value, stands."""

    def __init__(self, items: JsonList, merge_key: str) -> None:
        self._keys: JsonList = []
        self._merge_key = merge_key
        self._known: dict[tuple[type, Any], int] = {}
        for item in items:
            self.add(item)

    def add(self, item: Any) -> None:
        key = self._key(item)
        if not isinstance(key, dict | list):
            self._known.setdefault((type(key), key), len(self._keys))
        self._keys.append(key)

    def of(self, wanted: Any) -> int:
        """-1 if nowhere."""
        if not isinstance(wanted, dict | list):
            return self._known.get((type(wanted), wanted), -1)
        return next((at for at, key in enumerate(self._keys) if _same(key, wanted)), -1)

    def of_item(self, item: Any) -> int:
        return self.of(self._key(item))

    def firsts(self) -> JsonList:
        """Each value once."""
        return [key for at, key in enumerate(self._keys) if self.of(key) == at]

    def _key(self, item: Any) -> Any:
        return item.get(self._merge_key) if self._merge_key and isinstance(item, dict) else item


def _partition(items: JsonList, order: JsonList, merge_key: str) -> tuple[JsonList, JsonList]:
    """Those that ``order`` names, and the others."""
    named: JsonList = []
    others: JsonList = []
    places = _Places(order, merge_key)
    odd = _first_scalar(order) if merge_key else len(order)
    for item in items:
        at = places.of(_key_of(item, merge_key) if merge_key else item)
        if odd < len(order) and not 0 <= at < odd:
            raise PatchError(f"value for key {odd} is not a map")
        (others if at < 0 else named).append(item)
    return named, others


def _first_scalar(items: JsonList) -> int:
    return next((at for at, item in enumerate(items) if not isinstance(item, dict)), len(items))


def _interleave(
    ordered: JsonList, others: JsonList, order: JsonList, before: JsonList, merge_key: str
) -> JsonList:
    """One list of both: ``ordered`` as ``order`` says, ``others`` as they stood in ``before``.

    Where an element of each could come next, the one of ``others`` does only if both stood in
    ``before`` and it stood first.
    """
    # upstream: patch.go normalizeElementOrder
    if merge_key:
        for item in [*ordered, *order, *others, *before]:
            _key_of(item, merge_key)
    standing, wanted = _Places(before, merge_key), _Places(order, merge_key)
    right = sorted(ordered, key=wanted.of_item)
    made: JsonList = []
    for item in _sorted(others, standing):
        first = standing.of_item(item)
        while right and not 0 <= first < standing.of_item(right[0]):
            made.append(right.pop(0))
        made.append(item)
    return [*made, *right]


def _sorted(items: JsonList, standing: _Places) -> JsonList:
    """As they stood; what upstream's sort makes of new ones, of which each goes before each.

    It is an insertion sort, as Go's is of so few elements.
    """
    # upstream: patch.go normalizeSliceOrder
    places = [standing.of_item(item) for item in items]
    if all(place >= 0 for place in places):
        return sorted(items, key=standing.of_item)
    made: list[tuple[int, Any]] = []
    for place, item in zip(places, items, strict=True):
        at = len(made)
        while at and (place < made[at - 1][0] or place < 0 or made[at - 1][0] < 0):
            at -= 1
        made.insert(at, (place, item))
    return [item for _, item in made]
