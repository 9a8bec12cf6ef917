"""Schemas that say of every field what it is, so that unknown fields can be dropped."""
# upstream: apiextensions-apiserver pkg/apiserver/schema/validation.go ValidateStructural

import re
from collections.abc import Iterator

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

_ROOT, _ITEM, _FIELD = "at the root", "for specified array items", "for specified object fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
_PRESERVES = "x-kubernetes-preserve-unknown-fields"
_EITHER = "x-kubernetes-int-or-string"
_EITHER_TYPE = [{"type": "integer"}, {"type": "string"}]
_NESTED_EMPTY = ("type", "title", "description", "x-kubernetes-list-map-keys")
_NESTED_UNDEFINED = (
    "additionalProperties",
    "default",
    "x-kubernetes-list-type",
    "x-kubernetes-map-type",
)
_NESTED_FALSE = ("nullable", _PRESERVES, _EMBEDDED, _EITHER)
_IN_META = (
    "must not specify anything other than name and generateName, "
    "but metadata is implicitly specified"
)


def check(schema: Object, path: Path) -> checks.Errors:
    return sorted(_structure(schema, path, _ROOT), key=str)


def _structure(schema: Object, path: Path, level: str) -> Iterator[FieldError]:
    kind, items, more = schema.get("type"), schema.get("items"), schema.get("additionalProperties")
    if kind == "array" and items is None:
        yield FieldError.required(path.child("items"), "must be specified")
    if isinstance(items, dict):
        yield from _structure(items, path.child("items"), _ITEM)
    for name, field in (schema.get("properties") or {}).items():
        yield from _structure(field, path.child("properties").key(name), _FIELD)
    if more is not None and level is _ROOT:
        where = path.child("additionalProperties")
        yield FieldError.forbidden(where, "must not be used at the root")
    if isinstance(more, dict):
        yield from _structure(more, path.child("additionalProperties"), _FIELD)
    yield from _extensions(schema, path)
    yield from _values(schema, path)
    yield from _type(schema, path, level)
    yield from _meta_fields(schema, path, level)


def _extensions(schema: Object, path: Path) -> Iterator[FieldError]:
    if not schema.get(_EITHER):
        return
    for field in (_PRESERVES, _EMBEDDED):
        if schema.get(field):
            text = f"must be false if {_EITHER} is true"
            yield FieldError.invalid(path.child(field), schema[field], text)


def _type(schema: Object, path: Path, level: str) -> Iterator[FieldError]:
    kind, where = schema.get("type") or "", path.child("type")
    embeds = schema.get(_EMBEDDED)
    if embeds and kind != "object":
        text = f"must be object if {_EMBEDDED} is true"
        yield FieldError.invalid(where, kind, text) if kind else FieldError.required(where, text)
    elif not kind and not schema.get(_EITHER) and not schema.get(_PRESERVES):
        yield FieldError.required(where, f"must not be empty {level}")
    if embeds and schema.get("additionalProperties") is not None:
        text = f"must not be used if {_EMBEDDED} is set"
        yield FieldError.forbidden(path.child("additionalProperties"), text)
    if level is _ROOT and kind and kind != "object":
        yield FieldError.invalid(where, kind, "must be object at the root")


def _meta_fields(schema: Object, path: Path, level: str) -> Iterator[FieldError]:
    fields = schema.get("properties") or {}
    is_resource = level is _ROOT or schema.get(_EMBEDDED)
    for name in ("kind", "apiVersion"):
        kind = (fields.get(name) or {}).get("type") or ""
        if is_resource and name in fields and kind != "string":
            where = path.child("properties").key(name).child("type")
            yield FieldError.invalid(where, kind, "must be string")
    meta, where = fields.get("metadata"), path.child("properties").key("metadata")
    if meta is not None and is_resource and meta.get("type") != "object":
        text = "must be object"
        yield FieldError.invalid(where.child("type"), meta.get("type") or "", text)
    if meta is not None and level is _ROOT and not _only_names(meta):
        yield FieldError.forbidden(where, _IN_META)
    if schema.get(_EMBEDDED) and not schema.get(_PRESERVES) and not fields:
        text = f"must not be empty if {_EMBEDDED} is true without {_PRESERVES}"
        yield FieldError.required(path.child("properties"), text)


def _only_names(meta: Object) -> bool:
    rest = {field for field, value in meta.items() if value} - {"type", "properties", "default"}
    return not rest and set(meta.get("properties") or ()) <= {"name", "generateName"}


def _values(schema: Object, path: Path) -> Iterator[FieldError]:
    """What only restricts values must not say what there is."""
    skips_any = schema.get("anyOf") == _EITHER_TYPE
    every = schema.get("allOf") or []
    skips_first = bool(every) and every[0].get("anyOf") == _EITHER_TYPE
    if not skips_any:
        yield from _nested_list(schema, path, "anyOf", skips_first=False)
    yield from _nested_list(schema, path, "allOf", skips_first=skips_first)
    yield from _nested_list(schema, path, "oneOf", skips_first=False)
    if isinstance(schema.get("not"), dict):
        yield from _nested(schema["not"], path.child("not"), skips_any=False)
    if pattern := schema.get("pattern"):
        try:
            re.compile(pattern)
        except re.error as error:
            text = f"must be a valid regular expression, but isn't: {error}"
            yield FieldError.invalid(path.child("pattern"), pattern, text)


def _nested_list(
    schema: Object, path: Path, field: str, *, skips_first: bool
) -> Iterator[FieldError]:
    for position, inner in enumerate(schema.get(field) or ()):
        where = path.child(field).index(position)
        yield from _nested(inner, where, skips_any=skips_first and position == 0)


def _nested(schema: Object, path: Path, *, skips_any: bool) -> Iterator[FieldError]:
    without = {k: v for k, v in schema.items() if not (skips_any and k == "anyOf")}
    yield from _values(without, path)
    if isinstance(schema.get("items"), dict):
        yield from _nested(schema["items"], path.child("items"), skips_any=False)
    for name, field in (schema.get("properties") or {}).items():
        yield from _nested(field, path.child("properties").key(name), skips_any=False)
    for fields, wrong in (
        (_NESTED_EMPTY, "must be empty"),
        (_NESTED_UNDEFINED, "must be undefined"),
        (_NESTED_FALSE, "must be false"),
        (("x-kubernetes-validations",), "must be empty"),
    ):
        for field in fields:
            if schema.get(field) or (field == "default" and schema.get(field) is not None):
                yield FieldError.forbidden(path.child(field), f"{wrong} to be structural")
    if "metadata" in (schema.get("properties") or {}):
        where = path.child("properties").key("metadata")
        yield FieldError.forbidden(where, "must not be specified in a nested context")
