"""IP addresses."""

from pykube_cp.machinery import names
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks


def _validate_spec(spec: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/networking/validation/validation.go validateIPAddressParentReference
    parent, where = spec.get("parentRef"), path.child("parentRef")
    if parent is None:
        return [FieldError.required(where)]
    found = checks.named(parent, where, "group")
    for field in ("resource", "name"):
        found += checks.must_name(parent, where, field, names.is_path_segment_name)
    return found + checks.named(parent, where, "namespace", names.is_path_segment_name)


RULES = (TypeRule(type="io.k8s.api.networking.v1.IPAddressSpec", validate=_validate_spec),)
