"""Pods that have a node: those that are bound, and those assumed to be while the binding runs."""

# upstream: pkg/scheduler/backend/cache/cache.go

import logging

from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.snapshot import Snapshot

log = logging.getLogger(__name__)


class PodCache:
    """Keeps the snapshot in step. An assumed pod stays until it is seen bound, or is forgotten."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._pods: dict[str, PodInfo] = {}
        self._assumed: set[str] = set()

    def __len__(self) -> int:
        return len(self._pods)

    def get(self, uid: str) -> PodInfo | None:
        return self._pods.get(uid)

    def is_assumed(self, uid: str) -> bool:
        return uid in self._assumed

    def assume(self, pod: PodInfo) -> None:
        """Count a pod on its node although it is not bound yet."""
        if pod.uid in self._pods:
            raise ValueError(f"pod {pod.key}({pod.uid}) is in the cache, so can't be assumed")
        self._put(pod)
        self._assumed.add(pod.uid)

    def forget(self, uid: str) -> None:
        """The assumption did not come true."""
        if uid in self._assumed:
            self._drop(uid)

    def set(self, pod: PodInfo) -> None:
        """A pod as it is bound: a new one, an assumed one that came true, or a changed one."""
        known = self._pods.get(pod.uid)
        if known is not None:
            if known.node_name != pod.node_name:
                log.warning(
                    "pod %s was assumed on %s and bound to %s",
                    pod.key,
                    known.node_name,
                    pod.node_name,
                )
            self._drop(pod.uid)
        self._put(pod)

    def remove(self, uid: str) -> None:
        if uid in self._pods:
            self._drop(uid)

    def _put(self, pod: PodInfo) -> None:
        self._pods[pod.uid] = pod
        self._snapshot.add_pod(pod)

    def _drop(self, uid: str) -> None:
        self._assumed.discard(uid)
        self._snapshot.remove_pod(self._pods.pop(uid))
