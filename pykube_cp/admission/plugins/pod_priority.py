"""Priority of pods by the name of a class."""
# upstream: plugin/pkg/admission/priority/admission.go

from pykube_cp.admission.base import WRITES, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

_CLASSES = GVR("scheduling.k8s.io", "v1", "priorityclasses")
_PREEMPT = "PreemptLowerPriority"


class Priority(BasePlugin):
    """Resolves the class of new pods; allows one global default."""

    name = "Priority"
    operations = WRITES
    resources = frozenset({("", "pods"), ("scheduling.k8s.io", "priorityclasses")})

    async def admit(self, attributes: Attributes) -> None:
        pod = attributes.object
        if attributes.resource.resource != "pods" or attributes.subresource or pod is None:
            return
        spec = pod["spec"]
        if attributes.operation is Operation.UPDATE:
            _keep(spec, (attributes.old_object or {}).get("spec") or {})
            return
        name, value, policy = await self._class(attributes, spec)
        if spec.get("priority") is not None and spec["priority"] != value:
            raise forbidden(
                attributes,
                "the integer value of priority "
                f"({spec['priority']}) must not be provided in pod spec; "
                f"priority admission controller computed {value} from the given PriorityClass name",
            )
        if name:
            spec["priorityClassName"] = name
        spec["priority"] = value
        wanted = spec.get("preemptionPolicy")
        if wanted is not None and wanted != policy:
            raise forbidden(
                attributes,
                f"the string value of PreemptionPolicy ({wanted}) must not be provided in pod spec; "
                f"priority admission controller computed {policy} from the given PriorityClass name",
            )
        spec["preemptionPolicy"] = policy

    async def validate(self, attributes: Attributes) -> None:
        chosen = attributes.object
        if attributes.resource.resource != "priorityclasses" or chosen is None:
            return
        if not chosen.get("globalDefault"):
            return
        default = await self._default()
        name = chosen["metadata"]["name"]
        if default is not None and default["metadata"]["name"] != name:
            other = default["metadata"]["name"]
            raise forbidden(
                attributes,
                f"PriorityClass {other} is already marked as default. Only one default can exist",
            )

    async def _class(self, attributes: Attributes, spec: Object) -> tuple[str, int, str]:
        name = spec.get("priorityClassName", "")
        if not name:
            found = await self._default()
            if found is None:
                return "", 0, _PREEMPT
        else:
            try:
                found = await self.services.client.get(_CLASSES, name)
            except errors.StatusError as error:
                if not errors.is_not_found(error):
                    raise
                raise forbidden(
                    attributes, f"no PriorityClass with name {name} was found"
                ) from None
        return found["metadata"]["name"], found["value"], found.get("preemptionPolicy") or _PREEMPT

    async def _default(self) -> Object | None:
        found = await self.services.client.list(_CLASSES)
        defaults = [each for each in found.items if each.get("globalDefault")]
        return min(defaults, key=lambda each: each["value"], default=None)


def _keep(spec: Object, old: Object) -> None:
    """What an update leaves out stays as it was."""
    for field in ("priority", "preemptionPolicy"):
        if spec.get(field) is None and old.get(field) is not None:
            spec[field] = old[field]
