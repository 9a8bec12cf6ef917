"""Metadata in the hands of rules and strategies."""

from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.validation import validate_annotations
from pykube_cp.resources.shared import checks

_OF_STATUS = (
    "deletionTimestamp",
    "generation",
    "selfLink",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
)


def check_of_template(meta: Object, path: Path) -> checks.Errors:
    """Of objects that will be made of a template."""
    # upstream: pkg/apis/core/validation/validation.go ValidateTemplateObjectMeta
    found: checks.Errors = []
    found += validate_annotations(meta.get("annotations") or {}, path.child("annotations"))
    found += checks.labels(meta.get("labels") or {}, path.child("labels"))
    for field, value in meta.items():
        if value and field not in {"annotations", "labels"}:
            found.append(FieldError.forbidden(path.child(field), "cannot be set"))
    return found


def keep_meta_for_status(obj: Object, old: Object) -> None:
    """Undo what a client changed of the metadata through a subresource."""
    # upstream: apimachinery pkg/apis/meta/v1/helpers.go ResetObjectMetaForStatus
    meta, before = obj["metadata"], old["metadata"]
    for field in _OF_STATUS:
        meta.pop(field, None)
        if field in before:
            meta[field] = before[field]


def keep_labels(obj: Object, old: Object) -> None:
    """Undo changes of the labels."""
    obj["metadata"].pop("labels", None)
    if labels := old["metadata"].get("labels"):
        obj["metadata"]["labels"] = labels
