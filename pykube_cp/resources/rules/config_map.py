"""Config maps."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks

_LIMIT = 1024 * 1024


def _validate(config: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidateConfigMap
    data, binary = config.get("data") or {}, config.get("binaryData") or {}
    found = []
    for key in data:
        where = path.child("data").key(key)
        found += checks.invalid(where, key, names.is_config_map_key(key))
        if key in binary:
            text = "duplicate of key present in binaryData"
            found.append(FieldError.invalid(where, key, text))
    for key in binary:
        where = path.child("binaryData").key(key)
        found += checks.invalid(where, key, names.is_config_map_key(key))
    size = sum(len(value.encode()) for value in data.values())
    size += sum(map(checks.decoded_size, binary.values()))
    if size > _LIMIT:
        found.append(FieldError.too_long(Path(""), "", _LIMIT))
    return found


RULES = (TypeRule(type="io.k8s.api.core.v1.ConfigMap", validate=_validate),)
