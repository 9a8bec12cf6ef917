"""A pod is not resized beyond what its node has."""
# upstream: plugin/pkg/admission/podresize/admission.go

from pykube_cp.admission.base import PODS, UPDATE, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes
from pykube_cp.machinery import errors, names, objects, pod_resources
from pykube_cp.machinery.go_text import quote
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quantity import Quantity

_NODES = GVR("", "v1", "nodes")
_OS = "kubernetes.io/os"
_ZERO = Quantity.parse("0")


class PodResizeValidator(BasePlugin):
    """Looks at resizes of pods that have a node."""

    name = "PodResizeValidator"
    operations = UPDATE
    resources = PODS

    async def validate(self, attributes: Attributes) -> None:
        pod, old = attributes.object, attributes.old_object
        if attributes.subresource != "resize" or pod is None or old is None:
            return
        name = pod["spec"].get("nodeName")
        if not name or pod["metadata"].get("generation") == old["metadata"].get("generation"):
            return
        node = await self._node(attributes, name)
        system = objects.labels(node).get(_OS, "linux")
        if system != "linux":
            text = f"pod resize is only supported on linux nodes, node {quote(name)} is {quote(system)}"
            raise _caused(forbidden(attributes, text), "UnsupportedPlatform")
        if short := _lacking(pod, node):
            text = f"node didn't have enough allocatable resources: {'; '.join(short)}"
            raise _caused(forbidden(attributes, text), "NodeCapacity")

    async def _node(self, attributes: Attributes, name: str) -> Object:
        """The node; it may be called what no node can be called."""
        if not names.is_path_segment_name(name):
            try:
                return await self.services.client.get(_NODES, name)
            except errors.StatusError as error:
                if not errors.is_not_found(error):
                    raise
        raise forbidden(attributes, f"node {quote(name)} not found")


def _lacking(pod: Object, node: Object) -> list[str]:
    wanted = pod_resources.wanted_requests(pod)
    there = pod_resources.parse_list(objects.nested(node, "status", "allocatable"))
    cpu, cpu_there = wanted.get("cpu", _ZERO), there.get("cpu", _ZERO)
    memory, memory_there = wanted.get("memory", _ZERO), there.get("memory", _ZERO)
    found = []
    if cpu > cpu_there:
        amounts = f"requested: {cpu.milli_value()}, allocatable: {cpu_there.milli_value()}"
        found.append(f"cpu, {amounts}")
    if memory > memory_there:
        found.append(f"memory, requested: {memory.value()}, allocatable: {memory_there.value()}")
    return found


def _caused(error: errors.StatusError, reason: str) -> errors.StatusError:
    error.details = {**(error.details or {}), "causes": [{"reason": reason}]}
    return error
