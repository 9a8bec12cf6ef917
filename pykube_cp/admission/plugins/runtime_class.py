"""Pods of a runtime class get its overhead and scheduling constraints."""
# upstream: plugin/pkg/admission/runtimeclass/admission.go

from pykube_cp.admission.base import CREATE, PODS, BasePlugin, check_asked_name, forbidden
from pykube_cp.admission.interface import Attributes
from pykube_cp.machinery import errors, tolerations
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object, deep_copy

_CLASSES = GVR("node.k8s.io", "v1", "runtimeclasses")
_MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


class RuntimeClass(BasePlugin):
    """Looks at new pods that name a class."""

    name = "RuntimeClass"
    operations = CREATE
    resources = PODS

    async def admit(self, attributes: Attributes) -> None:
        found = await self._class(attributes)
        if found is None or attributes.object is None:
            return
        spec = attributes.object["spec"]
        if found.get("overhead") is not None:
            fixed = found["overhead"].get("podFixed") or {}
            if spec.get("overhead") and spec["overhead"] != fixed:
                raise forbidden(attributes, _MISMATCH)
            spec.pop("overhead", None)
            if fixed:
                spec["overhead"] = dict(fixed)
        if found.get("scheduling") is not None:
            _add_scheduling(attributes, spec, found["scheduling"])

    async def validate(self, attributes: Attributes) -> None:
        found = await self._class(attributes)
        spec = (attributes.object or {}).get("spec") or {}
        overhead, given = (found or {}).get("overhead"), spec.get("overhead")
        if overhead is None and given is not None:
            text = (
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
            )
            raise forbidden(attributes, text)
        if overhead is not None and (overhead.get("podFixed") or {}) != (given or {}):
            raise forbidden(attributes, _MISMATCH)

    async def _class(self, attributes: Attributes) -> Object | None:
        spec = (attributes.object or {}).get("spec") or {}
        name = spec.get("runtimeClassName")
        if attributes.subresource or name is None:
            return None
        check_asked_name(name)
        try:
            return await self.services.client.get(_CLASSES, name)
        except errors.StatusError as error:
            if not errors.is_not_found(error):
                raise
            text = f'pod rejected: RuntimeClass "{name}" not found'
            raise forbidden(attributes, text) from None


def _add_scheduling(attributes: Attributes, spec: Object, scheduling: Object) -> None:
    selector = dict(spec.get("nodeSelector") or {})
    for key, value in (scheduling.get("nodeSelector") or {}).items():
        if selector.setdefault(key, value) != value:
            text = (
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {value}; "
                f"pod.spec.nodeSelector[{key}] = {selector[key]}"
            )
            raise forbidden(attributes, text)
    if selector:
        spec["nodeSelector"] = selector
    merged = tolerations.merge(spec.get("tolerations") or [], scheduling.get("tolerations") or [])
    if merged:
        spec["tolerations"] = deep_copy(merged)
