"""Pods of a runtime class get its overhead and scheduling constraints."""
# upstream: plugin/pkg/admission/runtimeclass/admission.go

from pykube_cp.admission.base import CREATE, PODS, BasePlugin, check_asked_name, forbidden
from pykube_cp.admission.interface import Attributes
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object, deep_copy

_CLASSES = GVR("node.k8s.io", "v1", "runtimeclasses")


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
        overhead = (found.get("overhead") or {}).get("podFixed")
        if overhead:
            if spec.get("overhead") and spec["overhead"] != overhead:
                raise forbidden(attributes, _mismatch(spec["overhead"], overhead))
            spec["overhead"] = dict(overhead)
        _add_scheduling(attributes, spec, found.get("scheduling") or {})

    async def validate(self, attributes: Attributes) -> None:
        found = await self._class(attributes)
        spec = (attributes.object or {}).get("spec") or {}
        overhead = ((found or {}).get("overhead") or {}).get("podFixed")
        if spec.get("overhead") and spec["overhead"] != (overhead or {}):
            if found is None or not overhead:
                text = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
                raise forbidden(attributes, text)
            raise forbidden(attributes, _mismatch(spec["overhead"], overhead))

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


def _mismatch(given: Object, wanted: Object) -> str:
    del given, wanted
    return "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


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
    tolerations = list(spec.get("tolerations") or [])
    for toleration in scheduling.get("tolerations") or []:
        if toleration not in tolerations:
            tolerations.append(deep_copy(toleration))
    if tolerations:
        spec["tolerations"] = tolerations
