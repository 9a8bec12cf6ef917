"""Says in each flow schema's status whether its priority level exists."""
# upstream: apiserver pkg/util/flowcontrol/apf_controller.go presyncFlowSchemaStatus

import asyncio
import contextlib

from pykube_cp.client.informer import Informers
from pykube_cp.client.interface import Client, PatchType, WriteOptions
from pykube_cp.machinery import clock, errors, go_text, objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

SCHEMAS = GVR("flowcontrol.apiserver.k8s.io", "v1", "flowschemas")
LEVELS = GVR("flowcontrol.apiserver.k8s.io", "v1", "prioritylevelconfigurations")
MANAGER = "api-priority-and-fairness-config-consumer-v1"
_TYPE = "Dangling"
_COMPARED = ("status", "reason", "message")


class FlowSchemaConditions:
    """Keeps the condition ``Dangling`` of all flow schemas true to what there is."""

    def __init__(self, client: Client, informers: Informers) -> None:
        self._client = client
        self._schemas, self._levels = informers.of(SCHEMAS), informers.of(LEVELS)
        self._informers = informers
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled; looks again at everything whenever a schema or a level changes."""
        for informer in (self._schemas, self._levels):
            informer.on(add=self._notice, update=self._notice, delete=self._notice)
        await self._informers.wait_synced((SCHEMAS, LEVELS))
        while True:
            self._changed.clear()
            for schema in list(self._schemas.lister.list()):
                await self._settle(schema)
            await self._changed.wait()

    def _notice(self, *_objects: Object) -> None:
        self._changed.set()

    async def _settle(self, schema: Object) -> None:
        level = objects.nested(schema, "spec", "priorityLevelConfiguration", "name") or ""
        wanted = condition(level, exists=self._levels.lister.get(level) is not None)
        given = objects.nested(schema, "status", "conditions") or ()
        found: Object = next((each for each in given if each.get("type") == _TYPE), {})
        if all(found.get(name) == wanted[name] for name in _COMPARED):
            return
        name = objects.name(schema)
        patch = {
            "apiVersion": "flowcontrol.apiserver.k8s.io/v1",
            "kind": "FlowSchema",
            "metadata": {"name": name},
            "status": {"conditions": [wanted]},
        }
        options = WriteOptions(field_manager=MANAGER, force=True)
        with contextlib.suppress(errors.StatusError):  # gone, or the next change tries again
            await self._client.patch(
                SCHEMAS, name, patch, PatchType.APPLY, subresource="status", options=options
            )


def condition(level: str, *, exists: bool) -> Object:
    """The condition of a schema that refers to a priority level."""
    reference = (
        f"This FlowSchema references the PriorityLevelConfiguration object named "
        f"{go_text.quote(level)}"
    )
    end = "and it exists" if exists else "but there is no such object"
    return {
        "type": _TYPE,
        "status": "False" if exists else "True",
        "lastTransitionTime": clock.timestamp(),
        "reason": "Found" if exists else "NotFound",
        "message": f"{reference} {end}",
    }
