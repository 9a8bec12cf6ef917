"""Which containers of a pod keep running."""

from collections.abc import Iterator

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object


def is_sidecar(container: Object) -> bool:
    """Whether an init container keeps running."""
    return container.get("restartPolicy") == "Always"


def lasting(pod: Object) -> Iterator[Object]:
    """Regular containers, then sidecars."""
    spec = pod["spec"]
    yield from spec.get("containers") or ()
    yield from filter(is_sidecar, spec.get("initContainers") or ())


def sidecar_names(pod: Object) -> set[str]:
    found = objects.nested(pod, "spec", "initContainers", default=[])
    return {container["name"] for container in found if is_sidecar(container)}
