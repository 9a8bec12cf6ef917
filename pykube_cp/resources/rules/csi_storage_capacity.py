"""CSI storage capacities."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks


def _validate(capacity: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/storage/validation/validation.go ValidateCSIStorageCapacity
    name = capacity.get("storageClassName") or ""
    found = checks.subdomain(name, path.child("storageClassName"))
    amount = checks.quantity(capacity.get("capacity") or 0)
    if amount is not None and amount.sign() < 0:
        where = path.child("capacity")
        found.append(FieldError.invalid(where, str(amount), checks.NEGATIVE))
    return found


RULES = (TypeRule(type="io.k8s.api.storage.v1.CSIStorageCapacity", validate=_validate),)
