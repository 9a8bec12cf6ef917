"""Strict decoding: which fields are unknown or given twice, in the order in which they stand.

Runs only when something is known to be wrong and the client asked for it, so it may take its time.
"""
# upstream: sigs.k8s.io/json internal/golang/encoding/json kubernetes_patch.go saveStrictError

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from pykube_cp.machinery.go_text import marshal, quote
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import AnyType, Leaf, ListOf, MapOf, Type

MAX_ERRORS = 100

Report = Callable[[str], None]


class Pairs(dict[str, Any]):
    """An object in which keys stood more than once; ``pairs`` is what was written."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


class Written(dict[str, Any]):
    """A whole object that has keys given twice somewhere; ``tree`` is the same with ``Pairs``."""

    def __init__(self, obj: Object, tree: Object) -> None:
        super().__init__(obj)
        self.tree = tree


def written_text(value: Any) -> str:
    """The JSON of a value in which keys may stand twice, as Go writes it."""
    if isinstance(value, Pairs):
        inner = (f"{marshal(key)}:{written_text(item)}" for key, item in value.pairs)
    elif isinstance(value, dict):
        inner = (f"{marshal(key)}:{written_text(item)}" for key, item in value.items())
    elif isinstance(value, list):
        return f"[{','.join(written_text(item) for item in value)}]"
    else:
        return marshal(value)
    return f"{{{','.join(inner)}}}"


def message(errors: Iterable[str]) -> str:
    """As a client is told: all errors in one line."""
    # upstream: apimachinery pkg/runtime/error.go strictDecodingError.Error
    return "strict decoding error: " + ", ".join(errors)


def strict_errors(obj: Any, kind: AnyType | None) -> list[str]:
    """``unknown field "spec.foo"`` and ``duplicate field "spec.bar"`` of an object as it was sent.

    ``kind`` None is for free objects, where only duplicates can be found.
    """
    found: dict[str, None] = {}

    def report(error: str) -> None:
        if len(found) < MAX_ERRORS:
            found[error] = None

    _walk(obj.tree if isinstance(obj, Written) else obj, kind, "", report)
    return list(found)


def _walk(value: Any, kind: AnyType | None, path: str, report: Report) -> None:
    match kind:
        case Type() if isinstance(value, dict):
            _struct(value, kind, path, report)
        case MapOf() if isinstance(value, dict):
            _map(value, kind.values, path, report)
        case ListOf() if isinstance(value, list):
            _list(value, kind.items, path, report)
        case None if isinstance(value, dict):
            _map(value, None, path, report)
        case None if isinstance(value, list):
            _list(value, None, path, report)
        case Leaf(name="any"):
            _walk(value, None, path, report)
        case _:
            pass  # leaves read themselves and report nothing


def _struct(value: Object, kind: Type, path: str, report: Report) -> None:
    for key, item, again in _written(value):
        below = f"{path}.{key}" if path else key
        field = kind.fields.get(key)
        if field is None:
            report(f"unknown field {quote(below)}")
            continue
        if again:
            report(f"duplicate field {quote(below)}")
        _walk(item, field.type, below, report)


def _map(value: Object, kind: AnyType | None, path: str, report: Report) -> None:
    for key, item, again in _written(value):
        below = f"{path}.{key}" if path else key
        if again:
            report(f"duplicate field {quote(below)}")
        _walk(item, kind, below, report)


def _list(value: list[Any], kind: AnyType | None, path: str, report: Report) -> None:
    for index, item in enumerate(value):
        _walk(item, kind, f"{path}[{index}]", report)


def _written(value: Object) -> Iterator[tuple[str, Any, bool]]:
    """Key, value and whether the key was there before."""
    if not isinstance(value, Pairs):
        for key, item in value.items():
            yield key, item, False
        return
    seen: set[str] = set()
    for key, item in value.pairs:
        yield key, item, key in seen
        seen.add(key)
