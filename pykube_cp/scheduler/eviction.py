"""Removing the victims of a preemption, in the background."""

# upstream: pkg/scheduler/framework/preemption/executor.go

import asyncio
import logging
from collections.abc import Sequence

from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.interface import CLEAR_NOMINATION
from pykube_cp.scheduler.kinds import PODS
from pykube_cp.scheduler.pod_info import PodInfo, nominated_node
from pykube_cp.scheduler.status_patch import patch_pod_status, pod_condition

log = logging.getLogger(__name__)


class Evictions:
    """Preemptions on their way.

    Until the last victim is about to go, the preemptor stays out of the queue: tried in between, it
    would look for victims once more.
    """

    def __init__(self, handle: Handle, plugin: str) -> None:
        self._handle = handle
        self._plugin = plugin
        self._last_victims: dict[str, tuple[str, str] | None] = {}

    def is_running(self, uid: str) -> bool:
        """Whether room is still being made for this pod."""
        if uid not in self._last_victims:
            return False
        last = self._last_victims[uid]
        if last is None:
            return True
        victim = self._handle.get(PODS, *last)
        return victim is not None and not objects.is_deleting(victim)

    def start(self, preemptor: PodInfo, node: str, victims: Sequence[PodInfo]) -> None:
        """Delete the victims that are not going already."""
        staying = [victim for victim in victims if not victim.terminating]
        if not staying:
            return
        self._last_victims[preemptor.uid] = None
        self._handle.spawn(
            self._run(preemptor, node, staying), name=f"preemption for {preemptor.key}"
        )

    async def _run(self, preemptor: PodInfo, node: str, victims: list[PodInfo]) -> None:
        removed_in_memory = failed = False
        try:
            await self._clear_nominations(preemptor, node)
            await asyncio.gather(*(self._evict(preemptor, node, one) for one in victims[:-1]))
            last = victims[-1]
            self._last_victims[preemptor.uid] = (last.name, last.namespace)
            removed_in_memory = await self._evict(preemptor, node, last)
        except Exception:
            failed = True
            log.exception("preemption for pod %s failed", preemptor.key)
        finally:
            del self._last_victims[preemptor.uid]
        if failed or removed_in_memory:
            # No deletion will be seen that would bring the preemptor back.
            self._handle.activate([preemptor])

    async def _clear_nominations(self, preemptor: PodInfo, node: str) -> None:
        """Less important pods that hoped for the node have to look for another."""
        for pod in self._handle.nominator.on_node(node):
            if pod.priority < preemptor.priority and nominated_node(pod.pod):
                try:
                    await patch_pod_status(
                        self._handle.client, pod.pod, nomination=CLEAR_NOMINATION
                    )
                except StatusError as error:
                    log.warning("cannot clear nominatedNodeName of %s: %s", pod.key, error)

    async def _evict(self, preemptor: PodInfo, node: str, victim: PodInfo) -> bool:
        """Remove one victim; True if it was not even bound, so that nothing had to be deleted."""
        message = f"Preempted by pod {preemptor.uid} on node {node}"
        waiting = self._handle.waiting.get(victim.uid)
        in_memory = waiting is not None and waiting.reject(self._plugin, "preempted")
        if in_memory:
            # It gives its node back when its own task runs, which is the next thing to happen.
            await asyncio.sleep(0)
            message += " (in kube-scheduler memory)."
        elif not await self._delete(preemptor, victim.pod):
            return False
        self._handle.recorder.event(
            {"apiVersion": "v1", "kind": "Pod", **victim.pod},
            "Normal",
            "Preempted",
            message,
            action="Preempting",
            related={"apiVersion": "v1", "kind": "Pod", **preemptor.pod},
        )
        return in_memory

    async def _delete(self, preemptor: PodInfo, victim: Object) -> bool:
        """Say why and delete; False if the pod was gone before."""
        message = f"{preemptor.scheduler_name}: preempting to accommodate a higher priority pod"
        reason = "PreemptionByScheduler"
        condition = pod_condition(victim, "DisruptionTarget", "True", reason, message)
        try:
            await patch_pod_status(self._handle.client, victim, condition)
            await self._handle.client.delete(PODS, objects.name(victim), objects.namespace(victim))
        except StatusError as error:
            if is_not_found(error):
                return False
            raise
        return True
