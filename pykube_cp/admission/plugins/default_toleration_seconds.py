"""Pods put up with an unreachable or unready node for five minutes."""
# upstream: plugin/pkg/admission/defaulttolerationseconds/admission.go

from pykube_cp.admission.base import PODS, WRITES, BasePlugin
from pykube_cp.admission.interface import Attributes

_SECONDS = 300
_KEYS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class DefaultTolerationSeconds(BasePlugin):
    """Adds the two tolerations unless the pod has an opinion."""

    name = "DefaultTolerationSeconds"
    operations = WRITES
    resources = PODS

    async def admit(self, attributes: Attributes) -> None:
        if attributes.subresource or attributes.object is None:
            return
        spec = attributes.object["spec"]
        tolerations = spec.get("tolerations") or []
        missing = [
            key
            for key in _KEYS
            if not any(
                each.get("key", "") in {key, ""} and each.get("effect", "") in {"NoExecute", ""}
                for each in tolerations
            )
        ]
        if missing:
            spec["tolerations"] = tolerations + [
                {
                    "key": key,
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": _SECONDS,
                }
                for key in missing
            ]
