"""Volume attributes classes."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, storage_parameters


def _changes(obj: Object, old: Object | None) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go ValidateVolumeAttributesClassUpdate
    return [
        FieldError.forbidden(Path(field), f"updates to {field} are forbidden.")
        for field in ("driverName", "parameters")
        if old is not None and (obj.get(field) or None) != (old.get(field) or None)
    ]


def _validate(attributes_class: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go ValidateVolumeAttributesClass
    found = _changes(attributes_class, ctx.old)
    found += storage_parameters.check_provisioner(attributes_class, path, "driverName")
    parameters, where = attributes_class.get("parameters") or {}, path.child("parameters")
    found += storage_parameters.check(parameters, where)
    if not parameters:
        text = "must contain at least one key/value pair"
        found.append(FieldError.required(where, text))
    return found


RULES = (TypeRule(type="io.k8s.api.storage.v1.VolumeAttributesClass", validate=_validate),)
