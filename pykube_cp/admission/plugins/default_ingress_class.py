"""Ingresses that name no class get the default one."""
# upstream: plugin/pkg/admission/network/defaultingressclass/admission.go

from pykube_cp.admission.base import CREATE, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes
from pykube_cp.machinery.gvk import GVR

_CLASSES = GVR("networking.k8s.io", "v1", "ingressclasses")
_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
_OLD = "kubernetes.io/ingress.class"


class DefaultIngressClass(BasePlugin):
    """Refuses to choose between several defaults of the same age."""

    name = "DefaultIngressClass"
    operations = CREATE
    resources = frozenset({("networking.k8s.io", "ingresses")})

    async def admit(self, attributes: Attributes) -> None:
        ingress = attributes.object
        if attributes.subresource or ingress is None:
            return
        if ingress["spec"].get("ingressClassName") is not None:
            return
        if _OLD in (ingress["metadata"].get("annotations") or {}):
            return
        found = await self.services.client.list(_CLASSES)
        defaults = [
            each
            for each in found.items
            if (each["metadata"].get("annotations") or {}).get(_DEFAULT) == "true"
        ]
        if not defaults:
            return
        defaults.sort(key=lambda each: each["metadata"]["name"])
        defaults.sort(key=lambda each: each["metadata"]["creationTimestamp"], reverse=True)
        if len({each["metadata"]["creationTimestamp"] for each in defaults}) < len(defaults):
            text = f"{len(defaults)} default IngressClasses were found, only 1 allowed"
            raise forbidden(attributes, text)
        ingress["spec"]["ingressClassName"] = defaults[0]["metadata"]["name"]
