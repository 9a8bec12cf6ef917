"""Pods that a permit plugin holds back: somebody must allow them in time, or they are rejected."""

# upstream: pkg/scheduler/framework/runtime/waiting_pods_map.go

import asyncio
from collections.abc import Iterator, Mapping

from pykube_cp.scheduler.interface import Status, unschedulable
from pykube_cp.scheduler.pod_info import PodInfo

LONGEST_WAIT = 15 * 60.0


class WaitingPod:
    """One pod, and the plugins that have not allowed it yet."""

    def __init__(self, pod: PodInfo, waits: Mapping[str, float]) -> None:
        loop = asyncio.get_running_loop()
        self.pod = pod
        self._outcome: asyncio.Future[Status | None] = loop.create_future()
        self._timers = {
            plugin: loop.call_later(min(seconds, LONGEST_WAIT), self._expire, plugin, seconds)
            for plugin, seconds in waits.items()
        }

    @property
    def pending_plugins(self) -> list[str]:
        return list(self._timers)

    def allow(self, plugin: str) -> None:
        """Let go by one plugin; the pod goes on when the last one has."""
        timer = self._timers.pop(plugin, None)
        if timer is not None:
            timer.cancel()
        if not self._timers:
            self._settle(None)

    def reject(self, plugin: str, message: str) -> bool:
        """Turn the pod down; False if it was settled already."""
        return self._settle(unschedulable(message).by(plugin))

    def _expire(self, plugin: str, seconds: float) -> None:
        self.reject(
            plugin, f"rejected due to timeout after waiting {seconds:g}s at plugin {plugin}"
        )

    def _settle(self, status: Status | None) -> bool:
        for timer in self._timers.values():
            timer.cancel()
        if self._outcome.done():
            return False
        self._outcome.set_result(status)
        return True

    async def outcome(self) -> Status | None:
        return await self._outcome


class WaitingPods:
    """Waiting pods by uid."""

    def __init__(self) -> None:
        self._pods: dict[str, WaitingPod] = {}

    def add(self, pod: PodInfo, waits: Mapping[str, float]) -> None:
        self._pods[pod.uid] = WaitingPod(pod, waits)

    def get(self, uid: str) -> WaitingPod | None:
        return self._pods.get(uid)

    def __iter__(self) -> Iterator[WaitingPod]:
        return iter(list(self._pods.values()))

    def reject(self, uid: str, message: str) -> bool:
        """Reject a pod if it waits."""
        waiting = self._pods.get(uid)
        return waiting is not None and waiting.reject("", message)

    async def wait(self, uid: str) -> Status | None:
        """Until the pod is allowed (None) or rejected; at once if it does not wait."""
        waiting = self._pods.get(uid)
        if waiting is None:
            return None
        try:
            return await waiting.outcome()
        finally:
            del self._pods[uid]
