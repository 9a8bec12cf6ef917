"""Parameters for those who provide storage."""

from collections.abc import Mapping

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks

_MAX_COUNT = 512
_MAX_SIZE = 256 * 1024


def check_provisioner(obj: Object, path: Path, field: str) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go validateProvisioner
    name, where = obj.get(field) or "", path.child(field)
    return checks.qualified(name.lower(), where) if name else [FieldError.required(where)]


def check(parameters: Mapping[str, str], path: Path) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go validateParameters
    if len(parameters) > _MAX_COUNT:
        return [FieldError.too_long(path, "", _MAX_COUNT)]
    found = []
    if "" in parameters:
        found.append(FieldError.invalid(path, "", "field can not be empty."))
    if sum(len(key) + len(value) for key, value in parameters.items()) > _MAX_SIZE:
        found.append(FieldError.too_long(path, "", _MAX_SIZE))
    return found
