"""Judge objects: the rules of their types, compiled into one walk per kind, and their metadata.

On update, top-level members that did not change are passed over; so a status update does not judge
the spec again. What may not change at all is up to strategies.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from pykube_cp.machinery import names, schema
from pykube_cp.machinery.field_errors import FieldError, Path, unique
from pykube_cp.machinery.go_text import character, quote
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.schema import Compiler, Field, ListOf, MapOf, Type, Visitor
from pykube_cp.registry.rules import Arrangement, Check, RuleContext, TypeRule

Plan: TypeAlias = Callable[[Any, Path, RuleContext, list[FieldError]], None]

IMMUTABLE = "field is immutable"
NEGATIVE = names.IS_NEGATIVE
ANNOTATIONS_LIMIT = 256 * 1024
SUBRESOURCE_LIMIT = 256
FIELD_MANAGER_LIMIT = 128
_STANDARD = frozenset({"kubernetes", "orphan", "foregroundDeletion"})
_NO_FINALIZER = "name is neither a standard finalizer name nor is it fully qualified"
_LENIENT = frozenset(
    {
        "admissionregistration.k8s.io",
        "apiextensions.k8s.io",
        "apiregistration.k8s.io",
        "coordination.k8s.io",
        "node.k8s.io",
    }
)
"""Groups whose objects may have any finalizer."""
_SPEC = "spec"
"""One that was left out is judged as an empty one."""


class ValidateName(Protocol):
    """What is wrong with a name; ``prefix`` when something will be appended."""

    def __call__(self, name: str, *, prefix: bool) -> list[str]: ...


# The rules of types.


Step: TypeAlias = tuple[str, Plan]
"""A member and what is done with it; without a name, with the whole struct."""


class _Validator(Visitor[Plan]):
    """Compiles the walk, each value before what is inside it; members as the rule orders them.

    ``steps`` holds those of each struct.
    """

    def __init__(self, rules: Mapping[str, TypeRule]) -> None:
        self._rules = rules
        self.steps: dict[str, tuple[Step, ...]] = {}

    def list_of(self, kind: ListOf, items: Plan | None, field: Field | None) -> Plan | None:
        if items is None:
            return None
        each = items

        def run(values: Any, path: Path, ctx: RuleContext, found: list[FieldError]) -> None:
            for position, value in enumerate(values):
                if value is not None:
                    each(value, path.index(position), ctx, found)

        return run

    def map_of(self, kind: MapOf, values: Plan | None, field: Field | None) -> Plan | None:
        if values is None:
            return None
        each = values

        def run(members: Any, path: Path, ctx: RuleContext, found: list[FieldError]) -> None:
            for key in sorted(members):
                if members[key] is not None:
                    each(members[key], path.key(key), ctx, found)

        return run

    def struct(self, kind: Type, members: Sequence[tuple[Field, Plan]]) -> Plan | None:
        plans = {field.name: plan for field, plan in members}
        steps = self.steps[kind.name] = tuple(_ordered(self._rules.get(kind.name), plans))
        if not steps:
            return None
        if len(steps) == 1 and not steps[0][0]:
            return steps[0][1]

        def run(value: Any, path: Path, ctx: RuleContext, found: list[FieldError]) -> None:
            for name, step in steps:
                if not name:
                    step(value, path, ctx, found)
                    continue
                member = value.get(name)
                if member is not None:
                    step(member, path.child(name), ctx, found)

        return run


def _ordered(rule: TypeRule | None, plans: dict[str, Plan]) -> Iterator[Step]:
    if rule is not None:
        if rule.validate is not None:
            yield "", _check(rule.validate)
        for step in rule.order:
            if isinstance(step, Arrangement):
                yield "", _arrange(step)
            elif not isinstance(step, str):
                yield "", _check(step)
            elif step in plans:
                yield step, plans.pop(step)
    yield from plans.items()


def _check(check: Check) -> Plan:
    def run(value: Any, path: Path, ctx: RuleContext, found: list[FieldError]) -> None:
        found += check(value, path, ctx)

    return run


def _arrange(step: Arrangement) -> Plan:
    def run(_value: Any, path: Path, _ctx: RuleContext, found: list[FieldError]) -> None:
        if len(found) < 2:
            return
        above = f"{path}."
        mine = [error.field.startswith(above) for error in found]
        begin = mine.index(True) if True in mine else len(found)
        found[begin:] = sorted(
            found[begin:], key=lambda error: step.rank(error.field.removeprefix(above), error)
        )

    return run


class _Kind:
    """The steps of one kind."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._steps = steps

    def run(self, obj: Object, ctx: RuleContext) -> list[FieldError]:
        found: list[FieldError] = []
        for name, step in self._steps:
            if not name:
                step(obj, Path(), ctx, found)
                continue
            member = obj.get(name)
            if ctx.old is not None and member == ctx.old.get(name):
                continue
            if member is None and name == _SPEC:
                member = {}
            if member is not None:
                step(member, Path(name), ctx, found)
        return found


def _by_type(rules: Iterable[TypeRule]) -> dict[str, TypeRule]:
    """Those that judge; a type may have a second rule elsewhere, which only fills in."""
    found: dict[str, TypeRule] = {}
    for rule in rules:
        if rule.validate is not None or rule.order:
            if rule.type in found:
                raise ValueError(f"two rules judge {rule.type}")
            found[rule.type] = rule
    return found


class Validation:
    """The compiled checks of a set of rules."""

    def __init__(self, rules: Iterable[TypeRule]) -> None:
        self._validator = _Validator(_by_type(rules))
        self._compiler = Compiler(self._validator)
        self._kinds: dict[GVK, _Kind | None] = {}

    def run(self, obj: Object, gvk: GVK, old: Object | None) -> list[FieldError]:
        try:
            kind = self._kinds[gvk]
        except KeyError:
            kind = self._kinds[gvk] = self._compile(gvk)
        if kind is None:
            return []
        return unique(kind.run(obj, RuleContext(root=obj, kind=gvk, old=old)))

    def _compile(self, gvk: GVK) -> _Kind | None:
        kind = schema.find(gvk)
        if kind is None:
            return None
        self._compiler.compile(kind)
        return _Kind(self._validator.steps[kind.name])


def own_finalizers(obj: Object, gvk: GVK) -> list[FieldError]:
    """Without a prefix, finalizers are the system's; custom resources may have any."""
    # upstream: pkg/apis/core/validation/validation.go ValidateObjectMeta
    if gvk.group in _LENIENT or schema.find(gvk) is None:
        return []
    path, found = Path("metadata", "finalizers"), []
    for position, finalizer in enumerate((obj.get("metadata") or {}).get("finalizers") or ()):
        found += own_finalizer(finalizer, path.index(position))
    return found


def own_finalizer(finalizer: str, path: Path) -> list[FieldError]:
    # upstream: pkg/apis/core/validation/validation.go validateKubeFinalizerName
    if "/" in finalizer or finalizer in _STANDARD:
        return []
    return [FieldError.invalid(path, finalizer, _NO_FINALIZER)]


_current: Validation | None = None


def use(rules: Iterable[TypeRule]) -> None:
    """Say which rules ``validate`` follows. The composition root does, once."""
    global _current  # noqa: PLW0603 - the rules of the process
    _current = Validation(rules)


def validate(obj: Object, gvk: GVK, old: Object | None = None) -> list[FieldError]:
    """What is wrong with ``obj`` by the rules of its types; metadata is judged apart."""
    assert _current is not None, "validation.use() comes first"
    return _current.run(obj, gvk, old)


# Metadata.


def validate_object_meta(
    meta: Object, *, requires_namespace: bool, validate_name: ValidateName, path: Path
) -> list[FieldError]:
    """What is wrong with an object's metadata; names have been generated."""
    # upstream: apimachinery pkg/api/validation/objectmeta.go ValidateObjectMetaAccessor
    found = validate_names(meta, validate_name, path)
    found += _namespace(meta, path, required=requires_namespace)
    found += validate_nonnegative(meta.get("generation") or 0, path.child("generation"))
    found += _contents(meta, path)
    found += _finalizers(meta.get("finalizers") or [], path.child("finalizers"))
    found += _managed_fields(meta.get("managedFields") or [], path.child("managedFields"))
    return unique(found)


def validate_names(meta: Object, validate_name: ValidateName, path: Path) -> list[FieldError]:
    found: list[FieldError] = []
    if prefix := meta.get("generateName"):
        for text in validate_name(prefix, prefix=True):
            found.append(FieldError.invalid(path.child("generateName"), prefix, text))
    name = meta.get("name")
    if not name:
        found.append(FieldError.required(path.child("name"), "name or generateName is required"))
    else:
        for text in validate_name(name, prefix=False):
            found.append(FieldError.invalid(path.child("name"), name, text))
    return found


def validate_object_meta_update(meta: Object, old: Object, path: Path) -> list[FieldError]:
    """What is wrong with the change of metadata that are judged by themselves as well."""
    # upstream: apimachinery pkg/api/validation/objectmeta.go ValidateObjectMetaAccessorUpdate
    found: list[FieldError] = []
    if old.get("deletionTimestamp"):
        found += _no_new_finalizers(meta, old, path.child("finalizers"))
    version = meta.get("resourceVersion") or ""
    if not version:
        detail = "must be specified for an update"
        found.append(FieldError.invalid(path.child("resourceVersion"), version, detail))
    generation = meta.get("generation") or 0
    if generation < (old.get("generation") or 0):
        detail = "must not be decremented"
        found.append(FieldError.invalid(path.child("generation"), generation, detail))
    for field in _IMMUTABLE_META:
        found += validate_immutable(meta.get(field), old.get(field), path.child(field))
    return found


_IMMUTABLE_META = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)


def validate_immutable(value: Any, old: Any, path: Path) -> list[FieldError]:
    """Empty and absent are the same."""
    if value == old or (not value and not old and value is not False and old is not False):
        return []
    return [FieldError.invalid(path, value, IMMUTABLE)]


def validate_nonnegative(value: int, path: Path) -> list[FieldError]:
    return [FieldError.invalid(path, value, NEGATIVE)] if value < 0 else []


def validate_labels(labels: Mapping[str, str], path: Path) -> list[FieldError]:
    # upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidateLabels
    found: list[FieldError] = []
    for key, value in labels.items():
        found += validate_label_name(key, path)
        for text in names.is_valid_label_value(value):
            found.append(FieldError.invalid(path, value, text))
    return found


def validate_label_name(name: str, path: Path) -> list[FieldError]:
    return [FieldError.invalid(path, name, text) for text in names.is_qualified_name(name)]


def validate_annotations(annotations: Mapping[str, str], path: Path) -> list[FieldError]:
    """Keys may be in upper case here."""
    # upstream: apimachinery pkg/api/validation/objectmeta.go ValidateAnnotations
    found: list[FieldError] = []
    size = 0
    for key, value in annotations.items():
        for text in names.is_qualified_name(key.lower()):
            found.append(FieldError.invalid(path, key, text))
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_LIMIT:
        found.append(FieldError.too_long(path, "", ANNOTATIONS_LIMIT))
    return found


def _contents(meta: Object, path: Path) -> list[FieldError]:
    """What is judged alike on create and on update."""
    found: list[FieldError] = []
    if labels := meta.get("labels"):
        found += validate_labels(labels, path.child("labels"))
    if annotations := meta.get("annotations"):
        found += validate_annotations(annotations, path.child("annotations"))
    if owners := meta.get("ownerReferences"):
        found += _owners(owners, path.child("ownerReferences"))
    return found


def _namespace(meta: Object, path: Path, *, required: bool) -> list[FieldError]:
    namespace, where = meta.get("namespace") or "", path.child("namespace")
    if not required:
        return [FieldError.forbidden(where, "not allowed on this type")] if namespace else []
    if not namespace:
        return [FieldError.required(where)]
    texts = names.is_dns1123_label(namespace)
    return [FieldError.invalid(where, namespace, text) for text in texts]


def _owners(owners: Sequence[Object], path: Path) -> list[FieldError]:
    # upstream: apimachinery pkg/api/validation/objectmeta.go ValidateOwnerReferences
    found: list[FieldError] = []
    first = ""
    for position, owner in enumerate(owners):
        found += _owner(owner, path.index(position))
        if not owner.get("controller"):
            continue
        controller = f"{owner.get('kind', '')}/{owner.get('name', '')}"
        if first:
            detail = (
                "Only one reference can have Controller set to true. "
                f'Found "true" in references for {first} and {controller}'
            )
            found.append(FieldError.invalid(path, list(owners), detail))
        else:
            first = controller
    return found


def _owner(owner: Object, path: Path) -> list[FieldError]:
    version, kind = owner.get("apiVersion") or "", owner.get("kind") or ""
    found: list[FieldError] = []
    if not version:
        found.append(FieldError.required(path.child("apiVersion"), "must not be empty"))
    elif version.count("/") > 1 or version.endswith("/"):
        detail = "must be <group>/<version> or <version>"
        found.append(FieldError.invalid(path.child("apiVersion"), version, detail))
    for field in ("kind", "name", "uid"):
        if not owner.get(field):
            found.append(FieldError.required(path.child(field), "must not be empty"))
    if (version, kind) == ("v1", "Event"):
        detail = "/v1, Kind=Event is disallowed from being an owner"
        found.append(FieldError.invalid(path, owner, detail))
    return found


def _finalizers(finalizers: Sequence[str], path: Path) -> list[FieldError]:
    # upstream: apimachinery pkg/api/validation/objectmeta.go ValidateFinalizers
    found: list[FieldError] = []
    for finalizer in finalizers:
        for text in names.is_qualified_name(finalizer):
            found.append(FieldError.invalid(path, finalizer, text))
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        detail = "finalizer orphan and foregroundDeletion cannot be both set"
        found.append(FieldError.invalid(path, list(finalizers), detail))
    return found


def _no_new_finalizers(meta: Object, old: Object, path: Path) -> list[FieldError]:
    added = sorted(set(meta.get("finalizers") or ()) - set(old.get("finalizers") or ()))
    if not added:
        return []
    shown = ", ".join(quote(finalizer) for finalizer in added)
    detail = (
        "no new finalizers can be added if the object is being deleted, "
        f"found new finalizers []string{{{shown}}}"
    )
    return [FieldError.forbidden(path, detail)]


def field_manager(name: str, path: Path) -> list[FieldError]:
    """It must be short and printable; positions count bytes."""
    # upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidateFieldManager
    found: list[FieldError] = []
    if len(name.encode()) > FIELD_MANAGER_LIMIT:
        found.append(FieldError.too_long(path, "", FIELD_MANAGER_LIMIT))
    if not name.isprintable():
        for at, char in enumerate(name):
            if not char.isprintable():
                where = len(name[:at].encode())
                detail = f"invalid character {character(char)} (at position {where})"
                found.append(FieldError.invalid(path, name, detail))
    return found


def _managed_fields(entries: Sequence[Object], path: Path) -> list[FieldError]:
    # upstream: apimachinery pkg/apis/meta/v1/validation/validation.go ValidateManagedFields
    found: list[FieldError] = []
    for position, entry in enumerate(entries):
        found += _managed_entry(entry, path.index(position))
    return found


def _managed_entry(entry: Object, path: Path) -> list[FieldError]:
    found: list[FieldError] = []
    operation = entry.get("operation") or ""
    if not operation:
        found.append(FieldError.required(path.child("operation"), "must not be empty"))
    elif operation not in {"Apply", "Update"}:
        where = path.child("operation")
        found.append(FieldError.not_supported(where, operation, ["Apply", "Update"]))
    fields_type = entry.get("fieldsType") or ""
    if fields_type not in {"", "FieldsV1"}:
        detail = "must be `FieldsV1`"
        found.append(FieldError.invalid(path.child("fieldsType"), fields_type, detail))
    found += field_manager(entry.get("manager") or "", path.child("manager"))
    if len(entry.get("subresource") or "") > SUBRESOURCE_LIMIT:
        found.append(FieldError.too_long(path.child("subresource"), "", SUBRESOURCE_LIMIT))
    return found
