"""A pod learns where its node stands when it is bound to it."""
# upstream: plugin/pkg/admission/podtopologylabels/admission.go

from pykube_cp.admission.base import CREATE, PODS, BasePlugin
from pykube_cp.admission.interface import Attributes
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVR

_NODES = GVR("", "v1", "nodes")
_LABELS = ("topology.kubernetes.io/zone", "topology.kubernetes.io/region")


class PodTopologyLabels(BasePlugin):
    """Puts the node's zone and region on bindings, which carry them to the pod."""

    name = "PodTopologyLabels"
    operations = CREATE
    resources = PODS

    async def admit(self, attributes: Attributes) -> None:
        body = attributes.object
        if attributes.subresource != "binding" or body is None:
            return
        target = body.get("target") or {}
        try:
            node = await self.services.client.get(_NODES, target.get("name", ""))
        except errors.StatusError:
            return
        found = {
            label: value
            for label, value in (node["metadata"].get("labels") or {}).items()
            if label in _LABELS
        }
        if found:
            meta = body.setdefault("metadata", {})
            meta["labels"] = {**(meta.get("labels") or {}), **found}
