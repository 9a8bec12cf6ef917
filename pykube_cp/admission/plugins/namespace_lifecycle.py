"""Nothing is created in a namespace that does not exist or is going away."""
# upstream: apiserver pkg/admission/plugin/namespace/lifecycle/admission.go

import asyncio

from pykube_cp.admission.base import BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

_NAMESPACES = GVR("", "v1", "namespaces")
_IMMORTAL = frozenset({"default", "kube-system", "kube-public"})
_REVIEWS = frozenset({("authorization.k8s.io", "localsubjectaccessreviews")})
_WAIT = 0.05


class NamespaceLifecycle(BasePlugin):
    """Checks the namespace of what is created; keeps the system's namespaces."""

    name = "NamespaceLifecycle"
    operations = frozenset({Operation.CREATE, Operation.UPDATE, Operation.DELETE})

    async def admit(self, attributes: Attributes) -> None:
        if attributes.resource == _NAMESPACES and attributes.operation is Operation.DELETE:
            if attributes.name in _IMMORTAL and not attributes.subresource:
                raise forbidden(attributes, "this namespace may not be deleted")
            return
        if not attributes.namespace or attributes.resource == _NAMESPACES:
            return
        if attributes.operation is not Operation.CREATE:
            return
        if (attributes.resource.group, attributes.resource.resource) in _REVIEWS:
            return
        await self._check(attributes, await self._namespace(attributes.namespace))

    async def _namespace(self, name: str) -> Object:
        try:
            return await self.services.client.get(_NAMESPACES, name)
        except errors.StatusError:
            # It may be on its way: another request of the same client may just have made it.
            await asyncio.sleep(_WAIT)
            return await self.services.client.get(_NAMESPACES, name)

    async def _check(self, attributes: Attributes, namespace: Object) -> None:
        if (namespace.get("status") or {}).get("phase") != "Terminating":
            return
        name = attributes.namespace
        text = f"unable to create new content in namespace {name} because it is being terminated"
        error = forbidden(attributes, text)
        error.details = dict(error.details or {})
        error.details["causes"] = [
            {
                "reason": "NamespaceTerminating",
                "message": f"namespace {name} is being terminated",
                "field": "metadata.namespace",
            }
        ]
        raise error
