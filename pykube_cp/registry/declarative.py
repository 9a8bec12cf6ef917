"""Judge objects by the rules that their types declare, in the version that the client speaks.

Upstream has most checks twice, written by hand and declared at the type. Where a declared rule of the
``beta`` level fires, what was written by hand about the same thing gives way; rules without a level
have nothing written by hand. Each type is compiled once into a check of old and new value; what did
not change is not judged again.
"""
# upstream: apiserver pkg/registry/rest/validate.go ValidateDeclarativelyWithMigrationChecks

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pykube_cp.machinery import declarations, schema, structural
from pykube_cp.machinery.declarations import Declared, Rule
from pykube_cp.machinery.field_errors import ErrorType, FieldError, Path, unique
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import AnyType, Field, ListOf, MapOf, Scalar, Type
from pykube_cp.registry.declared_checks import CHECKS, Check, Errors, Operation

_ALPHA, _BETA = "alpha", "beta"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """How a resource follows the rules that its types declare.

    Attributes:
        options: which of the options that rules depend on are on; upstream's feature gates.
        renamed: patterns of fields in other versions, and what they are called in the stored one.
        loosely: the checks by hand are not marked: one gives way to a declared rule that says
            something of the same sort about the same field.
    """

    options: Mapping[str, bool] = field(default_factory=dict)
    renamed: Sequence[tuple[re.Pattern[str], str]] = ()
    loosely: bool = False


LOOSELY = Declarations(
    loosely=True,
    options={"InPlacePodVerticalScalingSchedulerPreemption": False, "WorkloadWithJob": False},
)
"""How kinds do whose checks by hand are not marked. The options are gates that are off by default."""


def validate(
    obj: Object, gvk: GVK, old: Object | None, options: Mapping[str, bool]
) -> list[FieldError]:
    """What declared rules find; those that only watch are left out."""
    kind = schema.find(gvk)
    if kind is None:
        return []
    operation = Operation(old is not None, options)
    found = _of_type(kind.name, kind)(obj, old, Path(), operation)
    return [error for error in found if error.level != _ALPHA]


def merge(
    by_hand: list[FieldError], declared: list[FieldError], how: Declarations
) -> list[FieldError]:
    """Both, without what is checked by hand and said by a declared rule."""
    # upstream: apimachinery pkg/api/validate/errors.go FilterCoveredHandwrittenErrors
    by_hand = unique(by_hand)
    said = [error for error in declared if error.level == _BETA]
    if not said:
        return by_hand + declared
    rest = [
        error
        for error in by_hand
        if not ((how.loosely or error.covered) and any(_same(error, other, how) for other in said))
    ]
    return rest + declared


def _same(by_hand: FieldError, declared: FieldError, how: Declarations) -> bool:
    # upstream: apimachinery pkg/util/validation/field/error_matcher.go ErrorMatcher.Matches
    if by_hand.type != declared.type:
        return False
    invalid = by_hand.type == ErrorType.INVALID
    if by_hand.covered:
        if by_hand.origin != declared.origin or (invalid and not by_hand.origin):
            return False
    elif invalid and by_hand.detail != declared.detail:
        return False
    return by_hand.field in {declared.field, _stored_name(declared.field, how)}


def _stored_name(name: str, how: Declarations) -> str:
    for pattern, replacement in how.renamed:
        renamed = pattern.sub(replacement, name)
        if renamed != name:
            return renamed
    return name


# Compiling.

Custom = Callable[[Any, Path], Errors]
"""A check of upstream's that is written by hand and only named by the rule."""

_compiled: dict[str, Check] = {}
_custom: dict[str, Custom] = {}


def use(custom: Mapping[str, Custom]) -> None:
    """Say what the rules mean that only name a check. The composition root does, once."""
    _compiled.clear()
    _custom.update(custom)


def _nothing(_value: Any, _old: Any, _path: Path, _operation: Operation) -> Errors:
    return []


def _of_type(name: str, kind: AnyType) -> Check:
    """All rules of a type; ``kind`` says what is inside it."""
    known = _compiled.get(name)
    if known is not None:
        return known
    declared = declarations.find(name)
    if declared is None:
        _compiled[name] = _nothing
        return _nothing
    _compiled[name] = _late(name)  # for types that contain themselves
    made = _compiled[name] = _type(declared, kind)
    return made


def _late(name: str) -> Check:
    def run(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        return _compiled[name](value, old, path, operation)

    return run


def _type(declared: Declared, kind: AnyType) -> Check:
    own = _sequence(declared.own, kind)
    members = []
    for name, rules in declared.members:
        if not name:
            members.append(_sequence(rules, kind))
            continue
        assert isinstance(kind, Type)
        members.append(_member(kind.fields[name], rules))

    def run(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        if value is None:
            return []
        found = own(value, old, path, operation)
        for check in members:
            found += check(value, old, path, operation)
        return found

    return run


def _member(member: Field, rules: tuple[Rule, ...]) -> Check:
    check, name, zero = _sequence(rules, member.type), member.name, _zero(member)

    def run(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        now, before = _get(value, name, zero), None
        if old is not None:
            before = _get(old, name, zero)
            if operation.update and now == before:
                return []
        return check(now, before, path.child(name), operation)

    return run


def _get(owner: Mapping[str, Any], name: str, zero: Any) -> Any:
    value = owner.get(name)
    return zero if value is None else value


def _zero(member: Field) -> Any:
    """What Go holds for an absent member."""
    if member.pointer:
        return None
    match member.type:
        case Type() | MapOf():
            return {}
        case ListOf():
            return []
        case Scalar(name="string" | "bytes"):
            return ""
        case Scalar(name="bool"):
            return False
        case Scalar():
            return 0
        case _:
            return None


def _sequence(rules: tuple[Rule, ...], kind: AnyType) -> Check:
    stops = [(_rule(rule, kind), rule.quiet) for rule in rules if rule.stop]
    others = [_rule(rule, kind) for rule in rules if not rule.stop]

    def run(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        found: Errors = []
        stopped = False
        for check, quiet in stops:
            errors = check(value, old, path, operation)
            stopped = stopped or bool(errors)
            if not quiet:
                found += errors
        if not stopped:
            for check in others:
                found += check(value, old, path, operation)
        return found

    return run


def _rule(rule: Rule, kind: AnyType) -> Check:
    nested = _NESTED.get(rule.check)
    check = nested(rule, kind) if nested is not None else CHECKS[rule.check](rule)
    if not rule.level:
        return check
    level = rule.level

    def run(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        found = check(value, old, path, operation)
        for error in found:
            error.level = level
        return found

    return run


# Rules about what is inside.


def _group(rule: Rule, kind: AnyType) -> Check:
    return _sequence(rule.do, kind)


def _reference(rule: Rule, kind: AnyType) -> Check:
    """The rules of a type; that of an embedded struct is not the one that the schema shows."""
    return _of_type(rule.type, kind)


def _by_name(rule: Rule, _kind: AnyType) -> Check:
    custom = _custom[rule.words[0]]

    def run(value: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        return [] if value is None else custom(value, path)

    return run


def _if_option(rule: Rule, kind: AnyType) -> Check:
    check = _sequence(rule.do, kind)

    def run(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        on = operation.options.get(rule.field)
        if on is None:
            return [FieldError.internal(path, f'undefined validation option "{rule.field}"')]
        return check(value, old, path, operation) if on is rule.enabled else []

    return run


def _subfield(rule: Rule, kind: AnyType) -> Check:
    assert isinstance(kind, Type)
    return _member(kind.fields[rule.field], rule.do)


def _each_item(rule: Rule, kind: AnyType) -> Check:
    assert isinstance(kind, ListOf)
    check, same = _sequence(rule.do, kind.items), _matcher(rule.keys)

    def run(values: Any, olds: Any, path: Path, operation: Operation) -> Errors:
        found: Errors = []
        for position, value in enumerate(values):
            old = _find(olds, value, same) if rule.keys else None
            if operation.update and old is not None and (not rule.equal or value == old):
                continue
            found += check(value, old, path.index(position), operation)
        return found

    return run


def _each_value(rule: Rule, kind: AnyType) -> Check:
    assert isinstance(kind, MapOf)
    check = _sequence(rule.do, kind.values)

    def run(values: Any, olds: Any, path: Path, operation: Operation) -> Errors:
        found: Errors = []
        for key in sorted(values):
            old = (olds or {}).get(key)
            if operation.update and old is not None and rule.equal and values[key] == old:
                continue
            found += check(values[key], old, path.key(key), operation)
        return found

    return run


def _each_key(rule: Rule, _kind: AnyType) -> Check:
    check = _sequence(rule.do, Scalar("string", "string"))

    def run(values: Any, olds: Any, path: Path, operation: Operation) -> Errors:
        found: Errors = []
        for key in sorted(values):
            if not (operation.update and key in (olds or {})):
                found += check(key, None, path, operation)
        return found

    return run


# Rules about the items of a list.

Matcher = Callable[[Any, Any], bool]


def _matcher(keys: tuple[str, ...]) -> Matcher:
    """Whether two items are the same one. Absent members are zero, which is as good as none."""
    if keys in {(), ("",)}:
        return lambda one, other: one == other
    return lambda one, other: all((one.get(k) or None) == (other.get(k) or None) for k in keys)


def _find(items: Any, wanted: Any, same: Matcher) -> Any:
    return next((item for item in items or () if same(item, wanted)), None)


def _unique(rule: Rule, kind: AnyType) -> Check:
    assert isinstance(kind, ListOf)
    same, items = _matcher(rule.keys), kind.items

    def run(values: Any, _old: Any, path: Path, _operation: Operation) -> Errors:
        return [
            FieldError.duplicate(path.index(position), structural.in_order(value, items))
            for position, value in enumerate(values)
            if any(same(earlier, value) for earlier in values[:position])
        ]

    return run


def _list_update(rule: Rule, _kind: AnyType) -> Check:
    same = _matcher(rule.keys)

    def run(values: Any, olds: Any, path: Path, operation: Operation) -> Errors:
        if not operation.update:
            return []
        found: Errors = []
        for word in rule.words:
            if word == "NoAddItem":
                added = (i for i, value in enumerate(values) if _find(olds, value, same) is None)
                found += [
                    FieldError.forbidden(path.index(i), "item may not be added") for i in added
                ]
            elif word == "NoRemoveItem":
                gone = (old for old in olds or () if _find(values, old, same) is None)
                found += [FieldError.forbidden(path, "item may not be removed") for _ in gone]
            else:
                raise NotImplementedError(word)
        return [error.with_origin("update") for error in found]

    return run


# Rules about the members of a struct that depend on each other.


def _is_set(owner: Any, member: Field) -> bool:
    value = (owner or {}).get(member.name)
    if member.pointer or not isinstance(member.type, ListOf | MapOf | Scalar):
        return value is not None
    return bool(value)


def _union(rule: Rule, kind: AnyType) -> Check:
    """Exactly one of some members, or at most one; for a list, items of some types."""
    shown = ", ".join(f"`{word}`" for word in rule.words)
    exactly = rule.check == "Union"
    many = f"must specify {'exactly' if exactly else 'at most'} one of: {shown}"
    origin = "union" if exactly else "zeroOrOneOf"
    members = _members_of_union(rule, kind)

    def run(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        given = [is_set(value) for is_set in members]
        if operation.update and old is not None and given == [is_set(old) for is_set in members]:
            return []
        names = [word for word, there in zip(rule.words, given, strict=True) if there]
        if len(names) > 1:
            text = f"{{{', '.join(names)}}}"
            return [FieldError.invalid(path, text, many).with_origin(origin)]
        if not names and exactly:
            text = f"must specify one of: {shown}"
            return [FieldError.invalid(path, "", text).with_origin(origin)]
        return []

    return run


def _members_of_union(rule: Rule, kind: AnyType) -> list[Callable[[Any], bool]]:
    if isinstance(kind, Type):
        return [functools.partial(_is_set, member=kind.fields[word]) for word in rule.words]

    def has(items: Any, value: str) -> bool:
        return any(item.get(rule.by) == value for item in items or ())

    # A member is named as its item: conditions[{"type": "Approved"}].
    values = [word.rpartition(': "')[2].partition('"')[0] for word in rule.words]
    return [functools.partial(has, value=value) for value in values]


def _dependent(rule: Rule, kind: AnyType) -> Check:
    assert isinstance(kind, Type)
    trigger, dependent = kind.fields[rule.by], kind.fields[rule.field]
    required = rule.check == "DependentRequired"

    def run(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        now = _is_set(value, trigger), _is_set(value, dependent)
        if operation.update and old is not None:
            if now == (_is_set(old, trigger), _is_set(old, dependent)):
                return []
        if now != (True, not required):
            return []
        where = path.child(rule.field)
        if required:
            text = f"must be set when {rule.by} is set"
            return [FieldError.required(where, text).with_origin("dependentRequired")]
        text = f"may not be set when {rule.by} is set"
        return [FieldError.forbidden(where, text).with_origin("dependentForbidden")]

    return run


def _discriminated(rule: Rule, kind: AnyType) -> Check:
    """Rules of a member that follow from the value of another one."""
    assert isinstance(kind, Type)
    member = kind.fields[rule.field]
    otherwise = _sequence(rule.do, member.type)
    choices = {value: _sequence(rules, member.type) for value, rules in rule.cases}
    zero = _zero(member)

    def run(value: Any, old: Any, path: Path, operation: Operation) -> Errors:
        now, by = _get(value, rule.field, zero), value.get(rule.by) or ""
        before = None
        if old is not None:
            before = _get(old, rule.field, zero)
            if operation.update and by == (old.get(rule.by) or "") and now == before:
                return []
        return choices.get(by, otherwise)(now, before, path.child(rule.field), operation)

    return run


_NESTED: dict[str, Callable[[Rule, AnyType], Check]] = {
    "Group": _group,
    "Type": _reference,
    "Custom": _by_name,
    "IfOption": _if_option,
    "Subfield": _subfield,
    "EachValSliceVal": _each_item,
    "EachMapVal": _each_value,
    "EachMapKey": _each_key,
    "ValSliceUnique": _unique,
    "ValSliceUpdate": _list_update,
    "Union": _union,
    "ZeroOrOneOfUnion": _union,
    "DependentRequired": _dependent,
    "DependentForbidden": _dependent,
    "Discriminated": _discriminated,
}
