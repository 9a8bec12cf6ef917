"""Templates of pods."""

from pykube_cp.machinery import objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.rules import RuleContext, TypeRule
from pykube_cp.registry.validation import validate_annotations
from pykube_cp.resources.shared import checks, pod_annotations


def _validate(template: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    # upstream: pkg/apis/core/validation/validation.go ValidatePodTemplateSpec
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    annotations, where = meta.get("annotations") or {}, path.child("annotations")
    found = checks.labels(meta.get("labels") or {}, path.child("labels"))
    found += validate_annotations(annotations, where)
    return found + pod_annotations.check(annotations, spec, where)


def _validate_rest(template: Object, path: Path, _ctx: RuleContext) -> checks.Errors:
    spec, where = template.get("spec") or {}, path.child("spec")
    found = pod_annotations.check_fields(objects.annotations(template), spec, where)
    if spec.get("ephemeralContainers"):
        text = "ephemeral containers not allowed in pod template"
        found.append(FieldError.forbidden(where.child("ephemeralContainers"), text))
    return found


RULES = (
    TypeRule(
        type="io.k8s.api.core.v1.PodTemplateSpec",
        validate=_validate,
        order=("spec", _validate_rest),
    ),
)
