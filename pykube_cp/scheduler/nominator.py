"""Pods that wait for a node on which room is being made for them.

They count as running there already when a pod of lower or equal priority looks for a node.
"""

# upstream: pkg/scheduler/backend/queue/nominator.go

from pykube_cp.scheduler.interface import NominatingInfo
from pykube_cp.scheduler.pod_info import PodInfo, nominated_node


class Nominator:
    """Nominated pods by node name."""

    def __init__(self) -> None:
        self._by_node: dict[str, dict[str, PodInfo]] = {}
        self._node_of: dict[str, str] = {}

    def add(self, pod: PodInfo, info: NominatingInfo | None = None) -> None:
        """Nominate as ``info`` says; without it, as the pod's status does."""
        self.remove(pod.uid)
        node = pod.nominated_node if info is None else info.node_name
        if not node or pod.node_name:
            return
        self._node_of[pod.uid] = node
        self._by_node.setdefault(node, {})[pod.uid] = pod

    def update(self, old_uid: str, old_nominated: str, new: PodInfo) -> None:
        """Take over a change; a nomination not written yet survives changes of other things."""
        info = None
        if not old_nominated and not nominated_node(new.pod) and old_uid in self._node_of:
            info = NominatingInfo(self._node_of[old_uid])
        self.remove(old_uid)
        self.add(new, info)

    def remove(self, uid: str) -> None:
        node = self._node_of.pop(uid, None)
        if node is None:
            return
        pods = self._by_node[node]
        del pods[uid]
        if not pods:
            del self._by_node[node]

    def on_node(self, node: str) -> list[PodInfo]:
        return list(self._by_node.get(node, {}).values())

    def nodes_against(self, pod: PodInfo) -> dict[str, list[PodInfo]]:
        """Nodes where others are nominated that ``pod`` must leave room for, and those pods."""
        found = {}
        for node, pods in self._by_node.items():
            stronger = [
                other
                for other in pods.values()
                if other.priority >= pod.priority and other.uid != pod.uid
            ]
            if stronger:
                found[node] = stronger
        return found
