"""From what a client sent to what upstream would hold: type checks and the one canonical form.

One compiled pass per type does what decoding into a Go struct and encoding it again does: wrong
types are refused in Go's words, unknown fields and nulls fall away, empty values fall away where Go
omits them and appear where Go writes them (``"resources": {}``), times, quantities and base64 take
their one form. Lists and maps that are empty but always written become null, as after a round trip
through protobuf storage, except in the kinds that upstream stores as JSON.
"""

from collections.abc import Callable
from typing import Any

from pykube_cp.machinery import leaves
from pykube_cp.machinery.codec.interface import DecodeError, TypeMismatchError
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import AnyType, Field, Leaf, ListOf, MapOf, Scalar, Type
from pykube_cp.machinery.strict_errors import Pairs, Written, message, strict_errors
from pykube_cp.machinery.tables import Tables

__all__ = ["DecodeError", "TypeMismatchError", "message", "normalize", "zero"]

Odd = list[str]
"""Collects a word for whatever strict decoding would report; empty means nothing to report."""

Normalizer = Callable[[Any, Odd], Any]
Step = tuple[type, bool, Normalizer]
"""A member: values of exactly this type are kept as they are (the flag: even when empty); anything
else goes through the function."""

NOT_FILLED_IN = frozenset({("io.k8s.api.autoscaling.v2.HPAScalingRules", "policies")})
"""Lists that get no default where they are given empty; so they are kept, to be refused."""
STORED_AS_JSON = ("io.k8s.apiextensions-apiserver.", "io.k8s.kube-aggregator.")


class _Nothing:
    """The type of DROP, and of no JSON value."""


DROP = _Nothing()


def normalize(obj: Any, kind: Type, *, strict: bool) -> tuple[Object, list[str]]:
    """The canonical form of ``obj`` as a ``kind``, and the strict errors if ``strict``.

    Args:
        obj: as decoded from JSON, YAML or CBOR; not changed, but the result may share leaves that
            are free JSON (RawExtension and the like) with it.
        kind: its type.
        strict: whether to report unknown and duplicate fields (``strict_errors.message`` joins
            them); they are dropped in any case.

    Raises:
        DecodeError: a value has the wrong type or form.
    """
    odd: Odd = []
    try:
        result: Object = plan(kind)(obj, odd)
    except RecursionError as error:
        raise DecodeError("exceeded max depth") from error
    _keep_reset(obj, result)
    if odd and strict:
        return result, strict_errors(obj, kind)
    return result, []


def _keep_reset(obj: Object, result: Object) -> None:
    """An empty list of managedFields, given as such, resets them; whoever writes them takes it out."""
    # upstream: apimachinery pkg/util/managedfields/internal/fieldmanager.go isResetManagedFields
    meta = obj.get("metadata")
    if isinstance(meta, dict) and meta.get("managedFields") == []:
        result["metadata"]["managedFields"] = []


def in_order(value: Any, kind: AnyType) -> Any:
    """The same value with members in Go's order, for texts that show it."""
    if isinstance(kind, Type) and isinstance(value, dict):
        return {
            name: in_order(value[name], field.type)
            for name, field in kind.fields.items()
            if name in value
        }
    if isinstance(kind, ListOf) and isinstance(value, list):
        return [in_order(item, kind.items) for item in value]
    if isinstance(kind, MapOf) and isinstance(value, dict):
        return {key: in_order(value[key], kind.values) for key in sorted(value)}
    return value


def zero(kind: Type) -> Object:
    """What Go writes for the zero value of a type."""
    made: Object = plan(kind)({}, [])
    return made


def plan(kind: Type) -> Normalizer:
    """The compiled pass of a type."""
    return struct(kind).run


def struct(kind: Type) -> "Struct":
    """The compiled tables of a type."""
    return _structs.of(kind)


class Struct:
    """The pass over one struct, as a closure over tables that ``compile`` fills.

    Attributes:
        run: the pass.
        written: members that Go always writes, and their zero values.
        structs: members that are structs, always written too, and their passes.
    """

    def __init__(self, kind: Type) -> None:
        self._kind = kind
        self._steps: dict[str, Step] = {}
        self.written: Object = {}
        self.structs: list[tuple[str, Normalizer]] = []
        self.run = self._make_run()

    def _make_run(self) -> Normalizer:
        kind, steps, written, structs = self._kind, self._steps, self.written, self.structs

        def run(value: Any, odd: Odd) -> Object:
            if type(value) is not dict:
                _check_object(value, odd, kind.go_type)
            result = written.copy()
            key = ""
            try:
                for key, item in value.items():
                    step = steps.get(key)
                    if step is None:
                        odd.append(key)
                        continue
                    plain, keep, call = step
                    if type(item) is plain:
                        if keep or item:
                            result[key] = item
                    elif item is not None:
                        item = call(item, odd)  # noqa: PLW2901 - the hottest loop there is
                        if item is not DROP:
                            result[key] = item
            except TypeMismatchError as error:
                field = kind.fields[key]
                error.enter(kind.go_name, *(embed.go_name for embed in field.embeds), key)
                raise
            for key, zero_of in structs:
                if key not in result:
                    result[key] = zero_of({}, odd)
            return result

        return run

    def compile(self) -> None:
        for field in self._kind.fields.values():
            self._steps[field.name] = self._step(field)
            if field.pointer:
                if not field.omitempty:
                    self.written[field.name] = None
            elif isinstance(field.type, Type):
                self.structs.append((field.name, plan(field.type)))
            elif not _omitted_when_empty(field):
                self.written[field.name] = _written_zero(field.type)

    def _step(self, field: Field) -> Step:
        keep = field.pointer or not field.omitempty
        kind = field.type
        if isinstance(kind, Scalar) and kind.name in {"string", "bool"}:
            return (str if kind.name == "string" else bool), keep, _reject(kind.go_type)
        call = normalizer(kind)
        if isinstance(kind, ListOf | MapOf):
            return _Nothing, False, _empty_as(self._when_empty(field), call)
        if isinstance(kind, Scalar) and not keep:
            return _Nothing, False, _empty_as(DROP, call)
        if isinstance(kind, Leaf) and field.omitzero:
            return _Nothing, False, _none_as_drop(call)
        return _Nothing, False, call

    def _when_empty(self, field: Field) -> Any:
        if (self._kind.name, field.name) in NOT_FILLED_IN:
            return []
        if field.omitempty and not field.pointer:
            return DROP
        if isinstance(field.type, ListOf) and field.type.boxed:
            return []
        is_items = field.name == "items" and "metadata" in self._kind.fields
        if is_items or self._kind.name.startswith(STORED_AS_JSON):
            return [] if isinstance(field.type, ListOf) else {}
        return None


_structs = Tables(Struct, lambda _kind, made: made.compile())


def _omitted_when_empty(field: Field) -> bool:
    """Whether Go leaves the zero value out; structs, leaves among them, never without omitzero."""
    if isinstance(field.type, Leaf) and field.type.name != "any":
        return field.omitzero
    return field.omitempty or field.omitzero


def _written_zero(kind: AnyType) -> Any:
    match kind:
        case Scalar(name="string"):
            return ""
        case Scalar(name="bool"):
            return False
        case Scalar(name="bytes"):
            return None
        case Scalar() | Leaf(name="IntOrString"):
            return 0
        case Leaf(name="Quantity"):
            return "0"
        case Leaf(name="Duration"):
            return "0s"
        case _:
            return None


def _check_object(value: Any, odd: Odd, go_type: str) -> None:
    if isinstance(value, Written | Pairs):
        odd.append("")
    elif not isinstance(value, dict):
        raise TypeMismatchError(leaves.json_kind(value), go_type)


def _empty_as(empty: Any, call: Normalizer) -> Normalizer:
    def run(value: Any, odd: Odd) -> Any:
        return call(value, odd) or empty

    return run


def _none_as_drop(call: Normalizer) -> Normalizer:
    def run(value: Any, odd: Odd) -> Any:
        found = call(value, odd)
        return DROP if found is None else found

    return run


def _reject(go_type: str) -> Normalizer:
    def run(value: Any, _odd: Odd) -> Any:
        raise TypeMismatchError(leaves.json_kind(value), go_type)

    return run


def normalizer(kind: AnyType) -> Normalizer:
    match kind:
        case Type():
            return plan(kind)
        case ListOf():
            return _list(kind)
        case MapOf():
            return _map(kind)
        case Scalar():
            return _scalar(kind)
        case Leaf():
            return _leaf(kind)


def _scalar(kind: Scalar) -> Normalizer:
    go_type = kind.go_type
    match kind.name:
        case "string" | "bool":
            plain: type = str if kind.name == "string" else bool

            def same(value: Any, _odd: Odd) -> Any:
                if type(value) is plain:
                    return value
                raise TypeMismatchError(leaves.json_kind(value), go_type)

            return same
        case "float64":
            return lambda value, _odd: leaves.double(value, go_type)
        case "bytes":
            return lambda value, _odd: leaves.base64_text(value, go_type)
        case "int32" | "int64" | "uint8":
            ranges = {"int32": leaves.INT32, "int64": leaves.INT64, "uint8": leaves.UINT8}
            allowed = ranges[kind.name]

            def integer(value: Any, _odd: Odd) -> Any:
                if type(value) is int and value in allowed:
                    return value
                return leaves.integer(value, allowed, go_type)

            return integer


def _list(kind: ListOf) -> Normalizer:
    call, go_type = normalizer(kind.items), kind.go_type
    missing = _null_element(kind.items, nullable=kind.nullable)
    plain: type = (
        str if isinstance(kind.items, Scalar) and kind.items.name == "string" else _Nothing
    )

    def run(value: Any, odd: Odd) -> Any:
        if type(value) is not list:
            raise TypeMismatchError(leaves.json_kind(value), go_type)
        return [
            item
            if type(item) is plain
            else call(item, odd)
            if item is not None
            else missing(item, odd)
            for item in value
        ]

    return run


def _map(kind: MapOf) -> Normalizer:
    call, go_type = normalizer(kind.values), kind.go_type
    missing = _null_element(kind.values, nullable=kind.nullable)
    plain: type = (
        str if isinstance(kind.values, Scalar) and kind.values.name == "string" else _Nothing
    )

    def run(value: Any, odd: Odd) -> Any:
        if type(value) is not dict:
            _check_object(value, odd, go_type)
        return {
            key: item
            if type(item) is plain
            else call(item, odd)
            if item is not None
            else missing(item, odd)
            for key, item in value.items()
        }

    return run


def _null_element(kind: AnyType, *, nullable: bool) -> Normalizer:
    """What null becomes in a list or map: the zero value, unless elements are pointers."""
    if nullable:
        return lambda _value, _odd: None
    if isinstance(kind, Type):
        of_struct = plan(kind)
        return lambda _value, odd: of_struct({}, odd)
    written = "" if isinstance(kind, Scalar) and kind.name == "bytes" else _written_zero(kind)
    return lambda _value, _odd: written


_LEAVES: dict[str, Callable[[Any], Any]] = {
    "Time": leaves.time,
    "MicroTime": leaves.micro_time,
    "Duration": leaves.duration,
    "Quantity": leaves.quantity_text,
    "IntOrString": leaves.int_or_string,
}
_FREE = frozenset({"any", "FieldsV1", "RawExtension", "JSON"})


def _leaf(kind: Leaf) -> Normalizer:
    if kind.name in _FREE:
        return lambda value, _odd: value
    if kind.refers:
        return _schema_or(kind)
    call = _LEAVES[kind.name]
    return lambda value, _odd: call(value)


def _schema_or(kind: Leaf) -> Normalizer:
    """A JSON schema or something else in its place; strictness ends here, as in upstream."""
    # upstream: apiextensions-apiserver pkg/apis/apiextensions/v1/marshal.go
    schema_of = _structs.named(kind.refers).run
    wants_strings = kind.name == "JSONSchemaPropsOrStringArray"
    takes_bool = kind.name == "JSONSchemaPropsOrBool"
    strings = _list(ListOf(Scalar("string", "string"), "[]string"))

    def run(value: Any, _odd: Odd) -> Any:
        if isinstance(value, dict):
            return schema_of(value, [])
        if takes_bool:
            if type(value) is bool:
                return value
            raise DecodeError("boolean or JSON schema expected")
        if not isinstance(value, list) or not value:
            return None
        if wants_strings:
            return strings(value, [])
        return [schema_of({} if item is None else item, []) for item in value]

    return run
