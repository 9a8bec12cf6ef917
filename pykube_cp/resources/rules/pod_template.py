"""Templates of pods."""

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
    found += pod_annotations.check(annotations, spec, where)
    found += pod_annotations.check_fields(annotations, spec, path.child("spec"))
    if spec.get("ephemeralContainers"):
        text = "ephemeral containers not allowed in pod template"
        found.append(FieldError.forbidden(path.child("spec", "ephemeralContainers"), text))
    if template.get("spec") is None:
        found.append(FieldError.required(path.child("spec", "containers")))
    return found


RULES = (TypeRule(type="io.k8s.api.core.v1.PodTemplateSpec", validate=_validate),)
