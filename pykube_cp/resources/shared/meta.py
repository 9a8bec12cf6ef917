"""Metadata in the hands of strategies."""

from pykube_cp.machinery.objects import Object

_OF_STATUS = (
    "deletionTimestamp",
    "generation",
    "selfLink",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
)


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
