import asyncio

import pytest

from pykube_cp.client.leader_election import LEASES, LeaderElector, LeadershipLostError
from pykube_cp.config import LeaderElectionConfig
from pykube_cp.machinery import clock, objects
from pykube_cp.testing.fake_client import FakeClient

pytestmark = pytest.mark.virtual_time


class Candidate:
    def __init__(self, client: FakeClient, identity: str) -> None:
        config = LeaderElectionConfig(lease_name="lock", identity=identity, enabled=True)
        self.led_from: float | None = None
        self.elector = LeaderElector(client, config)

    async def lead(self) -> None:
        self.led_from = clock.monotonic()
        await asyncio.Event().wait()

    async def run(self) -> None:
        await self.elector.run(self.lead)


def lease(client: FakeClient) -> dict[str, object]:
    found = client.find(LEASES, "lock", "kube-system")
    assert found is not None
    spec: dict[str, object] = found["spec"]
    return spec


async def stop(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_one_leads_and_the_other_follows_at_once_when_it_stops(
    fake_client: FakeClient,
) -> None:
    first, second = Candidate(fake_client, "first"), Candidate(fake_client, "second")
    leading = asyncio.ensure_future(first.run())
    await asyncio.sleep(1)
    waiting = asyncio.ensure_future(second.run())
    await asyncio.sleep(120)
    assert first.elector.is_leader
    assert second.led_from is None
    assert second.elector.leader == "first"
    acquired = lease(fake_client)["acquireTime"]
    assert lease(fake_client)["leaseTransitions"] == 0
    await stop(leading)
    assert lease(fake_client)["holderIdentity"] == ""
    await asyncio.sleep(5)
    assert second.led_from is not None
    assert lease(fake_client)["holderIdentity"] == "second"
    assert lease(fake_client)["leaseTransitions"] == 1
    assert lease(fake_client)["acquireTime"] != acquired
    await stop(waiting)


async def test_a_silent_leader_is_replaced_after_the_lease_duration(
    fake_client: FakeClient,
) -> None:
    dead = Candidate(fake_client, "dead")
    assert await dead.elector._try()
    second = Candidate(fake_client, "second")
    waiting = asyncio.ensure_future(second.run())
    await asyncio.sleep(14)
    assert second.led_from is None
    await asyncio.sleep(6)
    assert second.led_from is not None
    assert not await dead.elector._try()
    assert not dead.elector.is_leader
    await stop(waiting)


async def test_who_cannot_renew_stops_before_others_start(fake_client: FakeClient) -> None:
    only = Candidate(fake_client, "only")
    leading = asyncio.ensure_future(only.run())
    await asyncio.sleep(1)
    lost_from = clock.monotonic()
    fake_client.fail("*", "leases", ConnectionError("down"), times=100)
    with pytest.raises(LeadershipLostError, match=r"^leaderelection lost$"):
        await leading
    assert 10 <= clock.monotonic() - lost_from <= 12.1


async def test_the_work_has_ended_when_leadership_is_given_back(fake_client: FakeClient) -> None:
    config = LeaderElectionConfig(lease_name="lock", identity="me")
    order: list[str] = []

    async def lead() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(1)
            order.append(str(lease(fake_client)["holderIdentity"]))

    leading = asyncio.ensure_future(LeaderElector(fake_client, config).run(lead))
    await asyncio.sleep(1)
    await stop(leading)
    assert order == ["me"]
    assert objects.name(fake_client.all(LEASES)[0]) == "lock"


async def test_work_that_ends_by_itself_ends_the_leadership(fake_client: FakeClient) -> None:
    config = LeaderElectionConfig(lease_name="lock", identity="me")

    async def lead() -> None:
        await asyncio.sleep(1)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await LeaderElector(fake_client, config).run(lead)
    assert lease(fake_client)["holderIdentity"] == ""
