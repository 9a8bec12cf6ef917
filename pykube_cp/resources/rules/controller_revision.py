"""Controller revisions."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.resources.shared import checks


def _validate(revision: Object, path: Path, ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/apps/validation/validation.go ValidateControllerRevisionCreate
    found = checks.nonnegative(revision, path, "revision")
    if ctx.old is not None or isinstance(revision.get("data"), dict):
        return found
    missing = revision.get("data") is None
    text = "data is mandatory" if missing else "data must be a valid JSON object"
    return [*found, FieldError.required(path.child("data"), text)]


RULES = (TypeRule(type="io.k8s.api.apps.v1.ControllerRevision", validate=_validate),)
