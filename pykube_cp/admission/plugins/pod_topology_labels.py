"""A pod learns where its node stands when it is bound to it."""
# upstream: plugin/pkg/admission/podtopologylabels/admission.go

from pykube_cp.admission.base import CREATE, PODS, BasePlugin
from pykube_cp.admission.interface import Attributes
from pykube_cp.machinery import errors, names
from pykube_cp.machinery.gvk import GVR

_NODES = GVR("", "v1", "nodes")
_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class PodTopologyLabels(BasePlugin):
    """Puts the node's zone and region on pods made for it, and on bindings, which carry them to the pod."""

    name = "PodTopologyLabels"
    operations = CREATE
    resources = PODS

    async def admit(self, attributes: Attributes) -> None:
        body = attributes.object
        if body is None:
            return
        if attributes.subresource == "binding":
            target = body.get("target") or {}
            node = target.get("name") if target.get("kind") == "Node" else None
        elif attributes.subresource:
            return
        else:
            node = body["spec"].get("nodeName")
        if node and (found := await self._labels(node)):
            meta = body.setdefault("metadata", {})
            meta["labels"] = {**(meta.get("labels") or {}), **found}

    async def _labels(self, name: str) -> dict[str, str]:
        if names.is_path_segment_name(name):
            return {}
        try:
            node = await self.services.client.get(_NODES, name)
        except errors.StatusError as error:
            if not errors.is_not_found(error):
                raise
            return {}
        labels = node["metadata"].get("labels") or {}
        return {label: value for label, value in labels.items() if label in _LABELS}
