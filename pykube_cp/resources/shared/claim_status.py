"""What may be said of a persistent volume claim's state."""
# upstream: pkg/apis/core/validation/validation.go ValidatePersistentVolumeClaimStatusUpdate

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import checks, resource_names

_RESIZE_STATUSES = (
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
)


def check(claim: Object) -> checks.Errors:
    status, path = claim.get("status") or {}, Path("status")
    found = []
    for name, value in (status.get("capacity") or {}).items():
        found += _amount(value, path.child("capacity").key(name))
    found += _resizing(status, path.child("allocatedResourceStatuses"))
    where = path.child("allocatedResources")
    for name, value in (status.get("allocatedResources") or {}).items():
        found += (
            _name(name, where)
            or _amount(value, where.key(name))
            or resource_names.check_amount("storage", value, where.key(name))
        )
    return found


def _resizing(status: Object, path: Path) -> checks.Errors:
    found = []
    for name, value in (status.get("allocatedResourceStatuses") or {}).items():
        found += _name(name, path)
        if value not in _RESIZE_STATUSES:
            found.append(FieldError.not_supported(path, name, _RESIZE_STATUSES))
    return found


def _amount(value: str, path: Path) -> checks.Errors:
    amount = checks.quantity(value)
    if amount is None or amount.int64_value() >= 0:
        return []
    return [FieldError.invalid(path, amount.int64_value(), "must be a valid resource quantity")]


def _name(name: str, path: Path) -> checks.Errors:
    """Of the resources that are not somebody's own, only storage."""
    # upstream: pkg/apis/core/validation/validation.go validatePersistentVolumeClaimResourceKey
    found = checks.qualified(name, path)
    if not found and resource_names.is_native(name) and name != "storage":
        found.append(FieldError.not_supported(path, name, ("storage",)))
    return found
