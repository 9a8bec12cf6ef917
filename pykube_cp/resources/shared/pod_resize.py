"""Changing the resources of a running pod."""
# upstream: pkg/apis/core/validation/validation.go ValidatePodResize

from typing import Any

from pykube_cp.machinery import objects
from pykube_cp.machinery.containers import is_sidecar
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import pod_quality, pod_updates

_RESIZABLE = ("cpu", "memory")
_FIELDS = ("initContainers", "containers")


def keep_resizable(pod: Object, old: Object) -> None:
    """Undo every change but those of resources; what is renamed is left for the check to find."""
    # upstream: pkg/registry/core/pod/strategy.go dropNonResizeUpdates
    spec, before = pod["spec"], old["spec"]
    if any(len(spec.get(field) or []) != len(before.get(field) or []) for field in _FIELDS):
        return
    merged = dict(before)
    merged.pop("resources", None)
    if spec.get("resources") is not None:
        merged["resources"] = spec["resources"]
    for field in _FIELDS:
        if spec.get(field):
            merged[field] = _containers(spec[field], before[field])
    pod["spec"] = merged
    pod["status"] = old.get("status") or {}


def _containers(now: list[Object], before: list[Object]) -> list[Object]:
    if any(c.get("name") != o.get("name") for c, o in zip(now, before, strict=True)):
        return now
    return [_container(container, old) for container, old in zip(now, before, strict=True)]


def _container(now: Object, before: Object) -> Object:
    merged = dict(before)
    for field in ("resources", "resizePolicy"):
        merged.pop(field, None)
        if field in now:
            merged[field] = now[field]
    return merged


def validate(pod: Object, old: Object) -> list[FieldError]:
    spec, before, path = pod["spec"], old["spec"], Path("spec")
    if pod_updates.MIRROR_POD in objects.annotations(old):
        return [pod_updates.general("static pods cannot be resized")]
    if (before.get("os") or {}).get("name") == "windows":
        return [pod_updates.general("windows pods cannot be resized")]
    found = _general(pod, old, path)
    if _has_resources(spec) or _has_resources(before):
        found += _pod_level(spec, before, path)
    wrong_order = _order(spec, before, path)
    if wrong_order:
        return found + wrong_order
    for field in _FIELDS:
        pairs = zip(spec.get(field) or [], before.get(field) or [], strict=True)
        for position, (container, former) in enumerate(pairs):
            where = path.child(field).index(position).child("resources")
            found += _removed(container, former, where, "resource requests", "resource limits")
    found += _only_resizable(spec, before, path)
    if spec.get("volumes") != before.get("volumes"):
        text = (
            "volumes are immutable on resize when InPlacePodVerticalScalingMemoryBackedVolumes "
            "feature gate is disabled"
        )
        found.append(FieldError.forbidden(path.child("volumes"), text))
    if not found and _masked(spec, before) != _masked(before, before):
        found.append(FieldError.forbidden(path, "only cpu and memory resources are mutable"))
    return found


def _general(pod: Object, old: Object, path: Path) -> list[FieldError]:
    found = []
    quality = (old.get("status") or {}).get("qosClass") or pod_quality.quality_of(old)
    if quality != pod_quality.quality_of(pod):
        text = "Pod QOS Class may not change as a result of resizing"
        shown = pod["status"].get("qosClass", "")
        found.append(FieldError.invalid(path, shown, text))
    for status in (old.get("status") or {}).get("containerStatuses") or ():
        if (status.get("state") or {}).get("running") is not None:
            if status.get("resources") is None:
                text = "Pod running on node without support for resize"
                found.append(FieldError.forbidden(path, text))
            break
    return found


def _has_resources(spec: Object) -> bool:
    resources = spec.get("resources") or {}
    return bool(resources.get("requests") or resources.get("limits"))


def _pod_level(spec: Object, before: Object, path: Path) -> list[FieldError]:
    # upstream: validatePodLevelResourcesResize
    where = path.child("resources")
    if before.get("resources") is not None and spec.get("resources") is None:
        return [FieldError.forbidden(where, "pod-level resources cannot be removed")]
    words = ("pod-level resource requests", "pod-level resource limits")
    found = _removed(spec, before, where, *words)
    if _masked_resources(spec, before) != _masked_resources(before, before):
        text = "only cpu and memory resources are mutable at pod-level"
        found.append(FieldError.forbidden(path, text))
    return found


def _removed(
    now: Object, before: Object, path: Path, requests: str, limits: str
) -> list[FieldError]:
    found = []
    for field, words in (("requests", requests), ("limits", limits)):
        had = (before.get("resources") or {}).get(field) or {}
        has = (now.get("resources") or {}).get(field) or {}
        if not had.keys() <= has.keys():
            found.append(FieldError.forbidden(path.child(field), f"{words} cannot be removed"))
    return found


def _order(spec: Object, before: Object, path: Path) -> list[FieldError]:
    # upstream: validatePodResizeContainerOrdering
    found = []
    for field in ("containers", "initContainers"):
        now, old = spec.get(field) or [], before.get(field) or []
        where = path.child(field)
        if len(now) != len(old):
            text = f"{field} may not be added or removed on resize"
            found.append(FieldError.forbidden(where, text))
            continue
        for position, (container, former) in enumerate(zip(now, old, strict=True)):
            if container.get("name") != former.get("name"):
                text = f"{field} may not be renamed or reordered on resize"
                found.append(FieldError.forbidden(where.index(position).child("name"), text))
    return found


def _only_resizable(spec: Object, before: Object, path: Path) -> list[FieldError]:
    found = []
    pairs = zip(spec.get("containers") or [], before.get("containers") or [], strict=True)
    for container, former in pairs:
        if _masked_container(container, former) != _masked_container(former, former):
            found.append(FieldError.forbidden(path, "only cpu and memory resources are mutable"))
    pairs = zip(spec.get("initContainers") or [], before.get("initContainers") or [], strict=True)
    for position, (container, former) in enumerate(pairs):
        where = path.child("initContainers").index(position)
        if _masked_container(container, former) != _masked_container(former, former):
            text = "only cpu and memory resources for init or sidecar containers are mutable"
            found.append(FieldError.forbidden(where, text))
        restarts = any(
            policy.get("restartPolicy") == "RestartContainer"
            for policy in container.get("resizePolicy") or ()
        )
        if container != former and restarts and not is_sidecar(container):
            text = (
                "non-sidecar init containers with a resize policy of RestartContainer cannot be "
                "resized"
            )
            found.append(FieldError.forbidden(where, text))
    return found


def _masked(spec: Object, before: Object) -> Object:
    """The spec with what may be resized made equal."""
    masked = dict(spec)
    for field in _FIELDS:
        if spec.get(field):
            pairs = zip(spec[field], before[field], strict=True)
            masked[field] = [_masked_container(now, old) for now, old in pairs]
    masked["resources"] = _masked_resources(spec, before)
    return masked


def _masked_container(container: Object, before: Object) -> Object:
    return container | {"resources": _masked_resources(container, before)}


def _masked_resources(now: Object, before: Object) -> dict[str, Any]:
    resources, former = now.get("resources") or {}, before.get("resources") or {}
    masked = dict(resources)
    for field in ("requests", "limits"):
        amounts = {k: v for k, v in (resources.get(field) or {}).items() if k not in _RESIZABLE}
        old = former.get(field) or {}
        masked[field] = amounts | {name: old[name] for name in _RESIZABLE if name in old}
    return masked
