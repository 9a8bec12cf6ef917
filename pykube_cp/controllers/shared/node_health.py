"""Whether nodes still give signs of life, by their status and by their Lease."""
# upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go tryUpdateNodeHealth

import asyncio
from dataclasses import dataclass, field

from pykube_cp.client.interface import Client
from pykube_cp.client.lister import Lister
from pykube_cp.controllers.shared import node_taints
from pykube_cp.controllers.shared.cluster_kinds import LEASES, NODES
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object

LEASE_NAMESPACE = "kube-node-lease"
_ATTEMPTS = 5
_RETRY_PAUSE = 0.02
# NetworkUnavailable is not among them: it is not the kubelet's to report.
_REPORTED_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(slots=True)
class _Health:
    """What was last seen of a node, and when by the clock here.

    The node's own times are only compared with one another, so its clock may be wrong.
    """

    probed: float
    ready: Object | None = None
    renewed: str = ""
    lease_version: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """A node as it is now; ``was`` is its readiness as it reported it, ``ready`` as it stands."""

    node: Object
    was: str
    ready: Object | None

    @property
    def status(self) -> str:
        return "Unknown" if self.ready is None else str(self.ready["status"])


class LeaseCacheLagsError(Exception):
    """The Lease on the server is newer than the one known here, so nothing can be concluded."""


@dataclass(slots=True, kw_only=True)
class HealthMonitor:
    """Keeps track of all nodes and declares those Unknown that have fallen silent."""

    client: Client
    leases: Lister
    grace_period: float
    startup_grace_period: float
    _health: dict[str, _Health] = field(default_factory=dict)

    def forget(self, name: str) -> None:
        self._health.pop(name, None)

    def last_readiness(self, name: str) -> str | None:
        """Readiness when last observed; None if it was not, or the node never said."""
        health = self._health.get(name)
        return str(health.ready["status"]) if health and health.ready else None

    def restart_all(self) -> None:
        """Give every node its full grace period again."""
        for health in self._health.values():
            health.probed = clock.now()

    async def observe(self, node: Object) -> Observation:
        """Look at a node, and write its conditions if it has been silent for too long.

        ``StatusError`` when that fails, ``LeaseCacheLagsError`` when it cannot be known.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return await self._observe(node)
            except StatusError:
                if attempt == _ATTEMPTS - 1:
                    raise
            await asyncio.sleep(_RETRY_PAUSE)
            node = await self.client.get(NODES, objects.name(node))
        raise AssertionError("unreachable")

    async def _observe(self, node: Object) -> Observation:
        ready = node_taints.condition(node, "Ready")
        health = self._update(node, ready)
        self._take_lease(node, health)
        grace = self.startup_grace_period if ready is None else self.grace_period
        was = "Unknown" if ready is None else str(ready["status"])
        if clock.now() <= health.probed + grace:
            return Observation(node, was, ready)
        await self._check_live_lease(node, health)
        return await self._declare_unknown(node, health, was)

    def _update(self, node: Object, ready: Object | None) -> _Health:
        name = objects.name(node)
        health = self._health.get(name)
        if health is None:
            probed = clock.now() if ready else _created(node)
            health = self._health[name] = _Health(probed=probed, ready=ready)
        elif _heartbeat(ready) != _heartbeat(health.ready):
            if ready is not None:
                health.probed = clock.now()
            health.ready = ready
        return health

    def _take_lease(self, node: Object, health: _Health) -> None:
        lease = self.leases.named(objects.name(node), LEASE_NAMESPACE)
        renewed: str = objects.nested(lease, "spec", "renewTime", default="")
        if lease is not None and renewed > health.renewed:
            health.renewed = renewed
            health.lease_version = objects.resource_version(lease)
            health.probed = clock.now()

    async def _check_live_lease(self, node: Object, health: _Health) -> None:
        """An informer that lags must not make healthy nodes look dead."""
        try:
            live = await self.client.get(LEASES, objects.name(node), LEASE_NAMESPACE)
        except StatusError as err:
            if is_not_found(err):
                return
            raise
        if objects.resource_version(live) != health.lease_version:
            raise LeaseCacheLagsError(objects.name(node))

    async def _declare_unknown(self, node: Object, health: _Health, was: str) -> Observation:
        copy = objects.deep_copy(node)
        _mark_unknown(copy)
        ready = node_taints.condition(copy, "Ready")
        if ready != node_taints.condition(node, "Ready"):
            copy = await self.client.update(NODES, copy, subresource="status")
            health.ready = ready
        return Observation(copy, was, ready)


def _created(node: Object) -> float:
    text = objects.metadata(node).get("creationTimestamp")
    return clock.parse_time(text) if text else clock.now()


def _heartbeat(ready: Object | None) -> object:
    """What differs once the kubelet has reported again."""
    return None if ready is None else ready.get("lastHeartbeatTime")


def _mark_unknown(node: Object) -> None:
    conditions = node.setdefault("status", {}).setdefault("conditions", [])
    by_type = {item["type"]: item for item in conditions}
    for kind in _REPORTED_CONDITIONS:
        found = by_type.get(kind)
        if found is None:
            conditions.append(
                {
                    "type": kind,
                    "status": "Unknown",
                    "reason": "NodeStatusNeverUpdated",
                    "message": "Kubelet never posted node status.",
                    "lastHeartbeatTime": objects.metadata(node).get("creationTimestamp"),
                    "lastTransitionTime": clock.timestamp(),
                }
            )
        elif found["status"] != "Unknown":
            found["status"] = "Unknown"
            found["reason"] = "NodeStatusUnknown"
            found["message"] = "Kubelet stopped posting node status."
            found["lastTransitionTime"] = clock.timestamp()
