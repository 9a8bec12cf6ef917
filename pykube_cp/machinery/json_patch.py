"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386), as upstream's library understands them.

Where it is laxer than the standard, so is this: negative indices count from the end, ``replace``
and ``test`` take a missing member of an object for null, ``copy`` copies it as null.
"""
# upstream: gopkg.in/evanphx/json-patch.v4 patch.go, merge.go

import re
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

import orjson

from pykube_cp.machinery import structural
from pykube_cp.machinery.codec.interface import DecodeError
from pykube_cp.machinery.objects import deep_copy
from pykube_cp.machinery.schema import AnyType, Field, Leaf, ListOf, Scalar, Type
from pykube_cp.machinery.strict_errors import Pairs, strict_errors

MAX_OPERATIONS = 10_000
MAX_COPY_BYTES = 3 * 1024 * 1024

Container: TypeAlias = dict[str, Any] | list[Any]

_INDEX = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_MISSING = "missing value"
_BAD_INDEX = "invalid index referenced"


class PatchError(Exception):
    """The patch cannot be applied.

    Attributes:
        malformed: it is no patch at all: 400.
        too_large: it has too many operations: 413.
        else it does not fit the object: 422.
    """

    def __init__(self, text: str, *, malformed: bool = False, too_large: bool = False) -> None:
        super().__init__(text)
        self.malformed = malformed
        self.too_large = too_large


class _Document:
    """What is being patched: one slot, so that the root can be replaced like anything else.

    Attributes:
        visited: the containers that were looked into, which upstream writes in another order.
    """

    def __init__(self, root: Any) -> None:
        self.root = root
        self.copied = 0
        self.visited: list[Container] = []


Step = Callable[[_Document], None]


class Patcher(Protocol):
    """Applies a patch to a document.

    The document is not changed, and the result shares nothing with it or the patch. With
    ``as_written`` members stand in the order in which upstream writes them: sorted in what it has
    read, as they stood in what it has only passed on. That costs, and is for error texts.
    """

    def __call__(self, live: Any, *, as_written: bool = False) -> Any: ...


def compile_patch(body: Any) -> Patcher:
    """A JSON patch, given as decoded JSON.

    ``PatchError`` comes from what this returns, also when ``body`` is no patch.
    """
    made: list[Step] = []

    def apply(live: Any, *, as_written: bool = False) -> Any:
        if not made:
            made.extend(_compile(body))
        document = _Document(deep_copy(live))
        for step in made:
            step(document)
        if as_written:
            _sort(document)
        return document.root

    return apply


def _sort(document: _Document) -> None:
    for container in (document.root, *document.visited):
        if isinstance(container, dict):
            ordered = {key: container[key] for key in sorted(container)}
            container.clear()
            container.update(ordered)


def check_operations(body: Any) -> list[str]:
    """What strict decoding says of a JSON patch; ``PatchError`` if it is none."""
    # upstream: apiserver pkg/endpoints/handlers/patch.go jsonPatcher.applyJSPatch
    try:
        if body is not None:
            structural.normalizer(_OPERATIONS)(body, [])
    except DecodeError as error:
        raise PatchError(f"error decoding patch: {error}", malformed=True) from None
    return [f"json patch {found}" for found in strict_errors(body, _OPERATIONS)]


def _member(name: str, kind: AnyType) -> Field:
    return Field(
        name=name,
        go_name=name.capitalize(),
        type=kind,
        pointer=False,
        omitempty=False,
        omitzero=False,
        number=0,
        embeds=(),
        required=False,
        patch_strategy=(),
        merge_key="",
        facts={},
    )


_OPERATION = Type("handlers.jsonPatchOp", "handlers.jsonPatchOp", protobuf=False, facts={})
_OPERATION.fields.update(
    {name: _member(name, Scalar("string", "string")) for name in ("op", "path", "from")}
)
_OPERATION.fields["value"] = _member("value", Leaf("any", "interface {}"))
_OPERATIONS = ListOf(_OPERATION, "[]handlers.jsonPatchOp")


def _compile(body: Any) -> list[Step]:
    if body is None:
        return []
    if not isinstance(body, list):
        kind = _json_kind(body)
        text = f"json: cannot unmarshal {kind} into Go value of type jsonpatch.Patch"
        raise PatchError(text, malformed=True)
    for operation in body:
        if operation is not None and not isinstance(operation, dict):
            kind = _json_kind(operation)
            text = f"json: cannot unmarshal {kind} into Go value of type jsonpatch.Operation"
            raise PatchError(text, malformed=True)
    if len(body) > MAX_OPERATIONS:
        text = (
            f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(body)}"
        )
        raise PatchError(text, too_large=True)
    return [_step(operation or {}) for operation in body]


def _json_kind(value: Any) -> str:
    kinds = {dict: "object", list: "array", str: "string", bool: "bool"}
    return kinds.get(type(value), "number")


def _step(operation: dict[str, Any]) -> Step:
    kind = operation.get("op")
    make = _KINDS.get(kind) if isinstance(kind, str) else None
    if make is not None:
        return lambda document: make(document, operation)
    text = f"Unexpected kind: {kind if isinstance(kind, str) else 'unknown'}"

    def refuse(_document: _Document) -> None:
        raise PatchError(text)

    return refuse


# Finding the place.


def _text(operation: dict[str, Any], member: str, missing: str) -> str:
    found = operation.get(member)
    if isinstance(found, str):
        return found
    raise PatchError(f"{operation['op']} operation failed to decode {member}: {missing}")


def _path(operation: dict[str, Any]) -> str:
    return _text(operation, "path", _MISSING)


def _named_path(operation: dict[str, Any]) -> str:
    """As ``_path``; some operations say more when there is none."""
    return _text(operation, "path", f"operation missing path field: {_MISSING}")


def _from(operation: dict[str, Any]) -> str:
    return _text(operation, "from", f"operation, missing from field: {_MISSING}")


def _unescape(token: str) -> str:
    # One pass, not two: "~01" is "~1", not "/".
    return re.sub("~[01]", lambda found: "/" if found[0] == "~1" else "~", token)


def _find(document: _Document, path: str) -> tuple[Container, str] | None:
    """The container that ``path`` points into, and the last token; None when there is none."""
    tokens = path.split("/")
    if len(tokens) < 2:
        return None
    at = document.root
    for token in tokens[1:-1]:
        try:
            at = _get(at, _unescape(token))
        except PatchError:
            return None
        if not isinstance(at, dict | list):
            return None
        document.visited.append(at)
    return at, _unescape(tokens[-1])


def _atoi(key: str) -> int:
    if _INDEX.fullmatch(key):
        return int(key)
    raise PatchError(f'strconv.Atoi: parsing "{key}": invalid syntax')


def _position(key: str, size: int) -> int:
    """An index into a list of that size, counted from the end when negative."""
    index = _atoi(key)
    if -size <= index < size:
        return index + size if index < 0 else index
    raise PatchError(f"Unable to access invalid index: {index}: {_BAD_INDEX}")


def _value(operation: dict[str, Any]) -> Any:
    """A copy of what to put somewhere; keys that stand there twice are still there."""
    return _copied(operation.get("value"))


def _copied(value: Any) -> Any:
    if isinstance(value, Pairs):
        return Pairs([(key, _copied(item)) for key, item in value.pairs])
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


# What can be done there.


def _get(container: Container, key: str) -> Any:
    if isinstance(container, dict):
        return container.get(key)
    return container[_position(key, len(container))]


def _add(container: Container, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    elif key == "-":
        container.append(value)
    elif not _INDEX.fullmatch(key):
        text = f'strconv.Atoi: parsing "{key}": invalid syntax'
        raise PatchError(f"value was not a proper array index: '{key}': {text}")
    else:
        container.insert(_position(key, len(container) + 1), value)


def _set(container: Container, key: str, value: Any) -> None:
    if isinstance(container, dict):
        container[key] = value
    else:
        container[_position(key, len(container))] = value


def _drop(container: Container, key: str) -> None:
    if isinstance(container, list):
        del container[_position(key, len(container))]
    elif key in container:
        del container[key]
    else:
        raise PatchError(f"Unable to remove nonexistent key: {key}: {_MISSING}")


# Operations.


def _do_add(document: _Document, operation: dict[str, Any]) -> None:
    path = _path(operation)
    found = _find(document, path)
    if found is None:
        text = f'add operation does not apply: doc is missing path: "{path}": {_MISSING}'
        raise PatchError(text)
    try:
        _add(*found, _value(operation))
    except PatchError as error:
        raise PatchError(f"error in add for path: '{path}': {error}") from None


def _do_remove(document: _Document, operation: dict[str, Any]) -> None:
    path = _path(operation)
    found = _find(document, path)
    if found is None:
        text = f'remove operation does not apply: doc is missing path: "{path}": {_MISSING}'
        raise PatchError(text)
    try:
        _drop(*found)
    except PatchError as error:
        raise PatchError(f"error in remove for path: '{path}': {error}") from None


def _do_replace(document: _Document, operation: dict[str, Any]) -> None:
    path = _named_path(operation)
    value = _value(operation)
    if not path:
        if not isinstance(value, dict | list):
            raise PatchError("replace operation value must be object or array: %!w(<nil>)")
        document.root = value
        return
    found = _find(document, path)
    if found is None:
        text = f"replace operation does not apply: doc is missing path: {path}: {_MISSING}"
        raise PatchError(text)
    try:
        _set(*found, value)
    except PatchError:
        text = f"replace operation does not apply: doc is missing key: {path}: {_MISSING}"
        raise PatchError(text) from None


def _do_move(document: _Document, operation: dict[str, Any]) -> None:
    source = _from(operation)
    found = _find(document, source)
    if found is None:
        text = f"move operation does not apply: doc is missing from path: {source}: {_MISSING}"
        raise PatchError(text)
    try:
        value = _get(*found)
        _drop(*found)
    except PatchError as error:
        raise PatchError(f"error in move for path: '{found[1]}': {error}") from None
    path = _named_path(operation)
    target = _find(document, path)
    if target is None:
        text = f"move operation does not apply: doc is missing destination path: {path}: {_MISSING}"
        raise PatchError(text)
    try:
        _add(*target, value)
    except PatchError as error:
        raise PatchError(f"error in move for path: '{path}': {error}") from None


def _do_copy(document: _Document, operation: dict[str, Any]) -> None:
    source = _from(operation)
    found = _find(document, source)
    if found is None:
        text = f"copy operation does not apply: doc is missing from path: {source}: {_MISSING}"
        raise PatchError(text)
    try:
        value = _get(*found)
    except PatchError as error:
        raise PatchError(f"error in copy for from: '{source}': {error}") from None
    path = _path(operation)
    target = _find(document, path)
    if target is None:
        text = f"copy operation does not apply: doc is missing destination path: {path}: {_MISSING}"
        raise PatchError(text)
    data = orjson.dumps(value)
    document.copied += len(data)
    if document.copied > MAX_COPY_BYTES:
        raise PatchError(
            "Unable to complete the copy, the accumulated size increase of copy is "
            f"{document.copied}, exceeding the limit {MAX_COPY_BYTES}"
        )
    try:
        _add(*target, orjson.loads(data))
    except PatchError as error:
        raise PatchError(f"error while adding value during copy: {error}") from None


def _do_test(document: _Document, operation: dict[str, Any]) -> None:
    path = _named_path(operation)
    wanted = operation.get("value")
    if not path:
        value = document.root
    else:
        found = _find(document, path)
        if found is None:
            text = f"test operation does not apply: is missing path: {path}: {_MISSING}"
            raise PatchError(text)
        try:
            value = _get(*found)
        except PatchError as error:
            raise PatchError(f"error in test for path: '{path}': {error}") from None
    if not _equal(value, wanted):
        raise PatchError(f"testing value {path} failed: test failed")


def _equal(one: Any, other: Any) -> bool:
    """Equal as JSON texts: ``1`` is neither ``1.0`` nor ``true``."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return type(one) is type(other) and bool(one == other)


_KINDS: dict[str, Callable[[_Document, dict[str, Any]], None]] = {
    "add": _do_add,
    "remove": _do_remove,
    "replace": _do_replace,
    "move": _do_move,
    "copy": _do_copy,
    "test": _do_test,
}


# Merge patch.


def merge_patch(live: Any, patch: Any, *, as_written: bool = False) -> Any:
    """``live`` with a JSON merge patch applied; null removes. Shares nothing with either.

    ``as_written`` as of ``Patcher``. A list as patch replaces the document.
    """
    if not isinstance(patch, dict | list):
        raise PatchError("Invalid JSON Patch", malformed=True)
    order = _sorted if as_written else _as_it_is
    if isinstance(patch, list):
        return _without_nulls(deep_copy(patch), order)
    return _merged(deep_copy(live), deep_copy(patch), order)


Order = Callable[[Any], Any]


def _as_it_is(value: Any) -> Any:
    return value


def _sorted(value: Any) -> Any:
    return {key: value[key] for key in sorted(value)}


def _merged(live: Any, patch: Any, order: Order) -> Any:
    if not isinstance(live, dict):
        return _without_nulls(patch, order)
    if not isinstance(patch, dict):
        return patch
    for key, value in patch.items():
        if value is None:
            live.pop(key, None)
        elif live.get(key) is None:
            live[key] = _without_nulls(value, order)
        else:
            live[key] = _merged(live[key], value, order)
    return order(live)


def _without_nulls(value: Any, order: Order) -> Any:
    """Without null members of objects; in lists nulls stay."""
    if isinstance(value, dict):
        kept = {k: _without_nulls(item, order) for k, item in value.items() if item is not None}
        return order(kept)
    if isinstance(value, list):
        return [_without_nulls(item, order) for item in value]
    return value
