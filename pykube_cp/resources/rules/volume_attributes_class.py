"""Volume attributes classes."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, storage_parameters


def _validate(attributes_class: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go ValidateVolumeAttributesClass
    found = storage_parameters.check_provisioner(attributes_class, path, "driverName")
    parameters, where = attributes_class.get("parameters") or {}, path.child("parameters")
    found += storage_parameters.check(parameters, where)
    if not parameters:
        text = "must contain at least one key/value pair"
        found.append(FieldError.required(where, text))
    return found


RULES = (TypeRule(type="io.k8s.api.storage.v1.VolumeAttributesClass", validate=_validate),)
