"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386), as upstream's library understands them.

Where it is laxer than the standard, so is this: negative indices count from the end, ``replace``
and ``test`` take a missing member of an object for null, ``copy`` copies it as null.
"""
# upstream: gopkg.in/evanphx/json-patch.v4 patch.go, merge.go

import re
from collections.abc import Callable
from typing import Any, TypeAlias

import orjson

from pykube_cp.machinery.objects import deep_copy

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
    """What is being patched: one slot, so that the root can be replaced like anything else."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self.copied = 0


Step = Callable[[_Document], None]


def compile_patch(body: Any) -> Callable[[Any], Any]:
    """A function that applies a JSON patch, given as decoded JSON, to a document.

    The document is not changed, and the result shares nothing with it or the patch. ``PatchError``
    comes from that function, also when ``body`` is no patch.
    """

    def apply(live: Any) -> Any:
        document = _Document(deep_copy(live))
        for step in steps():
            step(document)
        return document.root

    made: list[Step] = []

    def steps() -> list[Step]:
        if not made:
            made.extend(_compile(body))
        return made

    return apply


def _compile(body: Any) -> list[Step]:
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
        _add(*found, deep_copy(operation.get("value")))
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
    value = deep_copy(operation.get("value"))
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
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_equal, one, other))
    return bool(one == other)


_KINDS: dict[str, Callable[[_Document, dict[str, Any]], None]] = {
    "add": _do_add,
    "remove": _do_remove,
    "replace": _do_replace,
    "move": _do_move,
    "copy": _do_copy,
    "test": _do_test,
}


# Merge patch.


def merge_patch(live: Any, patch: Any) -> Any:
    """``live`` with a JSON merge patch applied; null removes. Shares nothing with either."""
    if not isinstance(patch, dict):
        raise PatchError("Invalid JSON Patch", malformed=True)
    return _merged(deep_copy(live), deep_copy(patch))


def _merged(live: Any, patch: Any) -> Any:
    if not isinstance(live, dict):
        return _without_nulls(patch)
    if not isinstance(patch, dict):
        return patch
    for key, value in patch.items():
        if value is None:
            live.pop(key, None)
        elif live.get(key) is None:
            live[key] = _without_nulls(value)
        else:
            live[key] = _merged(live[key], value)
    return live


def _without_nulls(value: Any) -> Any:
    """Without null members of objects; in lists nulls stay."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
