"""Gives pods a node, one after the other, and binds them in the background."""

# upstream: pkg/scheduler/scheduler.go, schedule_one.go

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine, Iterable
from typing import Any

from pykube_cp.client.informer import Informers
from pykube_cp.client.interface import Client
from pykube_cp.config import SchedulerConfig
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler import catalog
from pykube_cp.scheduler.binding import Binder, rejected_by_node
from pykube_cp.scheduler.cache import PodCache
from pykube_cp.scheduler.cycle import Cycle
from pykube_cp.scheduler.diagnosis import FitError, NoNodesError
from pykube_cp.scheduler.handle import EventSink, Handle
from pykube_cp.scheduler.handlers import EventHandlers
from pykube_cp.scheduler.interface import (
    CLEAR_NOMINATION,
    Code,
    CycleState,
    NominatingInfo,
    Status,
    error_status,
)
from pykube_cp.scheduler.kinds import PODS, WATCHED
from pykube_cp.scheduler.nominator import Nominator
from pykube_cp.scheduler.pod_info import PodInfo, is_assigned
from pykube_cp.scheduler.profile import PluginError, Profile
from pykube_cp.scheduler.queue import SchedulingQueue
from pykube_cp.scheduler.queue_parts import QueuedPod
from pykube_cp.scheduler.queueing_hints import QueueingHints
from pykube_cp.scheduler.snapshot import Snapshot
from pykube_cp.scheduler.status_patch import patch_pod_status, pod_condition

log = logging.getLogger(__name__)

# upstream: pkg/apis/core/validation/events.go NoteLengthLimit
_LONGEST_NOTE = 1024
_ELLIPSIS = " ..."


class Scheduler:
    """The scheduler.

    Attributes:
        handle: what plugins work with.
        queue: pods that wait.
        results: attempts by how they ended: ``scheduled``, ``unschedulable``, ``error``.
    """

    def __init__(
        self, client: Client, informers: Informers, recorder: EventSink, config: SchedulerConfig
    ) -> None:
        self.results: Counter[str] = Counter()
        self._informers = informers
        self._ready = False
        self._group: asyncio.TaskGroup | None = None
        self._patches: dict[str, asyncio.Future[None]] = {}
        snapshot = Snapshot()
        self.handle = Handle(
            client=client,
            informers=informers,
            recorder=recorder,
            snapshot=snapshot,
            nominator=Nominator(),
            activate=self._activate,
            spawn=self._spawn,
        )
        self._cycles = self._make_profiles(config)
        self.cache = PodCache(snapshot)
        profiles = self.handle.profiles
        self.queue = SchedulingQueue(
            next(iter(profiles.values())).queue_sort.sort_key,
            QueueingHints({name: profile.plugins for name, profile in profiles.items()}),
            {name: profile.pre_enqueue for name, profile in profiles.items()},
            self.handle.nominator,
            config,
        )
        self._binder = Binder(self.handle, self.cache, self.queue, self._failed)
        EventHandlers(snapshot, self.cache, self.queue, self.handle.waiting, profiles).register(
            informers
        )
        for gvr in WATCHED:
            informers.of(gvr)

    def _make_profiles(self, config: SchedulerConfig) -> dict[str, Cycle]:
        entries = (*catalog.PLUGINS, *catalog.extensions())
        cycles = {}
        for settings in config.profiles:
            profile = Profile(settings, entries, self.handle)
            percentage = settings.percentage_of_nodes_to_score
            if percentage is None:
                percentage = config.percentage_of_nodes_to_score
            self.handle.profiles[profile.name] = profile
            cycles[profile.name] = Cycle(profile, percentage)
        return cycles

    @property
    def ready(self) -> bool:
        """Whether it knows the cluster and schedules pods."""
        return self._ready

    async def run(self) -> None:
        """Schedule pods until cancelled."""
        await self._informers.wait_synced(WATCHED)
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._ready = True
            try:
                while True:
                    self._schedule_safely(await self.queue.pop())
                    # Bindings and informers get their turn between two pods.
                    await asyncio.sleep(0)
            finally:
                self._ready = False
                self._group = None

    def _schedule_safely(self, queued: QueuedPod) -> None:
        try:
            self.schedule_one(queued)
        except Exception:
            log.exception("giving up on pod %s for now", queued.info.key)
            self.queue.done(queued.uid)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        if self._group is None:
            work.close()
            return
        self._group.create_task(self._logged(work, name), name=name)

    async def _logged(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Nothing that goes wrong for one pod may end the scheduler."""
        try:
            await work
        except Exception:
            log.exception("%s failed", name)

    def _activate(self, pods: Iterable[PodInfo]) -> None:
        self.queue.activate(pods)

    # One attempt.

    def schedule_one(self, queued: QueuedPod) -> None:
        """Try one pod; what has to be written is left to tasks."""
        # upstream: scheduleOnePod, skipPodSchedule
        pod = queued.info
        cycle = self._cycles.get(pod.scheduler_name)
        if cycle is None or self.cache.is_assumed(pod.uid):
            self.queue.done(pod.uid)
            return
        if pod.terminating:
            self._warn(pod.pod, f"skip schedule deleting pod: {pod.key}")
            self.queue.done(pod.uid)
            return
        state = CycleState(pod)
        try:
            status, nomination = self._try(cycle, state, queued)
        except Exception as error:
            log.exception("error scheduling pod %s; retrying", pod.key)
            status, nomination = error_status(str(error), error), CLEAR_NOMINATION
        if status is not None:
            self._give_back(queued, status, nomination)

    def _try(
        self, cycle: Cycle, state: CycleState, queued: QueuedPod
    ) -> tuple[Status | None, NominatingInfo | None]:
        try:
            node = cycle.schedule(state)
        except NoNodesError as error:
            status = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (str(error),), error=error)
            return status, CLEAR_NOMINATION
        except FitError as error:
            return self._make_room(cycle.profile, state, error)
        except PluginError as error:
            log.error("error selecting node for pod %s: %s", state.pod.key, error)  # noqa: TRY400 - it names the plugin
            return error_status(str(error), error), CLEAR_NOMINATION
        return self._take(cycle.profile, state, queued, node), CLEAR_NOMINATION

    def _make_room(
        self, profile: Profile, state: CycleState, error: FitError
    ) -> tuple[Status, NominatingInfo | None]:
        nomination: NominatingInfo | None = CLEAR_NOMINATION
        if profile.has_post_filters:
            nomination, status = profile.run_post_filters(state, error.diagnosis.node_statuses)
            error.diagnosis.post_filter_message = "" if status is None else status.message
        return Status(Code.UNSCHEDULABLE, (str(error),), error=error), nomination

    def _take(
        self, profile: Profile, state: CycleState, queued: QueuedPod, node: str
    ) -> Status | None:
        """Assume the pod on its node, reserve, and bind in the background."""
        # upstream: assumeAndReserve, prepareForBindingCycle
        assumed = queued.info.on_node(node)
        self.cache.assume(assumed)
        self.handle.nominator.remove(assumed.uid)
        try:
            status = profile.run_reserves(state, assumed, node) or profile.run_permits(
                state, assumed, node
            )
        except PluginError as error:
            status = error_status(str(error), error)
        if status is not None:
            profile.run_unreserves(state, assumed, node)
            self.cache.forget(assumed.uid)
            return rejected_by_node(self.handle, node, status)
        self.results["scheduled"] += 1
        self._spawn(
            self._binder.run(profile, state, queued, assumed), name=f"bind pod {assumed.key}"
        )
        return None

    # Failure.

    def _failed(self, queued: QueuedPod, status: Status) -> None:
        """A binding cycle failed."""
        self.results["scheduled"] -= 1
        self._give_back(queued, status, CLEAR_NOMINATION)

    def _give_back(
        self, queued: QueuedPod, status: Status, nomination: NominatingInfo | None
    ) -> None:
        """Put the pod back into the queue, and let everybody know why it has no node."""
        # upstream: handleSchedulingFailure
        self.results["unschedulable" if status.is_rejected else "error"] += 1
        queued.clear_rejectors()
        if isinstance(status.error, FitError):
            queued.unschedulable_plugins = status.error.diagnosis.unschedulable_plugins
            queued.pending_plugins = status.error.diagnosis.pending_plugins
        pod = self._requeue(queued, nomination)
        if pod is None:
            return
        self._warn(pod, _shortened(status.message))
        reason = "Unschedulable" if status.is_rejected else "SchedulerError"
        condition = pod_condition(pod, "PodScheduled", "False", reason, status.message)
        self._patch(pod, condition, nomination)

    def _requeue(self, queued: QueuedPod, nomination: NominatingInfo | None) -> Object | None:
        """The pod as it is now; None if it is another one by that name."""
        pod = queued.info
        current = self.handle.get(PODS, pod.name, pod.namespace)
        if current is None or is_assigned(current):
            self.queue.done(pod.uid)
            return pod.pod
        if objects.uid(current) != pod.uid:
            self.queue.done(pod.uid)
            return None
        queued.info = PodInfo(current)
        self.queue.add_unschedulable(queued)
        self.handle.nominator.add(queued.info, nomination)
        return current

    def _warn(self, pod: Object, message: str) -> None:
        self.handle.recorder.event(
            {"apiVersion": "v1", "kind": "Pod", **pod},
            "Warning",
            "FailedScheduling",
            message,
            action="Scheduling",
        )

    def _patch(
        self, pod: Object, condition: Object | None, nomination: NominatingInfo | None
    ) -> None:
        """Write the status in the background, after what was to be written before."""
        previous = self._patches.get(objects.uid(pod))
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._patches[objects.uid(pod)] = done

        async def write() -> None:
            try:
                if previous is not None:
                    await previous
                await patch_pod_status(self.handle.client, pod, condition, nomination)
            except StatusError as error:
                log.warning("error updating pod %s: %s", objects.key(pod), error)
            finally:
                done.set_result(None)
                if self._patches.get(objects.uid(pod)) is done:
                    del self._patches[objects.uid(pod)]

        self._spawn(write(), name=f"status of pod {objects.key(pod)}")


def _shortened(message: str) -> str:
    if len(message) <= _LONGEST_NOTE:
        return message
    return message[: _LONGEST_NOTE - len(_ELLIPSIS)] + _ELLIPSIS
