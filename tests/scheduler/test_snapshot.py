import random

import numpy as np
import pytest

from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.interface import CycleState
from pykube_cp.scheduler.memo import ChangeLog, VectorMemo
from pykube_cp.scheduler.pod_index import PodClass
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.snapshot import Snapshot
from tests.scheduler.scheduling import ZONE, knowing, node, pod


def small() -> Snapshot:
    return Snapshot(size=2)


def test_rows_are_reused_and_vectors_grow() -> None:
    snapshot = small()
    for number in range(5):
        snapshot.set_node(node(f"n{number}", zone=f"z{number % 2}"))
        assert snapshot.label(ZONE).values.keys() == {"z0", "z1"}.intersection(
            f"z{one % 2}" for one in range(number + 1)
        )
    assert snapshot.number_of_nodes == 5
    assert snapshot.allocatable("cpu")[snapshot.rows].tolist() == [4000] * 5
    row = snapshot.row("n3")
    snapshot.remove_node("n3")
    assert snapshot.row("n3") is None
    snapshot.set_node(node("new"))
    assert snapshot.row("new") == row
    assert not snapshot.label(ZONE).has(np.array([row]))[0]


def test_pods_may_come_before_their_node() -> None:
    snapshot = small()
    snapshot.add_pod(PodInfo(pod("a", node="later", requests={"cpu": "1"})))
    assert snapshot.number_of_nodes == 0
    snapshot.set_node(node("later"))
    row = snapshot.row("later")
    assert row is not None
    assert snapshot.requested("cpu")[row] == 1000


def test_a_memo_recomputes_only_what_changed() -> None:
    log = ChangeLog()
    memo = VectorMemo(log)
    asked: list[list[int]] = []

    def compute(rows: np.ndarray) -> np.ndarray:
        asked.append(rows.tolist())
        return rows * 10 + len(asked)

    memo.get("key", 10, compute)
    log.add(3)
    log.add(3)
    vector = memo.get("key", 10, compute)
    assert asked == [list(range(10)), [3]]
    assert vector.tolist()[2:5] == [21, 32, 41]
    memo.get("key", 10, compute)
    assert len(asked) == 2
    memo.get("key", 12, compute)
    assert asked[-1] == list(range(12))


def test_a_log_that_goes_not_far_enough_back() -> None:
    log = ChangeLog()
    start = log.end
    for number in range(20000):
        log.add(number % 7)
    assert log.since(start) is None
    assert log.since(log.end - 2) == [(19998) % 7, (19999) % 7]


def test_tallies_follow_pods() -> None:
    snapshot = small()
    for name in ("a", "b", "c"):
        snapshot.set_node(node(name))

    def is_web(pods: PodClass) -> bool:
        return pods.labels.get("app") == "web"

    def count() -> int:
        return int(snapshot.index.tally("web", is_web).sum())

    snapshot.add_pod(PodInfo(pod("p1", node="a", labels={"app": "web"})))
    assert count() == 1
    second = PodInfo(pod("p2", node="b", labels={"app": "web", "new": ""}))
    snapshot.add_pod(second)
    snapshot.add_pod(PodInfo(pod("p3", node="b", labels={"app": "db"})))
    assert count() == 2
    for number in range(10):
        snapshot.set_node(node(f"more{number}"))
    snapshot.remove_pod(second)
    assert count() == 1


@pytest.mark.virtual_time
async def test_columns_equal_a_count_from_scratch_after_any_history() -> None:
    rng = random.Random(7)
    scheduler = knowing([])
    snapshot = scheduler.handle.snapshot
    alive: dict[str, Object] = {}
    for step in range(250):
        name = f"p{rng.randrange(40)}"
        if rng.random() < 0.1:
            number = rng.randrange(12)
            if rng.random() < 0.7:
                cpu = str(rng.randrange(1, 9))
                snapshot.set_node(node(f"n{number}", allocatable={"cpu": cpu}))
            else:
                snapshot.remove_node(f"n{number}")
        elif name in alive:
            scheduler.cache.remove(alive.pop(name)["metadata"]["uid"])
        else:
            alive[name] = pod(
                name,
                node=f"n{rng.randrange(12)}",
                labels={"app": f"a{step % 3}"},
                requests={"cpu": f"{rng.randrange(1000)}m"},
                ports=[{"hostPort": 80 + rng.randrange(3)}],
            )
            scheduler.cache.set(PodInfo(alive[name]))
        check_fit(scheduler.handle.profiles["default-scheduler"].plugins, snapshot)
    fresh = Snapshot()
    for one in snapshot.rows:
        fresh.set_node(snapshot.node(one))
    for existing in alive.values():
        fresh.add_pod(PodInfo(existing))
    for name in (snapshot.names[row] for row in snapshot.rows):
        row, other = snapshot.row(name), fresh.row(name)
        assert row is not None
        assert other is not None
        assert snapshot.requested("cpu")[row] == fresh.requested("cpu")[other]
        assert snapshot.pod_count[row] == fresh.pod_count[other]
        assert snapshot.pods[row].keys() == fresh.pods[other].keys()
    assert snapshot.index.claims == fresh.index.claims
    ports = (("0.0.0.0", "TCP", 81),)
    taken = {snapshot.names[row] for row in snapshot.host_ports.conflicts(ports)}
    assert taken == {fresh.names[row] for row in fresh.host_ports.conflicts(ports)}


def check_fit(plugins: list[object], snapshot: Snapshot) -> None:
    """The memo of the filter gives what the filter would say of each node alone."""
    plugin = next(one for one in plugins if type(one).__name__ == "NodeResourcesFit")
    state = CycleState(PodInfo(pod("x", requests={"cpu": "1500m"})))
    plugin.pre_filter(state)
    rows = snapshot.rows
    if len(rows) < 2:
        return
    together = plugin.filter(state, rows)
    alone = [plugin.filter(state, rows[place : place + 1]) for place in range(len(rows))]
    codes = [0 if one is None else int(one.codes[0]) for one in alone]
    assert (np.zeros(len(rows)) if together is None else together.codes).tolist() == codes
