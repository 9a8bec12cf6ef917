"""What may change about a pod once it exists."""
# upstream: pkg/apis/core/validation/validation.go ValidatePodUpdate

import difflib
from typing import Any

import orjson

from pykube_cp.machinery import names, objects
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.validation import validate_immutable
from pykube_cp.resources.shared import security_annotations
from pykube_cp.resources.shared.go_names import internal

MIRROR_POD = "kubernetes.io/config.mirror"
_MAX_INT32 = 2**31 - 1
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_UPDATABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def general(text: str) -> FieldError:
    """An error about the pod as a whole."""
    return FieldError.forbidden(Path(""), text)


def difference(old: Any, new: Any) -> str:
    """A unified diff of two values as indented JSON."""
    # upstream: apimachinery pkg/util/diff/diff.go Diff
    one, other = (
        orjson.dumps(value, option=orjson.OPT_INDENT_2).decode().splitlines(keepends=True)
        for value in (old, new)
    )
    return "".join(difflib.unified_diff(one, other))


def annotation_updates(pod: Object, old: Object) -> list[FieldError]:
    """Annotations that mean something to kubelets stay as they are."""
    # upstream: ValidatePodSpecificAnnotationUpdates
    before, after = objects.annotations(old), objects.annotations(pod)
    path = Path("metadata", "annotations")
    found = []
    for key in before:
        if after.get(key) == before[key]:
            continue
        if key.startswith(security_annotations.APP_ARMOR):
            text = "may not remove or update AppArmor annotations"
            found.append(FieldError.forbidden(path.key(key), text))
        if key == MIRROR_POD:
            text = "may not remove or update mirror pod annotation"
            found.append(FieldError.forbidden(path.key(key), text))
    for key in after.keys() - before.keys():
        if key.startswith(security_annotations.APP_ARMOR):
            found.append(FieldError.forbidden(path.key(key), "may not add AppArmor annotations"))
        if key == MIRROR_POD:
            found.append(FieldError.forbidden(path.key(key), "may not add mirror pod annotation"))
    return found


def validate_update(pod: Object, old: Object) -> list[FieldError]:
    spec, before, path = pod["spec"], old["spec"], Path("spec")
    found = annotation_updates(pod, old)
    for field in ("containers", "initContainers"):
        errors, stop = _containers(
            spec.get(field) or [], before.get(field) or [], path.child(field)
        )
        found += errors
        if stop:
            return found
    errors, stop = _deadline(spec, before, path.child("activeDeadlineSeconds"))
    found += errors
    if stop:
        return found
    found += _tolerations(spec, before, path.child("tolerations"))
    found += _gates(spec, before, path.child("schedulingGates"))
    if spec == before:
        return found
    return found + _rest(spec, before, path)


def _containers(
    containers: list[Object], old: list[Object], path: Path
) -> tuple[list[FieldError], bool]:
    # upstream: ValidateContainerUpdates
    if len(containers) != len(old):
        text = "pod updates may not add or remove containers"
        return [FieldError.forbidden(path, text)], True
    found = []
    for position, container in enumerate(containers):
        image = container.get("image") or ""
        where = path.index(position).child("image")
        if not image:
            found.append(FieldError.required(where))
        if image.strip() != image:
            text = "must not have leading or trailing whitespace"
            found.append(FieldError.invalid(where, image, text))
    return found, False


def _deadline(spec: Object, old: Object, path: Path) -> tuple[list[FieldError], bool]:
    """It may be set or become less."""
    value, before = spec.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds")
    if value is None:
        if before is None:
            return [], False
        text = "must not update from a positive integer to nil value"
        return [FieldError.invalid(path, None, text)], False
    if not 0 <= value <= _MAX_INT32:
        text = names.inclusive_range_error(0, _MAX_INT32)
        return [FieldError.invalid(path, value, text)], True
    if before is not None and before < value:
        text = "must be less than or equal to previous value"
        return [FieldError.invalid(path, value, text)], True
    return [], False


def _tolerations(spec: Object, old: Object, path: Path) -> list[FieldError]:
    # upstream: validateOnlyAddedTolerations
    now = [_without_seconds(toleration) for toleration in spec.get("tolerations") or ()]
    for toleration in old.get("tolerations") or ():
        if _without_seconds(toleration) not in now:
            text = "existing toleration can not be modified except its tolerationSeconds"
            return [FieldError.forbidden(path, text)]
    return []


def _without_seconds(toleration: Object) -> Object:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _gates(spec: Object, old: Object, path: Path) -> list[FieldError]:
    # upstream: validateOnlyDeletedSchedulingGates
    before = {gate.get("name") for gate in old.get("schedulingGates") or ()}
    found = []
    for position, gate in enumerate(spec.get("schedulingGates") or ()):
        if gate.get("name") not in before:
            text = f"only deletion is allowed, but found new scheduling gate '{gate.get('name')}'"
            found.append(FieldError.forbidden(path.index(position).child("name"), text))
    return found


def _rest(spec: Object, old: Object, path: Path) -> list[FieldError]:
    """Compare what is left when all that may change is made equal."""
    munged = dict(spec)
    for field in ("containers", "initContainers"):
        pairs = zip(spec.get(field) or [], old.get(field) or [], strict=True)
        if field in munged:
            munged[field] = [_with_image(container, before) for container, before in pairs]
    for field in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        _take(munged, old, field)
    grace = "terminationGracePeriodSeconds"
    if (old.get(grace) or 0) < 0 and munged.get(grace) == 1:
        munged[grace] = old[grace]
    found = []
    if old.get("schedulingGates"):
        found += _node_selector(munged, old, path.child("nodeSelector"))
        found += _node_affinity(munged, old, path.child("affinity", "nodeAffinity"))
    if munged != old:
        text = f"pod updates may not change fields other than {_UPDATABLE}\n"
        found.append(FieldError.forbidden(path, text + difference(old, munged)))
    return found


def _with_image(container: Object, before: Object) -> Object:
    munged = dict(container)
    _take(munged, before, "image")
    return munged


def _take(munged: Object, old: Object, field: str) -> None:
    munged.pop(field, None)
    if field in old:
        munged[field] = old[field]


def _node_selector(munged: Object, old: Object, path: Path) -> list[FieldError]:
    """Pods that wait at a gate may be narrowed down."""
    # upstream: validateNodeSelectorMutation
    now, before = munged.get("nodeSelector") or {}, old.get("nodeSelector") or {}
    _take(munged, old, "nodeSelector")
    if before.items() <= now.items():
        return []
    text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
    return [FieldError.invalid(path, now, text)]


def _node_affinity(munged: Object, old: Object, path: Path) -> list[FieldError]:
    # upstream: validateNodeAffinityMutation
    now = (munged.get("affinity") or {}).get("nodeAffinity")
    before = (old.get("affinity") or {}).get("nodeAffinity")
    if now == before:
        return []
    affinity = dict(munged.get("affinity") or {})
    affinity.pop("nodeAffinity", None)
    if before is not None:
        affinity["nodeAffinity"] = before
    munged.pop("affinity", None)
    if affinity or "affinity" in old:
        munged["affinity"] = affinity
    where = path.child(_REQUIRED, "nodeSelectorTerms")
    return _terms(_node_terms(now), _node_terms(before), where)


def _node_terms(affinity: Object | None) -> list[Object]:
    found: list[Object] = objects.nested(affinity or {}, _REQUIRED, "nodeSelectorTerms", default=[])
    return found


_TERM = "io.k8s.api.core.v1.NodeSelectorTerm"


def _terms(now: list[Object], before: list[Object], path: Path) -> list[FieldError]:
    if before and len(now) != len(before):
        text = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
        return [FieldError.invalid(path, [internal(term, _TERM) for term in now], text)]
    return [
        FieldError.invalid(
            path.index(position),
            internal(now[position], _TERM),
            "only additions are allowed (no mutations or deletions)",
        )
        for position, term in enumerate(before)
        if not _only_adds(now[position], term)
    ]


def _only_adds(now: Object, before: Object) -> bool:
    fields = ("matchExpressions", "matchFields")
    if not any(before.get(field) for field in fields) and any(now.get(field) for field in fields):
        return False
    return all(
        (now.get(field) or [])[: len(before.get(field) or [])] == (before.get(field) or [])
        for field in fields
    )


def validate_ephemeral_containers(pod: Object, old: Object) -> list[FieldError]:
    """They may be added, no more."""
    # upstream: ValidatePodEphemeralContainersUpdate
    if MIRROR_POD in objects.annotations(old):
        return [general("static pods do not support ephemeral containers")]
    found = annotation_updates(pod, old)
    path = Path("spec", "ephemeralContainers")
    now = {c.get("name", ""): c for c in pod["spec"].get("ephemeralContainers") or ()}
    for container in old["spec"].get("ephemeralContainers") or ():
        name = container.get("name", "")
        if name not in now:
            text = f"existing ephemeral containers {quote(name)} may not be removed\n"
            found.append(FieldError.forbidden(path, text))
        elif now[name] != container:
            text = f"existing ephemeral containers {quote(name)} may not be changed\n"
            found.append(FieldError.forbidden(path, text + difference(container, now[name])))
    return found


def validate_on_create(pod: Object) -> list[FieldError]:
    """What is wrong with a new pod only."""
    # upstream: ValidatePodCreate
    spec, path, found = pod["spec"], Path("spec"), []
    if spec.get("ephemeralContainers"):
        where = path.child("ephemeralContainers")
        found.append(FieldError.forbidden(where, "cannot be set on create"))
    if spec.get("nodeName") and spec.get("schedulingGates"):
        text = "cannot be set until all schedulingGates have been cleared"
        found.append(FieldError.forbidden(path.child("nodeName"), text))
    return found


def validate_same_quality(pod: Object, old: Object) -> list[FieldError]:
    """The quality-of-service class never changes."""
    now, before = pod["status"].get("qosClass"), old["status"].get("qosClass")
    return validate_immutable(now, before, Path("status", "qosClass"))
