"""Kubernetes objects as plain dicts of JSON shape, and how to read the parts all kinds share.

An object from a cache, an informer or a store is read-only; ``deep_copy`` first, then change.
"""

from typing import Any, TypeAlias

import orjson

Object: TypeAlias = dict[str, Any]


_COLLECTOR_FIELDS = frozenset({"ownerReferences", "finalizers", "managedFields"})


def deep_copy(obj: Any) -> Any:
    """A copy that shares nothing; a round trip through orjson is the fastest way to it."""
    return orjson.loads(orjson.dumps(obj))


def metadata(obj: Object) -> Object:
    """The object's metadata; an empty dict when absent (not attached to the object)."""
    found: Object | None = obj.get("metadata")
    return found if found is not None else {}


def name(obj: Object) -> str:
    found: str = metadata(obj).get("name", "")
    return found


def namespace(obj: Object) -> str:
    found: str = metadata(obj).get("namespace", "")
    return found


def uid(obj: Object) -> str:
    found: str = metadata(obj).get("uid", "")
    return found


def resource_version(obj: Object) -> str:
    found: str = metadata(obj).get("resourceVersion", "")
    return found


def labels(obj: Object) -> dict[str, str]:
    found: dict[str, str] | None = metadata(obj).get("labels")
    return found if found is not None else {}


def annotations(obj: Object) -> dict[str, str]:
    found: dict[str, str] | None = metadata(obj).get("annotations")
    return found if found is not None else {}


def finalizers(obj: Object) -> list[str]:
    found: list[str] | None = metadata(obj).get("finalizers")
    return found if found is not None else []


def owner_references(obj: Object) -> list[Object]:
    found: list[Object] | None = metadata(obj).get("ownerReferences")
    return found if found is not None else []


def controller_of(obj: Object) -> Object | None:
    """The owner reference with ``controller: true``, if any."""
    return next((ref for ref in owner_references(obj) if ref.get("controller")), None)


def is_deleting(obj: Object) -> bool:
    return bool(metadata(obj).get("deletionTimestamp"))


def key(obj: Object) -> str:
    """``namespace/name``, or ``name`` for what has no namespace."""
    return join_key(namespace(obj), name(obj))


def join_key(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def split_key(key: str) -> tuple[str, str]:
    """``(namespace, name)`` of a key made by ``key``."""
    namespace, _, name = key.rpartition("/")
    return namespace, name


def nested(obj: Any, *path: str, default: Any = None) -> Any:
    """The value at ``path`` of nested dicts, or ``default`` where any step is missing or null."""
    for step in path:
        if not isinstance(obj, dict):
            return default
        obj = obj.get(step)
    return default if obj is None else obj


def only_lets_go(obj: Object, old: Object) -> bool:
    """Whether nothing changes but what the garbage collector has to change."""
    # upstream: pkg/registry/rbac/helpers.go IsOnlyMutatingGCFields
    return _without_ties(obj) == _without_ties(old)


def _without_ties(obj: Object) -> Object:
    rest = {key: value for key, value in metadata(obj).items() if key not in _COLLECTOR_FIELDS}
    return {**obj, "metadata": rest}
