"""The quality-of-service class of pods."""
# upstream: pkg/apis/core/helper/qos/qos.go ComputePodQOS

from pykube_cp.machinery import pod_resources
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity

BEST_EFFORT, BURSTABLE, GUARANTEED = "BestEffort", "Burstable", "Guaranteed"

_ZERO = Quantity.parse("0")


def quality_of(pod: Object) -> str:
    """BestEffort, Burstable or Guaranteed."""
    spec = pod["spec"]
    if pod_resources.has_pod_level_resources(pod):
        return _of_requirements(spec["resources"])
    classes = {
        _of_requirements(container.get("resources") or {})
        for field in ("initContainers", "containers")
        for container in spec.get(field) or ()
    }
    if not classes:
        return BEST_EFFORT
    return classes.pop() if len(classes) == 1 else BURSTABLE


def _of_requirements(requirements: Object) -> str:
    requests, limits = requirements.get("requests") or {}, requirements.get("limits") or {}
    if not requests and not limits:
        return BEST_EFFORT
    classes = {_of_resource(requests.get(name), limits.get(name)) for name in ("cpu", "memory")}
    return classes.pop() if len(classes) == 1 else BURSTABLE


def _of_resource(request: str | int | None, limit: str | int | None) -> str:
    wanted = Quantity.parse(str(request)) if request is not None else _ZERO
    allowed = Quantity.parse(str(limit)) if limit is not None else _ZERO
    if wanted != allowed:
        return BURSTABLE
    return BEST_EFFORT if wanted == _ZERO else GUARANTEED
