"""From the chosen node to the bound pod: wait for permission, prepare, bind."""

# upstream: pkg/scheduler/schedule_one.go bindingCycle, handleBindingCycleError

import logging
from collections.abc import Callable

from pykube_cp.machinery.errors import StatusError
from pykube_cp.scheduler.cache import PodCache
from pykube_cp.scheduler.diagnosis import Diagnosis, FitError
from pykube_cp.scheduler.events import ASSIGNED_POD_DELETE
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.interface import CycleState, NominatingInfo, Status, error_status
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.profile import PluginError, Profile
from pykube_cp.scheduler.queue import SchedulingQueue
from pykube_cp.scheduler.queue_parts import QueuedPod
from pykube_cp.scheduler.status_patch import patch_pod_status

log = logging.getLogger(__name__)

FailureHandler = Callable[[QueuedPod, Status], None]


class Binder:
    """Runs binding cycles; each is a task of its own."""

    def __init__(
        self,
        handle: Handle,
        cache: PodCache,
        queue: SchedulingQueue,
        on_failure: FailureHandler,
    ) -> None:
        self._handle = handle
        self._cache = cache
        self._queue = queue
        self._on_failure = on_failure

    async def run(
        self, profile: Profile, state: CycleState, queued: QueuedPod, assumed: PodInfo
    ) -> None:
        """Bind an assumed pod to its node; if that fails, give the node back and report it."""
        node = assumed.node_name
        try:
            status = await self._bind(profile, state, assumed, node)
        except PluginError as error:
            status = error_status(str(error), error)
        if status is None:
            self._succeeded(profile, state, assumed, node)
            return
        log.info("failed to bind pod %s to %s: %s", assumed.key, node, status.message)
        profile.run_unreserves(state, assumed, node)
        self._cache.forget(assumed.uid)
        if not status.is_rejected:
            self._queue.move_all(ASSIGNED_POD_DELETE, assumed.pod, None)
        self._on_failure(queued, status)
        if status.is_rejected:
            # The pod itself is not to be moved by what it gave back.
            self._queue.move_all(
                ASSIGNED_POD_DELETE, assumed.pod, None, lambda pod: pod.uid != assumed.uid
            )

    async def _bind(
        self, profile: Profile, state: CycleState, pod: PodInfo, node: str
    ) -> Status | None:
        needs_writing = profile.run_pre_flights(state, pod, node)
        if needs_writing or self._handle.waiting.get(pod.uid) is not None:
            await self._announce(pod, node)
        status = await self._handle.waiting.wait(pod.uid)
        if status is not None:
            return rejected_by_node(self._handle, node, status)
        # From here on only the API can refuse; events meanwhile do not matter to this pod.
        self._queue.done(pod.uid)
        return await profile.run_pre_binds(state, pod, node) or await profile.run_binds(
            state, pod, node
        )

    async def _announce(self, pod: PodInfo, node: str) -> None:
        """Let others see where the pod is about to go, as it may take a while."""
        try:
            await patch_pod_status(self._handle.client, pod.pod, nomination=NominatingInfo(node))
        except StatusError as error:
            log.warning("cannot set nominatedNodeName of %s: %s", pod.key, error)

    def _succeeded(self, profile: Profile, state: CycleState, pod: PodInfo, node: str) -> None:
        self._handle.recorder.event(
            {"apiVersion": "v1", "kind": "Pod", **pod.pod},
            "Normal",
            "Scheduled",
            f"Successfully assigned {pod.key} to {node}",
            action="Binding",
        )
        profile.run_post_binds(state, pod, node)


def rejected_by_node(handle: Handle, node: str, status: Status) -> Status:
    """A rejection of the chosen node, told as if no node had fit."""
    if not status.is_rejected:
        return status
    diagnosis = Diagnosis()
    row = handle.snapshot.row(node)
    if row is not None:
        diagnosis.node_statuses.set_row(row, status)
    diagnosis.note(status)
    error = FitError(1, diagnosis)
    return Status(status.code, (str(error),), error=error)
