"""New nodes get no pods before they say that they are ready."""
# upstream: plugin/pkg/admission/nodetaint/admission.go

from pykube_cp.admission.base import CREATE, BasePlugin
from pykube_cp.admission.interface import Attributes

_TAINT = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition(BasePlugin):
    """Taints nodes when they are created."""

    name = "TaintNodesByCondition"
    operations = CREATE
    resources = frozenset({("", "nodes")})

    async def admit(self, attributes: Attributes) -> None:
        if attributes.subresource or attributes.object is None:
            return
        spec = attributes.object.setdefault("spec", {})
        taints = spec.get("taints") or []
        if not any(
            taint["key"] == _TAINT["key"] and taint["effect"] == _TAINT["effect"]
            for taint in taints
        ):
            spec["taints"] = [*taints, dict(_TAINT)]
