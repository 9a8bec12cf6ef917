"""Priority of pods and groups of pods by the name of a class."""
# upstream: plugin/pkg/admission/priority/admission.go

from pykube_cp.admission.base import WRITES, BasePlugin, forbidden
from pykube_cp.admission.interface import Attributes, Operation
from pykube_cp.machinery import errors, names
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

_GROUP = "scheduling.k8s.io"
_CLASSES = GVR(_GROUP, "v1", "priorityclasses")
_GROUPS_OF_PODS = {"podgroups": "pod group", "compositepodgroups": "composite pod group"}
_IN_GROUP = ("priorityclasses", *_GROUPS_OF_PODS)
_PREEMPT = "PreemptLowerPriority"


class Priority(BasePlugin):
    """Resolves the class of new pods and groups of pods; allows one global default."""

    name = "Priority"
    operations = WRITES
    resources = frozenset({("", "pods"), *((_GROUP, name) for name in _IN_GROUP)})

    async def admit(self, attributes: Attributes) -> None:
        obj = attributes.object
        if attributes.subresource or obj is None:
            return
        resource, is_new = attributes.resource.resource, attributes.operation is Operation.CREATE
        if resource == "pods":
            if is_new:
                await self._admit_pod(attributes, obj["spec"])
            else:
                _keep(obj["spec"], (attributes.old_object or {}).get("spec") or {})
        elif resource in _GROUPS_OF_PODS and is_new:
            await self._admit_group(attributes, obj["spec"], _GROUPS_OF_PODS[resource])

    async def _admit_pod(self, attributes: Attributes, spec: Object) -> None:
        name, value, policy = await self._class(attributes, spec)
        if spec.get("priority") is not None and spec["priority"] != value:
            raise forbidden(
                attributes,
                "the integer value of priority "
                f"({spec['priority']}) must not be provided in pod spec; "
                f"priority admission controller computed {value} from the given PriorityClass name",
            )
        _set(spec, name, value)
        wanted = spec.get("preemptionPolicy")
        if wanted is not None and wanted != policy:
            raise forbidden(
                attributes,
                f"the string value of PreemptionPolicy ({wanted}) must not be provided in pod spec; "
                f"priority admission controller computed {policy} from the given PriorityClass name",
            )
        spec["preemptionPolicy"] = policy

    async def _admit_group(self, attributes: Attributes, spec: Object, what: str) -> None:
        """Groups of pods; what they preempt is a feature that is off."""
        # upstream: Plugin.admitPodGroup
        name, value, _ = await self._class(attributes, spec)
        if spec.get("priority") is not None and spec["priority"] != value:
            raise forbidden(
                attributes,
                f"priority set in the {what} ({spec['priority']}) must match the priority computed "
                f"({value}) based on the priority class set in the spec",
            )
        _set(spec, name, value)

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
            found = await self._named(name)
            if found is None:
                raise forbidden(attributes, f"no PriorityClass with name {name} was found")
        return found["metadata"]["name"], found["value"], found.get("preemptionPolicy") or _PREEMPT

    async def _named(self, name: str) -> Object | None:
        """None for what cannot be a name, too: upstream only looks into what it has read."""
        if names.is_path_segment_name(name):
            return None
        try:
            return await self.services.client.get(_CLASSES, name)
        except errors.StatusError as error:
            if not errors.is_not_found(error):
                raise
            return None

    async def _default(self) -> Object | None:
        found = await self.services.client.list(_CLASSES)
        defaults = [each for each in found.items if each.get("globalDefault")]
        return min(defaults, key=lambda each: each["value"], default=None)


def _set(spec: Object, name: str, value: int) -> None:
    if name:
        spec["priorityClassName"] = name
    spec["priority"] = value


def _keep(spec: Object, old: Object) -> None:
    """What an update leaves out stays as it was."""
    for field in ("priority", "preemptionPolicy"):
        if spec.get(field) is None and old.get(field) is not None:
            spec[field] = old[field]
