"""What drivers say of their devices."""

from pykube_cp.machinery.field_errors import Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks, resource_slices


def _validate_spec(spec: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    old = (ctx.old.get("spec") or {}) if ctx.old is not None else None
    return resource_slices.check(spec, old, path)


RULES = (TypeRule(type="io.k8s.api.resource.v1.ResourceSliceSpec", validate=_validate_spec),)
