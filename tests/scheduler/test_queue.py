import asyncio

import pytest

from pykube_cp.config import SchedulerConfig
from pykube_cp.machinery import clock
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import (
    ASSIGNED_POD_DELETE,
    NODE_ADD,
    Action,
    ClusterEvent,
    EventHint,
    Resource,
)
from pykube_cp.scheduler.interface import PreEnqueuePlugin, Status, unresolvable
from pykube_cp.scheduler.nominator import Nominator
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.queue import SchedulingQueue
from pykube_cp.scheduler.queue_parts import InFlight, KeyedHeap, QueuedPod
from pykube_cp.scheduler.queueing_hints import QueueingHints
from tests.scheduler.scheduling import pod

pytestmark = pytest.mark.virtual_time

POD_LABEL = ClusterEvent(Resource.TARGET_POD, Action.UPDATE_POD_LABEL)


class Gate(PreEnqueuePlugin):
    """Gates pods that have a label; cares for node additions and for its own pods' labels."""

    name = "Gate"

    def pre_enqueue(self, pod: PodInfo) -> Status | None:
        return unresolvable("gated") if "gate" in pod.labels else None

    def events_to_register(self) -> tuple[EventHint, ...]:
        return (
            EventHint(NODE_ADD, lambda _pod, _old, new: new is not None and "good" in new),
            EventHint(POD_LABEL),
        )


def make_queue(nominator: Nominator | None = None) -> SchedulingQueue:
    gate = Gate(None, {})  # type: ignore[arg-type] # it needs no handle
    return SchedulingQueue(
        lambda queued: (-queued.info.priority, queued.timestamp),
        QueueingHints({"default-scheduler": [gate]}),
        {"default-scheduler": [gate]},
        nominator or Nominator(),
        SchedulerConfig(),
    )


async def pop(queue: SchedulingQueue) -> str:
    return (await queue.pop()).info.name


async def is_empty(queue: SchedulingQueue) -> bool:
    task = asyncio.ensure_future(queue.pop())
    await asyncio.sleep(0)
    task.cancel()
    return not task.done()


def reject(queue: SchedulingQueue, queued: QueuedPod, *plugins: str) -> None:
    queued.clear_rejectors()
    queued.unschedulable_plugins = set(plugins)
    queue.add_unschedulable(queued)


async def test_important_pods_go_first_then_older_ones() -> None:
    queue = make_queue()
    for name, priority in (("a", 0), ("b", 5), ("c", 0), ("d", 5)):
        queue.add(PodInfo(pod(name, priority=priority)))
        await asyncio.sleep(1)
    assert [await pop(queue) for _ in range(4)] == ["b", "d", "a", "c"]


async def test_pop_waits() -> None:
    queue = make_queue()
    task = asyncio.ensure_future(queue.pop())
    await asyncio.sleep(1)
    assert not task.done()
    queue.add(PodInfo(pod("a")))
    assert (await task).info.name == "a"


async def test_a_rejected_pod_waits_for_an_event_that_its_rejector_cares_for() -> None:
    queue = make_queue()
    queue.add(PodInfo(pod("a")))
    reject(queue, await queue.pop(), "Gate")
    queue.move_all(ASSIGNED_POD_DELETE, pod("x"), None)
    queue.move_all(NODE_ADD, None, {"bad": True})
    assert await is_empty(queue)
    queue.move_all(NODE_ADD, None, {"good": True})
    assert await pop(queue) == "a"


async def test_a_pod_rejected_by_others_stays() -> None:
    queue = make_queue()
    queue.add(PodInfo(pod("a")))
    reject(queue, await queue.pop(), "Other")
    queue.move_all(NODE_ADD, None, {"good": True})
    assert await is_empty(queue)


async def test_what_happens_during_an_attempt_counts() -> None:
    queue = make_queue()
    queue.add(PodInfo(pod("a")))
    queued = await queue.pop()
    queue.move_all(NODE_ADD, None, {"good": True})
    reject(queue, queued, "Gate")
    assert await pop(queue) == "a"


async def test_errors_sit_their_pause_out_and_pauses_grow() -> None:
    queue = make_queue()
    queue.add(PodInfo(pod("a")))
    pauses = []
    queued = await queue.pop()
    for _ in range(6):
        reject(queue, queued)
        start = clock.now()
        queued = await queue.pop()
        pauses.append(clock.now() - start)
    # Pauses end with whole seconds.
    assert [round(pause) for pause in pauses] == [2, 3, 5, 9, 11, 11]


async def test_a_merely_rejected_pod_need_not_wait_if_nothing_else_is_there() -> None:
    queue = make_queue()
    queue.add(PodInfo(pod("a")))
    reject(queue, await queue.pop(), "Gate")
    start = clock.now()
    queue.move_all(NODE_ADD, None, {"good": True})
    assert queue.pending()["backoff"] == 1
    assert await pop(queue) == "a"
    assert clock.now() == start


async def test_active_pods_go_before_those_that_back_off() -> None:
    queue = make_queue()
    queue.add(PodInfo(pod("a", priority=100)))
    reject(queue, await queue.pop(), "Gate")
    queue.move_all(NODE_ADD, None, {"good": True})
    queue.add(PodInfo(pod("b")))
    assert [await pop(queue), await pop(queue)] == ["b", "a"]


async def test_after_five_minutes_a_pod_is_tried_whatever_happened() -> None:
    queue = make_queue()
    queue.add(PodInfo(pod("a")))
    reject(queue, await queue.pop(), "Other")
    start = clock.now()
    assert await pop(queue) == "a"
    assert 300 < clock.now() - start <= 330


async def test_gates() -> None:
    queue = make_queue()
    gated = pod("a", labels={"gate": ""})
    queue.add(PodInfo(gated))
    assert queue.pending() == {"active": 0, "backoff": 0, "unschedulable": 0, "gated": 1}
    queue.move_all(NODE_ADD, None, {"good": True})
    assert await is_empty(queue)
    queue.update(gated, pod("a", labels={}))
    assert await pop(queue) == "a"


async def test_activation_overrides_everything_but_gates() -> None:
    queue = make_queue()
    queue.add(PodInfo(pod("a")))
    queue.add(PodInfo(pod("b")))
    first, second = await queue.pop(), await queue.pop()
    reject(queue, first, "Other")
    queue.activate([first.info, second.info])
    assert await pop(queue) == "a"
    reject(queue, second, "Other")
    assert await pop(queue) == "b"


async def test_updates_reach_pods_wherever_they_are() -> None:
    queue = make_queue()
    queue.add(PodInfo(pod("a", priority=1)))
    queue.add(PodInfo(pod("b", priority=2)))
    queue.update(pod("a", priority=1), pod("a", priority=3))
    assert await pop(queue) == "a"
    queue.update(pod("c"), pod("c", priority=9))
    assert await pop(queue) == "c"


async def test_an_update_during_the_attempt_is_weighed_afterwards() -> None:
    queue = make_queue()
    queue.add(PodInfo(pod("a")))
    queued = await queue.pop()
    queue.update(pod("a"), pod("a", labels={"new": ""}))
    reject(queue, queued, "Gate")
    assert await pop(queue) == "a"


async def test_deleted_pods_are_gone() -> None:
    queue = make_queue()
    for name in ("active", "waiting"):
        queue.add(PodInfo(pod(name)))
    reject(queue, await queue.pop(), "Gate")
    for name in ("active", "waiting"):
        queue.delete(f"uid-{name}")
    assert queue.pending() == {"active": 0, "backoff": 0, "unschedulable": 0, "gated": 0}


def test_events_in_flight_are_kept_as_long_as_somebody_needs_them() -> None:
    flights = InFlight()
    flights.note(NODE_ADD, None, None)
    flights.start("a")
    flights.note(NODE_ADD, None, {"n": 1})
    flights.start("b")
    flights.note(NODE_ADD, None, {"n": 2})
    flights.done("a")
    seen = flights.events_since_start("b")
    assert seen is not None
    assert [event.new for event in seen] == [{"n": 2}]
    assert flights.events_since_start("a") is None
    flights.done("b")
    assert not flights._events


def test_heap_sorts_anew_and_forgets() -> None:
    heap: KeyedHeap[list[int]] = KeyedHeap(tuple)
    items = {name: [number] for name, number in (("a", 3), ("b", 1), ("c", 2))}
    for name, item in items.items():
        heap.put(name, item)
    items["a"][0] = 0
    heap.put("a", items["a"])
    heap.remove("b")
    assert [heap.pop(), heap.pop(), heap.pop()] == [[0], [2], None]


def nominated(name: str, node: str, **more: object) -> Object:
    return pod(name, status={"nominatedNodeName": node}, **more)


async def test_nominations_follow_the_status_and_survive_other_updates() -> None:
    nominator = Nominator()
    queue = make_queue(nominator)
    queue.add(PodInfo(nominated("a", "n1")))
    assert [one.name for one in nominator.on_node("n1")] == ["a"]
    queue.update(nominated("a", "n1"), nominated("a", "n2"))
    assert not nominator.on_node("n1")
    assert [one.name for one in nominator.on_node("n2")] == ["a"]
    queue.delete("uid-a")
    assert not nominator.on_node("n2")
