import asyncio
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest

from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.interface import (
    Controller,
    ControllerContext,
    Queue,
    Result,
    Watch,
    controller_key,
)
from pykube_cp.controllers.manager import is_enabled
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.testing.controllers import running
from pykube_cp.testing.fake_client import FakeClient

pytestmark = pytest.mark.virtual_time

PODS = GVR("", "v1", "pods")
CONFIG_MAPS = GVR("", "v1", "configmaps")


def obj(kind: str, name: str, **meta: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "ns", **meta},
    }


class Page:
    """A controller that notes its calls."""

    def __init__(self, **parts: Any) -> None:
        self.calls: list[tuple[float, str]] = []
        self.answers: list[Result | Exception | None] = []
        parts.setdefault("watches", (Watch(CONFIG_MAPS),))
        self.controller = Controller(
            name="test-controller", identity="test", reconcile=self.reconcile, **parts
        )

    async def reconcile(self, _ctx: ControllerContext, key: str) -> Result | None:
        self.calls.append((clock.monotonic(), key))
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def keys(self) -> list[str]:
        keys = [key for _, key in self.calls]
        self.calls.clear()
        return keys

    def pauses(self) -> list[float]:
        times = [time for time, _ in self.calls]
        return [later - earlier for earlier, later in pairwise(times)]


async def test_changes_are_reconciled(fake_client: FakeClient) -> None:
    fake_client.seed(obj("ConfigMap", "a"))
    page = Page()
    async with running(page.controller, client=fake_client) as harness:
        assert page.keys() == ["ns/a"]
        await fake_client.create(CONFIG_MAPS, obj("ConfigMap", "b"), "ns")
        await harness.settle()
        assert page.keys() == ["ns/b"]
        await fake_client.delete(CONFIG_MAPS, "b", "ns")
        await harness.settle()
        assert page.keys() == ["ns/b"]
        assert harness.manager.is_idle
        assert harness.manager.queues()[0].metrics.adds_total == 3


async def test_an_update_wakes_old_and_new_owner(fake_client: FakeClient) -> None:
    def owner(name: str, kind: str = "ReplicaSet") -> list[dict[str, Any]]:
        return [{"kind": kind, "apiVersion": "apps/v1", "name": name, "controller": True}]

    fake_client.seed(obj("Pod", "p", ownerReferences=owner("one")))
    fake_client.seed(obj("Pod", "q", ownerReferences=owner("other", "Job")))
    page = Page(watches=(Watch(PODS, keys=controller_key("ReplicaSet", "apps")),))
    async with running(page.controller, client=fake_client) as harness:
        assert page.keys() == ["ns/one"]
        await fake_client.update(PODS, obj("Pod", "p", ownerReferences=owner("two")))
        await harness.settle()
        assert page.keys() == ["ns/one", "ns/two"]


async def test_failures_are_tried_again_ever_later(fake_client: FakeClient) -> None:
    page = Page()
    page.answers = [ValueError("bug"), errors.conflict(("", "x"), "y", "z"), OSError("down"), None]
    async with running(page.controller, client=fake_client) as harness:
        fake_client.seed(obj("ConfigMap", "a"))
        await harness.settle(60)
        assert page.pauses() == pytest.approx([0.005, 0.01, 0.02])
        assert harness.ctx("test-controller").queue.num_requeues("ns/a") == 0


async def test_a_result_brings_the_key_back(fake_client: FakeClient) -> None:
    page = Page()
    page.answers = [Result(requeue_after=30), Result(requeue_after=5), None]
    async with running(page.controller, client=fake_client) as harness:
        fake_client.seed(obj("ConfigMap", "a"))
        await harness.settle(120)
        assert page.pauses() == pytest.approx([30, 5])


async def test_a_page_may_look_at_old_and_new_and_keep_state(fake_client: FakeClient) -> None:
    def changed(
        ctx: ControllerContext, old: dict[str, Any] | None, new: dict[str, Any] | None
    ) -> Iterable[str]:
        ctx.state.append((old is not None, new is not None))
        return ("once",) if old is None else ()

    page = Page(setup=lambda _ctx: [], watches=(Watch(CONFIG_MAPS, changed=changed),))
    async with running(page.controller, client=fake_client) as harness:
        await fake_client.create(CONFIG_MAPS, obj("ConfigMap", "a"), "ns")
        await fake_client.update(CONFIG_MAPS, {**obj("ConfigMap", "a"), "data": {"x": "y"}})
        await fake_client.delete(CONFIG_MAPS, "a", "ns")
        await harness.settle()
        state = harness.ctx("test-controller").state
        assert state == [(False, True), (True, True), (True, False)]
        assert page.keys() == ["once"]


async def test_further_queues_have_their_own_workers(fake_client: FakeClient) -> None:
    seen: list[str] = []

    async def second(ctx: ControllerContext, key: str) -> None:
        seen.append(key)
        ctx.queue.add("from-second")

    page = Page(watches=(Watch(CONFIG_MAPS, queue="second"),), queues=(Queue("second", second),))
    async with running(page.controller, client=fake_client) as harness:
        fake_client.seed(obj("ConfigMap", "a"))
        await harness.settle()
        assert (seen, page.keys()) == (["ns/a"], ["from-second"])
        names = {queue.name for queue in harness.manager.queues()}
        assert names == {"test-controller", "test-controller/second"}


async def test_run_starts_when_all_is_known_and_again_when_it_fails(
    fake_client: FakeClient,
) -> None:
    fake_client.seed(obj("ConfigMap", "a"))
    known: list[int] = []

    async def run(ctx: ControllerContext) -> None:
        known.append(len(ctx.lister(CONFIG_MAPS)))
        if len(known) < 3:
            raise ValueError("bug")
        await asyncio.Event().wait()

    controller = Controller(name="runner", identity="runner", reads=(CONFIG_MAPS,), run=run)
    async with running(controller, client=fake_client) as harness:
        await harness.settle(60)
        assert known == [1, 1, 1]


async def test_workers_work_at_once_but_never_on_the_same_key(fake_client: FakeClient) -> None:
    busy: set[str] = set()
    most = 0

    async def reconcile(_ctx: ControllerContext, key: str) -> None:
        nonlocal most
        assert key not in busy
        busy.add(key)
        most = max(most, len(busy))
        await asyncio.sleep(1)
        busy.remove(key)

    controller = Controller(
        name="c", identity="c", watches=(Watch(CONFIG_MAPS),), reconcile=reconcile, workers=2
    )
    config = ControllerManagerConfig(workers={"c": 3})
    async with running(controller, client=fake_client, config=config) as harness:
        for number in range(6):
            fake_client.seed(obj("ConfigMap", f"m{number}"))
        await harness.settle(0.5)
        fake_client.seed({**obj("ConfigMap", "m0"), "data": {"changed": "yes"}})
        await harness.settle(10)
    assert most == 3


async def test_events_bear_the_name_of_the_controller(fake_client: FakeClient) -> None:
    async def reconcile(ctx: ControllerContext, key: str) -> None:
        ctx.recorder.event(ctx.lister(CONFIG_MAPS).get(key) or {}, "Normal", "Seen", key)

    controller = Controller(
        name="c",
        identity="c",
        event_source="source",
        watches=(Watch(CONFIG_MAPS),),
        reconcile=reconcile,
    )
    async with running(controller, client=fake_client) as harness:
        fake_client.seed(obj("ConfigMap", "a"))
        await harness.settle()
        assert harness.events() == [("Normal", "Seen", "ns/a")]
        assert fake_client.writes("create")[0].body["source"] == {"component": "source"}


@pytest.mark.parametrize(
    ("controllers", "enabled"),
    [
        (("*",), True),
        ((), False),
        (("deployment-controller",), True),
        (("deployment",), True),
        (("*", "-deployment"), False),
        (("*", "-deployment-controller"), False),
        (("other",), False),
    ],
)
def test_which_controllers_run(controllers: tuple[str, ...], *, enabled: bool) -> None:
    controller = Controller(name="deployment-controller", identity="x", aliases=("deployment",))
    assert is_enabled(controller, ControllerManagerConfig(controllers=controllers)) is enabled


def test_some_controllers_have_to_be_named() -> None:
    controller = Controller(name="c", identity="c", on_by_default=False)
    assert not is_enabled(controller, ControllerManagerConfig())
    assert is_enabled(controller, ControllerManagerConfig(controllers=("*", "c")))
    picky = Controller(name="c", identity="c", wanted=lambda config: config.allocate_node_cidrs)
    assert not is_enabled(picky, ControllerManagerConfig())
    assert is_enabled(picky, ControllerManagerConfig(allocate_node_cidrs=True))
