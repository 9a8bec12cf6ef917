import pytest

from pykube_cp.scheduler import catalog
from pykube_cp.scheduler.interface import (
    Code,
    CycleState,
    Entry,
    PermitPlugin,
    PostBindPlugin,
    ReservePlugin,
    Status,
    unschedulable,
)
from pykube_cp.scheduler.kinds import PODS
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.testing.fake_client import FakeClient
from tests.scheduler.scheduling import condition_of, node, node_of, pod, running, settle

pytestmark = pytest.mark.virtual_time


TOO_LATE = "rejected due to timeout after waiting 5s at plugin Holder"


class Holder(PermitPlugin, ReservePlugin, PostBindPlugin):
    """Holds pods back for as long as their label says, and refuses those without."""

    name = "Holder"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type] # handle and arguments, passed on
        self.log: list[str] = []

    def reserve(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        self.log.append(f"reserve {node}")
        return None

    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None:
        self.log.append(f"unreserve {node}")

    def permit(self, state: CycleState, pod: PodInfo, node: str) -> tuple[Status | None, float]:
        if "hold" not in pod.labels:
            return unschedulable("not permitted"), 0
        return Status(Code.WAIT), float(pod.labels["hold"])

    def post_bind(self, state: CycleState, pod: PodInfo, node: str) -> None:
        self.log.append(f"bound {node}")


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, fake_client: FakeClient) -> None:
    """As if another package had brought the plugin."""
    entries = (Entry(Holder, weight=1, by_default=False),)
    monkeypatch.setattr(catalog, "extensions", lambda: entries)
    fake_client.seed(node("n1"))


def holder(scheduler: object) -> Holder:
    plugins = scheduler.handle.profiles["default-scheduler"].plugins  # type: ignore[attr-defined] # a Scheduler
    return next(plugin for plugin in plugins if isinstance(plugin, Holder))


async def test_a_plugin_is_there_only_if_enabled(fake_client: FakeClient) -> None:
    async with running(fake_client):
        fake_client.seed(pod("free"))
        await settle()
        assert node_of(fake_client, "free") == "n1"


async def test_a_pod_waits_until_it_is_allowed(fake_client: FakeClient) -> None:
    async with running(fake_client, enabled={"Holder": 1}) as (scheduler, _):
        fake_client.seed(pod("held", labels={"hold": "60"}))
        await settle(10)
        assert node_of(fake_client, "held") == ""
        (waiting,) = scheduler.handle.waiting
        assert waiting.pending_plugins == ["Holder"]
        waiting.allow("Holder")
        await settle()
        assert node_of(fake_client, "held") == "n1"
        assert holder(scheduler).log == ["reserve n1", "bound n1"]


async def test_a_pod_waits_only_so_long(fake_client: FakeClient) -> None:
    async with running(fake_client, enabled={"Holder": 1}) as (scheduler, events):
        fake_client.seed(pod("held", labels={"hold": "5"}))
        await settle(6)
        assert events.of("held") == [
            ("FailedScheduling", f"0/1 nodes are available: 1 {TOO_LATE}.")
        ]
        assert holder(scheduler).log[:2] == ["reserve n1", "unreserve n1"]
        assert condition_of(fake_client, "held")["reason"] == "Unschedulable"


async def test_a_refusal(fake_client: FakeClient) -> None:
    async with running(fake_client, enabled={"Holder": 1}) as (scheduler, events):
        fake_client.seed(pod("refused"))
        await settle()
        message = "0/1 nodes are available: 1 not permitted."
        assert events.of("refused")[0] == ("FailedScheduling", message)
        assert holder(scheduler).log[:2] == ["reserve n1", "unreserve n1"]
        assert scheduler.handle.snapshot.pod_count.sum() == 0


async def test_a_waiting_pod_that_is_deleted_lets_go(fake_client: FakeClient) -> None:
    async with running(fake_client, enabled={"Holder": 1}) as (scheduler, _):
        fake_client.seed(pod("held", labels={"hold": "600"}))
        await settle()

        fake_client.remove(PODS, "held", "default")
        await settle()
        assert scheduler.handle.snapshot.pod_count.sum() == 0
        assert not list(scheduler.handle.waiting)


async def test_a_preemptor_may_displace_a_pod_that_still_waits(fake_client: FakeClient) -> None:
    big = {"cpu": "3"}
    async with running(fake_client, enabled={"Holder": 1}) as (scheduler, events):
        fake_client.seed(pod("held", labels={"hold": "600"}, requests=big))
        await settle()
        fake_client.seed(pod("high", labels={"hold": "60"}, requests=big, priority=10))
        await settle()
        message = "Preempted by pod uid-high on node n1 (in kube-scheduler memory)."
        assert ("Preempted", message) in events.of("held")
        assert not fake_client.writes("delete")
        await settle(5)
        assert [one.pod.name for one in scheduler.handle.waiting] == ["high"]
