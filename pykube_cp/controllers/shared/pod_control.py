"""Creating and deleting pods for an owner, with the events that tell of it."""

# upstream: pkg/controller/controller_utils.go RealPodControl

from typing import Any

from pykube_cp.client.interface import Client, PatchType
from pykube_cp.client.recorder import Recorder
from pykube_cp.controllers.shared.controller_refs import new_controller_ref
from pykube_cp.controllers.shared.errors import is_namespace_terminating
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.controllers.shared.templates import pod_from_template
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object


class PodControl:
    """Writes pods on behalf of owners of one kind."""

    def __init__(self, client: Client, recorder: Recorder, owner_kind: GVK) -> None:
        self._client = client
        self._recorder = recorder
        self._owner_kind = owner_kind

    async def create(self, owner: Object, template: Object, generate_name: str = "") -> Object:
        """Create a pod from ``template``; an event tells success or failure."""
        pod = pod_from_template(template, owner, new_controller_ref(owner, self._owner_kind))
        if generate_name:
            pod["metadata"]["generateName"] = generate_name
        if not pod["metadata"].get("labels"):
            raise ValueError("unable to create pods, no labels")
        try:
            created = await self._client.create(PODS, pod, objects.namespace(owner))
        except StatusError as error:
            if not is_namespace_terminating(error):
                message = f"Error creating: {error}"
                self._recorder.event(owner, "Warning", "FailedCreate", message)
            raise
        message = f"Created pod: {objects.name(created)}"
        self._recorder.event(owner, "Normal", "SuccessfulCreate", message)
        return created

    async def delete(self, owner: Object, name: str) -> None:
        """Delete a pod; ``StatusError`` NotFound if it is gone already."""
        try:
            await self._client.delete(PODS, name, objects.namespace(owner))
        except StatusError as error:
            if not errors.is_not_found(error):
                message = f"Error deleting: {error}"
                self._recorder.event(owner, "Warning", "FailedDelete", message)
            raise
        self._recorder.event(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name}")

    async def patch(self, pod: Object, patch: Any) -> None:
        name, namespace = objects.name(pod), objects.namespace(pod)
        await self._client.patch(PODS, name, patch, PatchType.STRATEGIC, namespace)
