"""Storage classes."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, storage_parameters


def _default(storage_class: Object, _ctx: RuleContext) -> None:
    # upstream: pkg/apis/storage/v1/defaults.go SetDefaults_StorageClass
    if storage_class.get("reclaimPolicy") is None:
        storage_class["reclaimPolicy"] = "Delete"
    if storage_class.get("volumeBindingMode") is None:
        storage_class["volumeBindingMode"] = "Immediate"


_MODES = ("Immediate", "WaitForFirstConsumer")


def _validate(storage_class: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go ValidateStorageClass
    found = storage_parameters.check_provisioner(storage_class, path, "provisioner")
    parameters = storage_class.get("parameters") or {}
    found += storage_parameters.check(parameters, path.child("parameters"))
    if storage_class.get("reclaimPolicy"):
        found += checks.optional(storage_class, path, "reclaimPolicy", ("Delete", "Retain"))
    if storage_class.get("volumeBindingMode") is None:
        found.append(FieldError.required(path.child("volumeBindingMode")))
    found += checks.optional(storage_class, path, "volumeBindingMode", _MODES)
    return found + _topologies(storage_class, path.child("allowedTopologies"))


def _topologies(storage_class: Object, path: Path) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go validateAllowedTopologies
    found = []
    seen: list[dict[str, set[str]]] = []
    for position, term in enumerate(storage_class.get("allowedTopologies") or ()):
        where = path.index(position).child("matchLabelExpressions")
        wanted, wrong = _term(term, where)
        found += wrong
        if wanted in seen or not wanted:
            found.append(FieldError.duplicate(where, ""))
        seen.append(wanted)
    return found


def _term(term: Object, path: Path) -> tuple[dict[str, set[str]], checks.Errors]:
    wanted: dict[str, set[str]] = {}
    found = []
    for position, expression in enumerate(term.get("matchLabelExpressions") or ()):
        where, key = path.index(position), expression.get("key") or ""
        values = expression.get("values") or []
        found += checks.required(expression, where, "values")
        for number, value in enumerate(values):
            if value in values[:number]:
                found.append(FieldError.duplicate(where.child("values").index(number), value))
        found += checks.qualified(key, where.child("key"))
        if key in wanted:
            found.append(FieldError.duplicate(where.child("key"), key))
        wanted[key] = set(values)
    return wanted, found


RULES = (TypeRule(type="io.k8s.api.storage.v1.StorageClass", default=_default, validate=_validate),)
