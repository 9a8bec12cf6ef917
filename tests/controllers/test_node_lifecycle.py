import pytest

from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.node_lifecycle import CONTROLLER
from pykube_cp.controllers.shared.cluster_kinds import LEASES, NODES
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.controllers.shared.zone_evictions import EvictionQueue, EvictionRates, Mode, Zones
from pykube_cp.machinery import clock, objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.cluster import NS, Json, meta, node, pod

pytestmark = pytest.mark.virtual_time

Taints = set[tuple[str, str]]


def lease(name: str) -> Json:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": meta(name, "kube-node-lease"),
        "spec": {"holderIdentity": name, "renewTime": clock.micro_timestamp()},
    }


def find(run: Harness, name: str = "n1") -> Json:
    found = run.client.find(NODES, name)
    assert found is not None
    return found


def taints(run: Harness, name: str = "n1") -> Taints:
    return {
        (item["key"].removeprefix("node.kubernetes.io/"), item["effect"])
        for item in find(run, name)["spec"].get("taints") or ()
    }


def conditions(run: Harness, name: str = "n1") -> dict[str, Json]:
    return {item["type"]: item for item in find(run, name)["status"]["conditions"]}


async def beat(run: Harness, seconds: float, *names: str) -> None:
    """Let time pass in which only these nodes renew their leases."""
    end = clock.now() + seconds
    while clock.now() < end:
        for name in names:
            run.client.seed(lease(name))
        await run.settle(10)


async def test_silent_node_becomes_unknown_and_is_tainted_in_turn() -> None:
    seeds = (node(), node("n2"), lease("n1"), lease("n2"), pod("p1"), pod("p2", "n2"))
    async with running(CONTROLLER, objects=seeds) as run:
        assert ("Normal", "RegisteredNode", "Node n1 event: Registered Node n1 in Controller") in (
            run.events()
        )
        await beat(run, 40, "n1", "n2")
        assert taints(run) == set()
        await beat(run, 70, "n2")
        ready = conditions(run)["Ready"]
        assert (ready["status"], ready["reason"], ready["message"]) == (
            "Unknown",
            "NodeStatusUnknown",
            "Kubelet stopped posting node status.",
        )
        assert conditions(run)["PIDPressure"]["reason"] == "NodeStatusNeverUpdated"
        assert "NetworkUnavailable" not in conditions(run)
        assert taints(run) == {("unreachable", "NoExecute"), ("unreachable", "NoSchedule")}
        assert taints(run, "n2") == set()
        told = run.events()
        assert ("Normal", "NodeNotReady", "Node n1 status is now: NodeNotReady") in told
        assert ("Warning", "NodeNotReady", "Node is not ready") in told
        shown = {
            objects.name(item): item["status"]["conditions"][0] for item in run.client.all(PODS)
        }
        assert shown["p1"]["status"] == "False"
        assert shown["p2"]["status"] == "True"
        await recover(run)


async def recover(run: Harness) -> None:
    found = objects.deep_copy(find(run))
    found["status"]["conditions"] = node(heartbeat=clock.timestamp())["status"]["conditions"]
    run.client.seed(found)
    await beat(run, 20, "n1", "n2")
    assert taints(run) == set()


async def test_last_node_that_fails_is_not_evicted() -> None:
    async with running(CONTROLLER, objects=(node(), lease("n1"))) as run:
        await run.settle(120)
        assert conditions(run)["Ready"]["status"] == "Unknown"
        assert ("unreachable", "NoExecute") not in taints(run)
        assert ("unreachable", "NoSchedule") in taints(run)


async def test_node_that_never_reported_has_more_time() -> None:
    seeds = (node(ready=""), node("n2"), lease("n2"))
    async with running(CONTROLLER, objects=seeds) as run:
        await beat(run, 50, "n2")
        assert find(run)["status"]["conditions"] == []
        await beat(run, 30, "n2")
        ready = conditions(run)["Ready"]
        assert (ready["status"], ready["reason"], ready["message"]) == (
            "Unknown",
            "NodeStatusNeverUpdated",
            "Kubelet never posted node status.",
        )


async def test_taints_and_labels_follow_the_node() -> None:
    labels = {"kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "x"}
    pressure = {"type": "DiskPressure", "status": "True"}
    sick = node(labels=labels, spec={"unschedulable": True})
    sick["status"]["conditions"].append(pressure)
    async with running(CONTROLLER, objects=(sick,)) as run:
        assert taints(run) == {("disk-pressure", "NoSchedule"), ("unschedulable", "NoSchedule")}
        assert objects.labels(find(run))["beta.kubernetes.io/os"] == "linux"
        found = objects.deep_copy(find(run))
        del found["spec"]["unschedulable"]
        found["spec"]["taints"].append({"key": "mine", "effect": "NoSchedule"})
        run.client.seed(found)
        await run.settle(5)
        assert taints(run) == {("disk-pressure", "NoSchedule"), ("mine", "NoSchedule")}


async def test_not_ready_and_unreachable_exclude_one_another() -> None:
    seeds = (node(ready="False"), node("n2"), lease("n1"), lease("n2"))
    async with running(CONTROLLER, objects=seeds) as run:
        await beat(run, 20, "n1", "n2")
        assert taints(run) == {("not-ready", "NoExecute"), ("not-ready", "NoSchedule")}
        await beat(run, 80, "n2")
        assert taints(run) == {("unreachable", "NoExecute"), ("unreachable", "NoSchedule")}


async def test_lease_that_is_newer_than_the_cache_saves_the_node() -> None:
    seeds = (node(), node("n2"), lease("n2"))
    async with running(CONTROLLER, objects=seeds) as run:
        run.client.break_watches()
        for _ in range(10):
            run.client._objects.setdefault(LEASES, {})["kube-node-lease/n1"] = {
                **lease("n1"),
                "metadata": meta("n1", "kube-node-lease", resourceVersion="9999"),
            }
            await beat(run, 10, "n2")
        assert conditions(run)["Ready"]["status"] == "True"


async def test_pod_that_comes_to_a_failed_node_is_not_ready() -> None:
    seeds = (node(ready="False"), node("n2"), lease("n1"), lease("n2"))
    async with running(CONTROLLER, objects=seeds) as run:
        await beat(run, 20, "n1", "n2")
        run.client.seed(pod("late"))
        await run.settle(5)
        found = run.client.find(PODS, "late", NS)
        assert found is not None
        assert found["status"]["conditions"][0]["status"] == "False"


async def test_eviction_queue_keeps_its_rate() -> None:
    config = ControllerManagerConfig()
    queue = EvictionQueue(config.node_eviction_rate)
    taken: list[str] = []

    async def take(name: str) -> bool:
        taken.append(name)
        return len(taken) != 2

    for name in ("a", "b", "c"):
        assert queue.add(name)
    assert not queue.add("a")
    await queue.drain(take)
    assert taken == ["a"]
    assert not queue.add("a")
    start = clock.now()
    clock.use(lambda: start, lambda: start)
    late = start
    for late in (start + 10, start + 20, start + 30):
        clock.use(lambda now=late: now, lambda now=late: now)  # type: ignore[misc]
        await queue.drain(take)
    assert taken == ["a", "b", "c", "b"]


def test_zone_states() -> None:
    rates = EvictionRates()
    zones = Zones(rates)
    assert zones.observe({"a": [True, True], "b": [False] * 3 + [True] * 2}) is Mode.ORDINARY
    assert zones.observe({"a": [False, False], "b": [False] * 5}) is Mode.ENTERS_DISRUPTION
    assert zones.observe({"a": [False, False], "b": [False] * 5}) is Mode.ORDINARY
    assert zones.observe({"a": [True, False], "b": [False] * 5}) is Mode.LEAVES_DISRUPTION
    partial = rates.state_of_zone([False] * 3 + [True] * 2)
    assert rates.of_zone(partial, 5) == 0
    assert rates.of_zone(partial, 100) == 0.01
    assert rates.of_zone(rates.state_of_zone([False] * 2 + [True]), 3) == 0.1
