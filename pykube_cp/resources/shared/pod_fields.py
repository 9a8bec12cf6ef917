"""Fields of pods that belong to features which are off: dropped, unless they were in use already."""
# upstream: pkg/api/pod/util.go dropDisabledFields

from collections.abc import Callable, Iterator
from typing import Any

from pykube_cp.machinery.objects import Object
from pykube_cp.resources.shared import pods

_INIT_ANNOTATIONS = tuple(
    f"pod.{stage}.kubernetes.io/init-container{what}"
    for stage in ("beta", "alpha")
    for what in ("s", "-statuses")
)
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")

Holders = Callable[[Object], Iterator[Object]]


def drop_disabled(obj: Object, old: Object | None) -> None:
    """Drop them from a pod or a pod template; ``old`` is its former state."""
    spec = obj.get("spec") or {}
    old_spec = (old or {}).get("spec") or {}
    for field, holders in _DISABLED:
        _drop(field, holders, spec, old_spec)
    annotations = (obj.get("metadata") or {}).get("annotations")
    if annotations:
        for name in _INIT_ANNOTATIONS:
            annotations.pop(name, None)


def _drop(field: str, holders: Holders, spec: Object, old_spec: Object) -> None:
    found = [holder for holder in holders(spec) if field in holder]
    if found and not any(holder.get(field) is not None for holder in holders(old_spec)):
        for holder in found:
            del holder[field]


def _itself(spec: Object) -> Iterator[Object]:
    yield spec


def _containers(*path: str) -> Holders:
    """What containers hold at ``path``."""

    def find(spec: Object) -> Iterator[Object]:
        for container in pods.containers(spec):
            yield from _follow(container, path)

    return find


def _volumes(*path: str) -> Holders:
    def find(spec: Object) -> Iterator[Object]:
        for volume in spec.get("volumes") or ():
            yield from _follow(volume, path)

    return find


def _follow(value: Any, path: tuple[str, ...]) -> Iterator[Object]:
    """Through members and all items of lists."""
    if isinstance(value, list):
        for item in value:
            yield from _follow(item, path)
    elif isinstance(value, dict):
        if not path:
            yield value
        else:
            yield from _follow(value.get(path[0]), path[1:])


def _http_actions(spec: Object) -> Iterator[Object]:
    for container in pods.containers(spec):
        for probe in _PROBES:
            yield from _follow(container, (probe, "httpGet"))
        for hook in ("postStart", "preStop"):
            yield from _follow(container, ("lifecycle", hook, "httpGet"))


def _grpc_actions(spec: Object) -> Iterator[Object]:
    for container in pods.containers(spec):
        for probe in _PROBES:
            yield from _follow(container, (probe, "grpc"))


def _projected_files(spec: Object) -> Iterator[Object]:
    for source in _volumes("projected", "sources")(spec):
        for name in ("serviceAccountToken", "clusterTrustBundle", "podCertificate"):
            yield from _follow(source, (name,))
        for name in ("secret", "configMap", "downwardAPI"):
            yield from _follow(source, (name, "items"))


_DISABLED: tuple[tuple[str, Holders], ...] = (
    ("schedulingGroup", _itself),
    ("evictionResponders", _itself),
    ("mode", _volumes("emptyDir")),
    ("bindMountOptions", _containers("volumeMounts")),
    ("stopSignal", _containers("lifecycle")),
    ("protocol", _http_actions),
    ("mode", _grpc_actions),
    ("defaultUser", _volumes("secret")),
    ("defaultUser", _volumes("configMap")),
    ("defaultUser", _volumes("downwardAPI")),
    ("defaultUser", _volumes("projected")),
    ("user", _volumes("secret", "items")),
    ("user", _volumes("configMap", "items")),
    ("user", _volumes("downwardAPI", "items")),
    ("user", _projected_files),
)
