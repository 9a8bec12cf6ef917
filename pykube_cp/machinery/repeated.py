"""Keys given twice: as Go decodes them, on top of what came before, not in its place."""
# upstream: encoding/json decode.go object, array (sigs.k8s.io/json has its own copy of it)

from typing import Any

from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import AnyType, ListOf, MapOf, Type
from pykube_cp.machinery.strict_errors import Pairs


def overlaid(value: Any, kind: AnyType, before: Any = None) -> Any:
    """The value that Go has after it decoded ``value`` into a variable that holds ``before``.

    Args:
        value: decoded JSON in which objects with repeated keys are ``Pairs``.
        kind: the variable's type. Structs keep the members, and lists the members of their elements,
            that the later value does not name; maps keep their keys; all else is replaced.
        before: None for a new variable, else what this made earlier. It is changed: a key may be
            given so often that copies of what came before would take minutes.
    """
    if isinstance(kind, Type) and isinstance(value, dict):
        return _struct(value, kind, before)
    if isinstance(kind, MapOf) and isinstance(value, dict):
        old = before if isinstance(before, dict) else {}
        old.update((key, overlaid(item, kind.values)) for key, item in _written(value))
        return old
    if isinstance(kind, ListOf) and isinstance(value, list):
        old_items = before if isinstance(before, list) else []
        old_items = [*old_items, *[None] * (len(value) - len(old_items))]
        pairs = zip(value, old_items, strict=False)
        return [overlaid(item, kind.items, old_item) for item, old_item in pairs]
    if value is None and isinstance(kind, Type):
        return before
    return value


def _struct(value: Object, kind: Type, before: Any) -> Object:
    made: Object = before if isinstance(before, dict) else {}
    for key, item in _written(value):
        field = kind.fields.get(key)
        if field is None:
            made[key] = item
        elif item is not None or field.pointer:
            made[key] = None if item is None else overlaid(item, field.type, made.get(key))
        else:
            made[key] = _null(field.type, made.get(key))
    return made


def _null(kind: AnyType, before: Any) -> Any:
    """Null empties lists and maps, and changes nothing else."""
    return None if isinstance(kind, ListOf | MapOf) else before


def _written(value: Object) -> list[tuple[str, Any]]:
    return value.pairs if isinstance(value, Pairs) else [*value.items()]
