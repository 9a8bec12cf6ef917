"""What is wrong with a CBOR body for its kind, in the words of upstream's decoder.

Looked for only when it is known that something is wrong: the walk follows the items as they were sent,
and the first thing that is wrong counts.
"""
# upstream: github.com/fxamacker/cbor decode.go parseMapToStruct, UnmarshalTypeError, UnknownFieldError

from typing import Any

from pykube_cp.machinery.codec.cbor_decode import MeaningError, names_of
from pykube_cp.machinery.codec.interface import DecodeError, TypeMismatchError
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import AnyType, ListOf, MapOf, Type
from pykube_cp.machinery.structural import normalizer

_NO_STRUCT = " (cannot decode CBOR array to struct without toarray option)"


def mismatch(data: bytes, value: Any, kind: Type, error: TypeMismatchError) -> DecodeError:
    """What to say instead of an error that was found in the decoded value."""
    names = names_of(data)
    if not isinstance(value, dict) or not isinstance(names, dict):
        return error
    for key, field in _known(value, kind):
        found = _wrong(value[key], field, names[key])
        if found:
            name, go_type = found
            return DecodeError(
                f"cbor: cannot unmarshal {name} into Go struct field {kind.go_type}.{key} "
                f"of type {go_type}"
            )
    return error


def in_kind(error: MeaningError, kind: Type | None) -> DecodeError:
    """An error of a value as it is said where the kind is known."""
    text = str(error)
    place, end = "Go value of type int64", " overflows Go's int64)"
    if kind is None or not error.key or place not in text:
        return DecodeError(text)
    text = text.replace(place, f"Go struct field {kind.go_type}.{error.key} of type int64")
    if " positive integer " in text:
        text = text.replace(end, " overflows int64)")
    return DecodeError(text)


def not_a_kind(data: bytes, value: Any) -> str:
    """Why bytes do not tell their kind, although they can be read; empty when they do."""
    if isinstance(value, dict) and all(
        isinstance(value.get(key) or "", str) for key in ("kind", "apiVersion")
    ):
        return ""
    names = names_of(data)
    if isinstance(names, list):
        return f"cbor: cannot unmarshal array into Go value of type v1.TypeMeta{_NO_STRUCT}"
    if not isinstance(names, dict):
        found = names != "null"
        return f"cbor: cannot unmarshal {names} into Go value of type v1.TypeMeta" if found else ""
    for key in ("kind", "apiVersion"):
        name = _name(names.get(key, "byte string"))
        if name not in {"byte string", "UTF-8 text string", "null"}:
            return f"cbor: cannot unmarshal {name} into Go struct field v1.TypeMeta.{key} of type string"
    return ""


def unknown_field(value: Any, kind: AnyType) -> str:
    """The first member that the kind does not have, by its place; empty when there is none."""
    if isinstance(kind, Type) and isinstance(value, dict):
        for index, (key, item) in enumerate(value.items()):
            field = kind.fields.get(key)
            if field is None:
                return f"cbor: found unknown field at map element index {index}"
            if found := unknown_field(item, field.type):
                return found
    elif isinstance(kind, MapOf) and isinstance(value, dict):
        return next(filter(None, (unknown_field(item, kind.values) for item in value.values())), "")
    elif isinstance(kind, ListOf) and isinstance(value, list):
        return next(filter(None, (unknown_field(item, kind.items) for item in value)), "")
    return ""


def _known(value: Object, kind: Type) -> list[tuple[str, AnyType]]:
    return [
        (key, kind.fields[key].type)
        for key, item in value.items()
        if key in kind.fields and item is not None
    ]


def _wrong(value: Any, kind: AnyType, names: Any) -> tuple[str, str] | None:
    """The first value of the wrong type: how it is called, and what was wanted."""
    match kind:
        case Type():
            return _wrong_in_struct(value, kind, names)
        case MapOf() if isinstance(value, dict):
            pairs = [(value[key], names[key]) for key in value]
            inner = kind.values
        case ListOf() if isinstance(value, list):
            pairs, inner = [*zip(value, names, strict=True)], kind.items
        case _:
            return _wrong_leaf(value, kind, names)
    found = (_wrong(item, inner, name) for item, name in pairs if item is not None)
    return next(filter(None, found), None)


def _wrong_in_struct(value: Any, kind: Type, names: Any) -> tuple[str, str] | None:
    if not isinstance(value, dict):
        return _name(names), kind.go_type + (_NO_STRUCT if isinstance(value, list) else "")
    found = (_wrong(value[key], field, names[key]) for key, field in _known(value, kind))
    return next(filter(None, found), None)


def _wrong_leaf(value: Any, kind: AnyType, names: Any) -> tuple[str, str] | None:
    try:
        normalizer(kind)(value, [])
    except TypeMismatchError as error:
        return _name(names), error.go_type
    except DecodeError:
        pass  # told in other words
    return None


def _name(names: Any) -> str:
    if isinstance(names, dict | list):
        return "map" if isinstance(names, dict) else "array"
    text: str = names
    return text
