"""One leader among several instances of a component, agreed on through a Lease.

The holder renews the Lease every two seconds; the others watch that it changes and take over when
it has not for fifteen. Time is measured here, from when a change was seen, never taken from the
Lease: clocks of different machines are not compared. A leader that could not renew for ten seconds
gives up before others may take over; it must stop all work, so the process should end.
"""

# upstream: client-go tools/leaderelection/leaderelection.go, resourcelock/leaselock.go

import asyncio
import logging
import random
import socket
import uuid
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from pykube_cp.client.interface import Client
from pykube_cp.client.recorder import NORMAL, Recorder
from pykube_cp.config import LeaderElectionConfig
from pykube_cp.machinery import clock, errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

LEASES = GVR("coordination.k8s.io", "v1", "leases")
_JITTER = 1.2


class LeadershipLostError(Exception):
    """Somebody else may lead from now on."""

    def __init__(self) -> None:
        super().__init__("leaderelection lost")


def default_identity() -> str:
    """Host name and a unique part, so that two processes of a host differ."""
    return f"{socket.gethostname()}_{uuid.uuid4()}"


@dataclass(slots=True)
class _Observed:
    """The Lease as last seen, and when its spec was last seen to change."""

    lease: Object
    spec: Object
    at: float


class LeaderElector:
    """Takes part in an election under one identity.

    Attributes:
        identity: under which it stands.
        on_new_leader: told whenever another holder is seen, also itself.
    """

    def __init__(
        self,
        client: Client,
        config: LeaderElectionConfig,
        recorder: Recorder | None = None,
        on_new_leader: Callable[[str], None] | None = None,
    ) -> None:
        self.identity = config.identity or default_identity()
        self.on_new_leader = on_new_leader
        self._client = client
        self._config = config
        self._recorder = recorder
        self._observed: _Observed | None = None
        self._reported = ""

    @property
    def leader(self) -> str:
        """Who holds the Lease as far as is known; empty if nobody."""
        holder: str = self._observed.spec.get("holderIdentity") or "" if self._observed else ""
        return holder

    @property
    def is_leader(self) -> bool:
        return self.leader == self.identity

    async def run(self, lead: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait to become the leader, then run ``lead`` for as long as that lasts.

        Returns when ``lead`` does, raises ``LeadershipLostError`` when the Lease was lost. In any
        case ``lead`` has ended by then, and the Lease is given back if still held.
        """
        await self._acquire()
        work = asyncio.ensure_future(lead())
        renewal = asyncio.ensure_future(self._renew_while_possible())
        try:
            await asyncio.wait((work, renewal), return_when=asyncio.FIRST_COMPLETED)
            lost = not work.done()
        finally:
            await _end(work, renewal)
            await self._release()
        if lost:
            raise LeadershipLostError
        work.result()

    async def _acquire(self) -> None:
        log.info("attempting to acquire leader lease %s", self._config.lease_name)
        while not await self._try():  # noqa: ASYNC110 - the API is asked, there is no event
            await asyncio.sleep(self._config.retry_period * (1 + _JITTER * random.random()))
        log.info("successfully acquired lease %s", self._config.lease_name)
        self._record("became leader")

    async def _renew_while_possible(self) -> None:
        """Renew again and again; return when it did not succeed within the deadline."""
        try:
            while True:
                await asyncio.sleep(self._config.retry_period)
                async with asyncio.timeout(self._config.renew_deadline):
                    while not await self._try():  # noqa: ASYNC110 - as above
                        await asyncio.sleep(self._config.retry_period)
        except TimeoutError:
            log.warning("failed to renew lease %s", self._config.lease_name)
            self._record("stopped leading")

    async def _try(self) -> bool:
        """Take or renew the Lease; False if that was not possible now, for whatever reason."""
        try:
            held = await self._take_or_renew()
        except (StatusError, OSError) as error:
            log.info("lease %s: %s", self._config.lease_name, error)
            return False
        finally:
            self._report()
        return held

    async def _take_or_renew(self) -> bool:
        # upstream: leaderelection.go tryAcquireOrRenew
        if self._observed is not None and self.is_leader and self._still_valid():
            try:
                return await self._write(self._observed.lease)
            except StatusError as error:
                log.debug("lease %s: %s, reading it again", self._config.lease_name, error)
        try:
            lease = await self._client.get(LEASES, self._config.lease_name, self._config.namespace)
        except StatusError as error:
            if not errors.is_not_found(error):
                raise
            return await self._create()
        self._observe(lease)
        if self.leader and self._still_valid() and not self.is_leader:
            return False
        return await self._write(lease)

    def _still_valid(self) -> bool:
        observed = self._observed
        if observed is None:
            return False
        duration: float = observed.spec.get("leaseDurationSeconds") or 0
        return observed.at + duration > clock.monotonic()

    def _observe(self, lease: Object, *, renewed: bool = False) -> None:
        spec = lease.get("spec") or {}
        if renewed or self._observed is None or self._observed.spec != spec:
            self._observed = _Observed(lease, spec, clock.monotonic())

    def _spec(self, old: Object) -> Object:
        now = clock.micro_timestamp()
        transitions: int = old.get("leaseTransitions") or 0
        renews = bool(old) and old.get("holderIdentity") == self.identity
        if old and not renews:
            transitions += 1
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(self._config.lease_duration),
            "acquireTime": old.get("acquireTime") or now if renews else now,
            "renewTime": now,
            "leaseTransitions": transitions,
        }

    async def _create(self) -> bool:
        lease: Object = {
            "apiVersion": LEASES.api_version,
            "kind": "Lease",
            "metadata": {"name": self._config.lease_name, "namespace": self._config.namespace},
            "spec": self._spec({}),
        }
        created = await self._client.create(LEASES, lease, self._config.namespace)
        self._observe(created, renewed=True)
        return True

    async def _write(self, lease: Object) -> bool:
        changed: Object = objects.deep_copy(lease)
        changed["spec"] = self._spec(lease.get("spec") or {})
        self._observe(await self._client.update(LEASES, changed), renewed=True)
        return True

    async def _release(self) -> None:
        """Let others take over at once instead of after the Lease has run out."""
        if self._observed is None or not self.is_leader:
            return
        now = clock.micro_timestamp()
        released: Object = objects.deep_copy(self._observed.lease)
        released["spec"] = {
            "holderIdentity": "",
            "leaseDurationSeconds": 1,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": released["spec"].get("leaseTransitions", 0),
        }
        try:
            async with asyncio.timeout(self._config.renew_deadline):
                self._observe(await self._client.update(LEASES, released))
        except (StatusError, OSError) as error:
            log.info("failed to release lease %s: %s", self._config.lease_name, error)

    def _report(self) -> None:
        if self.leader == self._reported:
            return
        self._reported = self.leader
        if self.on_new_leader is not None:
            self.on_new_leader(self.leader)

    def _record(self, what: str) -> None:
        if self._recorder is not None and self._observed is not None:
            text = f"{self.identity} {what}"
            self._recorder.event(self._observed.lease, NORMAL, "LeaderElection", text)


async def _end(*tasks: asyncio.Future[Any]) -> None:
    """Cancel and wait; failures stay with the tasks."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
