"""Which schemas custom resources may have."""
# upstream: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go
# upstream: ValidateCustomResourceDefinitionOpenAPISchema

from collections.abc import Iterator
from typing import Any, NamedTuple

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

_TYPES = ("array", "boolean", "integer", "number", "object", "string")
_META = ("metadata", "kind", "apiVersion")
_REASONS = (
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
)
_LIST_TYPE, _MAP_TYPE = "x-kubernetes-list-type", "x-kubernetes-map-type"
_MAP_KEYS = "x-kubernetes-list-map-keys"
_UNSUPPORTED = (
    "id",
    "additionalItems",
    "patternProperties",
    "definitions",
    "dependencies",
    "$ref",
)
_UNIQUE = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
_NO_META = "inside additionalProperties applying to object metadata"


class _Place(NamedTuple):
    """Where in the whole a schema stands."""

    is_root: bool = False
    in_meta: bool = False
    no_default: str = ""


def check(schema: Object, path: Path) -> checks.Errors:
    return _check(schema, path, _Place(is_root=True))


def _check(schema: Object, path: Path, place: _Place) -> checks.Errors:
    found = list(_standard(schema, path, place))
    for inner, where, inner_place in _inner(schema, path, place):
        found += _check(inner, where, inner_place)
    found += list(_map_type(schema, path))
    found += list(_list_type(schema, path))
    found += list(_keys(schema, path))
    return found + list(_rules(schema, path))


def _standard(schema: Object, path: Path, place: _Place) -> Iterator[FieldError]:
    kind = schema.get("type") or ""
    if kind and kind not in _TYPES:
        yield FieldError.not_supported(path.child("type"), kind, _TYPES)
    if "default" in schema and place.no_default:
        text = f"must not be set {place.no_default}"
        yield FieldError.forbidden(path.child("default"), text)
    for field in _UNSUPPORTED:
        if schema.get(field):
            yield FieldError.forbidden(path.child(field), f"{field} is not supported")
    if kind == "null":
        text = "type cannot be set to null, use nullable as an alternative"
        yield FieldError.forbidden(path.child("type"), text)
    if isinstance(schema.get("items"), list):
        text = "items must be a schema object and not an array"
        yield FieldError.forbidden(path.child("items"), text)
    if place.in_meta and schema.get("x-kubernetes-embedded-resource"):
        text = "must not be used inside of resource meta"
        yield FieldError.forbidden(path.child("x-kubernetes-embedded-resource"), text)
    if schema.get("uniqueItems"):
        yield FieldError.forbidden(path.child("uniqueItems"), _UNIQUE)
    more = schema.get("additionalProperties")
    if schema.get("properties") and more is not None and more is not True:
        text = "additionalProperties and properties are mutual exclusive"
        yield FieldError.forbidden(path.child("additionalProperties"), text)
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        where = path.child("x-kubernetes-preserve-unknown-fields")
        yield FieldError.invalid(where, False, "must be true or undefined")


def _inner(schema: Object, path: Path, place: _Place) -> Iterator[tuple[Object, Path, _Place]]:
    """The schemas in a schema."""
    below = place._replace(is_root=False)
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        reason = _NO_META if place.in_meta else place.no_default
        yield more, path.child("additionalProperties"), below._replace(no_default=reason)
    for name, inner in sorted((schema.get("properties") or {}).items()):
        yield inner, path.child("properties").key(name), _member(schema, name, place)
    if isinstance(schema.get("not"), dict):
        yield schema["not"], path.child("not"), below
    for field in ("allOf", "oneOf", "anyOf"):
        for position, inner in enumerate(schema.get(field) or ()):
            yield inner, path.child(field).index(position), below
    if isinstance(schema.get("items"), dict):
        yield schema["items"], path.child("items"), below


def _member(schema: Object, name: str, place: _Place) -> _Place:
    below = place._replace(is_root=False)
    embeds = place.is_root or schema.get("x-kubernetes-embedded-resource")
    if not embeds or name not in _META:
        return below
    reason = f"in top-level {name}" if place.is_root else place.no_default
    return below._replace(in_meta=True, no_default=reason)


def _of_type(schema: Object, path: Path, kind: str, field: str) -> Iterator[FieldError]:
    given = schema.get("type") or ""
    if schema.get(field) is None or given == kind:
        return
    text = f"must be {kind} if {field} is specified"
    if given:
        yield FieldError.invalid(path.child("type"), given, text)
    else:
        yield FieldError.required(path.child("type"), text)


def _map_type(schema: Object, path: Path) -> Iterator[FieldError]:
    yield from _of_type(schema, path, "object", _MAP_TYPE)
    yield from checks.optional(schema, path, _MAP_TYPE, ("atomic", "granular"))


def _list_type(schema: Object, path: Path) -> Iterator[FieldError]:
    kind, items = schema.get(_LIST_TYPE), schema.get("items")
    yield from _of_type(schema, path, "array", _LIST_TYPE)
    if kind == "set" and schema.get("type") == "array" and isinstance(items, dict):
        field = {"array": _LIST_TYPE, "object": _MAP_TYPE}.get(items.get("type") or "")
        allowed = {None, "atomic"} if field == _LIST_TYPE else {"atomic"}
        if field is not None and items.get(field) not in allowed:
            text = f"must be atomic as item of a list with {_LIST_TYPE}=set"
            where = path.child("items", field)
            yield FieldError.invalid(where, items.get(_LIST_TYPE), text)
    yield from checks.optional(schema, path, _LIST_TYPE, ("atomic", "set", "map"))
    if kind in {"set", "map"} and isinstance(items, dict) and items.get("nullable"):
        text = f"cannot be nullable when {_LIST_TYPE} is {kind}"
        yield FieldError.forbidden(path.child("items", "nullable"), text)


def _keys(schema: Object, path: Path) -> Iterator[FieldError]:
    keys, kind, items = schema.get(_MAP_KEYS) or [], schema.get(_LIST_TYPE), schema.get("items")
    if keys and kind != "map":
        text = f"must be map if {_MAP_KEYS} is non-empty"
        where = path.child(_LIST_TYPE)
        is_missing = kind is None
        yield (
            FieldError.required(where, text)
            if is_missing
            else FieldError.invalid(where, kind, text)
        )
    if kind != "map":
        return
    if not keys:
        text = f"must not be empty if {_LIST_TYPE} is map"
        yield FieldError.required(path.child(_MAP_KEYS), text)
    if items is None:
        text = f"must have a schema if {_LIST_TYPE} is map"
        yield FieldError.required(path.child("items"), text)
    elif isinstance(items, dict) and items.get("type") != "object":
        text = f"must be object if parent array's {_LIST_TYPE} is map"
        yield FieldError.invalid(path.child("items", "type"), items.get("type") or "", text)
    elif isinstance(items, dict):
        yield from _key_fields(keys, items, path)


def _key_fields(keys: list[str], items: Object, path: Path) -> Iterator[FieldError]:
    """Every key is a scalar of each item, and is always there."""
    fields, required = items.get("properties") or {}, items.get("required") or ()
    for position, key in enumerate(keys):
        where = path.child("items", "properties").key(key)
        field = fields.get(key)
        if field is None:
            text = "entries must all be names of item properties"
            yield FieldError.invalid(path.child(_MAP_KEYS), keys, text)
        elif field.get("type") in {"array", "object"}:
            text = f"must be a scalar type if parent array's {_LIST_TYPE} is map"
            yield FieldError.invalid(where.child("type"), items.get("type"), text)
        if key in keys[:position]:
            text = "must not contain duplicate entries"
            yield FieldError.invalid(path.child(_MAP_KEYS), keys, text)
        if field is None:
            continue
        text = f"this property is in {_MAP_KEYS}, so it "
        if key not in required and field.get("default") is None:
            text += "must have a default or be a required property"
            yield FieldError.required(where.child("default"), text)
        elif field.get("nullable"):
            yield FieldError.forbidden(where.child("nullable"), f"{text}cannot be nullable")


def _rules(schema: Object, path: Path) -> Iterator[FieldError]:
    """Expressions themselves are not judged."""
    for position, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        where = path.child("x-kubernetes-validations").index(position)
        yield from _texts(rule, where)
        if rule.get("reason") is not None:
            yield from checks.optional(rule, where, "reason", _REASONS)


def _texts(rule: Object, path: Path) -> Iterator[FieldError]:
    text, message = (rule.get("rule") or "").strip(), rule.get("message") or ""
    expression, field = rule.get("messageExpression") or "", rule.get("fieldPath") or ""
    if not text:
        yield FieldError.required(path.child("rule"), "rule is not specified")
    elif message and not message.strip():
        yield FieldError.invalid(path.child("message"), message, "must be non-empty if specified")
    elif _has_lines(message.strip()):
        yield FieldError.invalid(path.child("message"), message, "must not contain line breaks")
    elif _has_lines(text) and not message.strip():
        detail = "message must be specified if rule contains line breaks"
        yield FieldError.required(path.child("message"), detail)
    if expression and not expression.strip():
        detail = "messageExpression must be non-empty if specified"
        yield FieldError.required(path.child("messageExpression"), detail)
    if field and not field.strip():
        yield FieldError.invalid(path.child("fieldPath"), field, "must be non-empty if specified")
    if _has_lines(field):
        yield FieldError.invalid(path.child("fieldPath"), field, "must not contain line breaks")


def _has_lines(text: Any) -> bool:
    return "\n" in text or "\r" in text
