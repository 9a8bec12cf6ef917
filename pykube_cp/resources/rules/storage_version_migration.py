"""Migrations of stored objects to another version."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks


def _validate(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/storagemigration/validation/validation.go ValidateStorageVersionMigration
    wanted, path = spec.get("resource") or {}, path.child("resource")
    group, resource = wanted.get("group") or "", wanted.get("resource") or ""
    found = checks.required(wanted, path, "resource", detail="resource is required to be set")
    if wrong := resource and names.is_dns1035_label(resource):
        found.append(FieldError.invalid(path.child("resource"), resource, ",".join(wrong)))
    if wrong := group and names.is_dns1123_subdomain(group):
        found.append(FieldError.invalid(path.child("group"), group, ",".join(wrong)))
    return found


RULES = (
    TypeRule(type="io.k8s.api.storagemigration.v1.StorageVersionMigrationSpec", validate=_validate),
)
