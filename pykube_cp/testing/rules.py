"""What the API server does to any object on its way in and out, as ``FakeClient`` imitates it."""

from collections.abc import Callable, Iterable
from typing import Any

from pykube_cp.client.interface import DeleteOptions
from pykube_cp.machinery import clock, errors, objects, selectors
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object


def too_old(since: int, compacted: int) -> StatusError:
    return errors.resource_expired(f"too old resource version: {since} ({compacted})")


def is_in(obj: Object, namespace: str) -> bool:
    return not namespace or objects.namespace(obj) == namespace


def matcher(label_selector: str, field_selector: str) -> Callable[[Object], bool]:
    labels = selectors.parse(label_selector)
    terms = selectors.parse_field_selector(field_selector).terms

    def matches(obj: Object) -> bool:
        return labels.matches(objects.labels(obj)) and all(
            (_text(objects.nested(obj, *term.field.split("."), default="")) == term.value)
            is (term.operator == "=")
            for term in terms
        )

    return matches


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_preconditions(gvr: GVR, old: Object, uid: str, version: str) -> None:
    name, gr = objects.name(old), (gvr.group, gvr.resource)
    if uid and uid != objects.uid(old):
        raise errors.conflict(
            gr,
            name,
            f"Precondition failed: UID in precondition: {uid}, UID in object meta: "
            f"{objects.uid(old)}",
        )
    if version and version != objects.resource_version(old):
        raise errors.conflict(
            gr,
            name,
            "the object has been modified; please apply your changes to the latest version and "
            "try again",
        )


def check_uid_kept(old: Object, patched: Object) -> None:
    """A patch may name the uid, to be sure which object it changes."""
    uid = objects.uid(patched)
    if uid and uid != objects.uid(old):
        wrong = FieldError.invalid(Path("metadata").child("uid"), uid, "field is immutable")
        gvk = GVK.of(old)
        raise errors.invalid((gvk.group, gvk.kind), objects.name(old), [wrong])


def take_over(old: Object, new: Object, subresource: str) -> Object:
    """``new`` as far as this kind of update may change ``old``."""
    parts: Iterable[str] = {
        "": (new.keys() | old.keys()) - {"status"},
        "finalize": ("spec",),
        "approval": ("status",),
    }.get(subresource, (subresource,))
    result = dict(old)
    for part in parts:
        if part in new:
            result[part] = new[part]
        else:
            result.pop(part, None)
    kept = objects.metadata(old)
    meta = dict(objects.metadata(new)) if not subresource else dict(kept)
    for name in ("uid", "creationTimestamp", "generation", "resourceVersion", "namespace", "name"):
        if name in kept:
            meta[name] = kept[name]
    for name in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        meta.pop(name, None)
        if name in kept:
            meta[name] = kept[name]
    result["metadata"] = meta
    copied: Object = objects.deep_copy(result)
    return copied


def without_grace(obj: Object) -> Object:
    return {**obj, "metadata": {**obj["metadata"], "deletionGracePeriodSeconds": 0}}


def is_finished(gvr: GVR, obj: Object) -> bool:
    """Whether nothing holds a deleted object any more."""
    if objects.finalizers(obj) or objects.metadata(obj).get("deletionGracePeriodSeconds"):
        return False
    is_namespace = gvr == GVR("", "v1", "namespaces")
    return not (is_namespace and objects.nested(obj, "spec", "finalizers"))


def grace_period(gvr: GVR, obj: Object, options: DeleteOptions) -> int:
    """Only pods on a node that still run are deleted gracefully."""
    if gvr != GVR("", "v1", "pods") or not objects.nested(obj, "spec", "nodeName"):
        return 0
    if objects.nested(obj, "status", "phase") in {"Succeeded", "Failed"}:
        return 0
    if options.grace_period_seconds is not None:
        return options.grace_period_seconds
    period: int = objects.nested(obj, "spec", "terminationGracePeriodSeconds", default=30)
    return period


def mark_deleted(gvr: GVR, obj: Object, grace: int) -> None:
    meta = obj["metadata"]
    if "deletionTimestamp" not in meta:
        meta["deletionTimestamp"] = clock.format_time(clock.now() + grace)
        meta["deletionGracePeriodSeconds"] = grace
        if "generation" in meta:
            meta["generation"] += 1
    if gvr == GVR("", "v1", "namespaces"):
        obj.setdefault("status", {})["phase"] = "Terminating"
