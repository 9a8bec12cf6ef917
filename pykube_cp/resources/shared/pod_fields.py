"""Fields of pods that belong to features which are off: dropped, unless they were in use already."""
# upstream: pkg/api/pod/util.go dropDisabledFields

from collections.abc import Iterator
from typing import Any, TypeAlias

from pykube_cp.machinery.objects import Object

_INIT_ANNOTATIONS = tuple(
    f"pod.{stage}.kubernetes.io/init-container{what}"
    for stage in ("beta", "alpha")
    for what in ("s", "-statuses")
)

Tree: TypeAlias = "dict[str, str | Tree]"
"""Members to look into, through lists as well; a text names the group of a field that is off."""


def _files(kind: str) -> Tree:
    """A volume made of files; its user and theirs are two groups, of each kind of volume."""
    return {"defaultUser": f"defaultUser of {kind}", "items": {"user": f"user of {kind}"}}


_HTTP: Tree = {"httpGet": {"protocol": "protocol"}}
_PROBE: Tree = {**_HTTP, "grpc": {"mode": "mode of grpc"}}
_PROJECTED: Tree = {"user": "user of projected"}
_LISTED: Tree = {"items": _PROJECTED}
_CONTAINER: Tree = {
    "volumeMounts": {"bindMountOptions": "bindMountOptions"},
    "lifecycle": {"stopSignal": "stopSignal", "postStart": _HTTP, "preStop": _HTTP},
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
}
_DISABLED: Tree = {
    "schedulingGroup": "schedulingGroup",
    "evictionResponders": "evictionResponders",
    "initContainers": _CONTAINER,
    "containers": _CONTAINER,
    "ephemeralContainers": _CONTAINER,
    "volumes": {
        "emptyDir": {"mode": "mode of emptyDir"},
        "secret": _files("secret"),
        "configMap": _files("configMap"),
        "downwardAPI": _files("downwardAPI"),
        "projected": {
            "defaultUser": "defaultUser of projected",
            "sources": {
                "serviceAccountToken": _PROJECTED,
                "clusterTrustBundle": _PROJECTED,
                "podCertificate": _PROJECTED,
                "secret": _LISTED,
                "configMap": _LISTED,
                "downwardAPI": _LISTED,
            },
        },
    },
}


def drop_disabled(obj: Object, old: Object | None) -> None:
    """Drop them from a pod or a pod template; ``old`` is its former state.

    A field in use anywhere in the former state stays everywhere it is of the same group.
    """
    found = list(_fields(obj.get("spec") or {}, _DISABLED))
    if found:
        former = _fields((old or {}).get("spec") or {}, _DISABLED)
        kept = {group for group, holder, name in former if holder[name] is not None}
        for group, holder, name in found:
            if group not in kept:
                holder.pop(name, None)
    drop_init_annotations(obj)


def drop_init_annotations(obj: Object) -> None:
    """What once told of init containers; nobody may set it any more."""
    annotations = (obj.get("metadata") or {}).get("annotations")
    if annotations:
        for name in _INIT_ANNOTATIONS:
            annotations.pop(name, None)


def _fields(value: Object, tree: Tree) -> Iterator[tuple[str, Object, str]]:
    """Those that are there: group, holder and name."""
    for name, below in tree.items():
        if name not in value:
            continue
        if isinstance(below, str):
            yield below, value, name
            continue
        inner: Any = value[name]
        for each in inner if isinstance(inner, list) else (inner,):
            if isinstance(each, dict):
                yield from _fields(each, below)
