from typing import Any

import pytest

from pykube_cp.controllers.daemon_set import CONTROLLER
from pykube_cp.controllers.shared import daemon_pods
from pykube_cp.controllers.shared.cluster_kinds import NODES
from pykube_cp.controllers.shared.kinds import CONTROLLER_REVISIONS, DAEMON_SETS, PODS
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.workloads import NS, kubelet, template, workload

pytestmark = pytest.mark.virtual_time


def node(name: str, *taints: tuple[str, str], **labels: str) -> dict[str, Any]:
    spec = {"taints": [{"key": key, "effect": effect} for key, effect in taints]}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec if taints else {},
    }


def daemon_set(**spec: Any) -> dict[str, Any]:
    rolling = {"maxUnavailable": 1, "maxSurge": 0}
    defaults = {
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "revisionHistoryLimit": 10,
    }
    return workload("DaemonSet", **{**defaults, **spec})


async def change(run: Harness, seconds: float = 60, **spec: Any) -> None:
    found = objects.deep_copy(run.client.find(DAEMON_SETS, "web", NS))
    found["spec"].update(spec)
    await run.client.update(DAEMON_SETS, found)
    await run.settle(seconds)


def placed(run: Harness) -> dict[str, str]:
    """Node -> image of the daemon bound to it."""
    return {
        daemon_pods.target_node(pod): pod["spec"]["containers"][0]["image"]
        for pod in run.client.all(PODS)
    }


def status(run: Harness) -> dict[str, Any]:
    found = run.client.find(DAEMON_SETS, "web", NS)
    assert found is not None
    result: dict[str, Any] = found["status"]
    return result


async def test_one_pod_on_every_fitting_node() -> None:
    seeds = (
        daemon_set(),
        node("a"),
        node("b", ("node.kubernetes.io/unschedulable", "NoSchedule")),
        node("c", ("dedicated", "NoSchedule")),
    )
    async with running(CONTROLLER, kubelet(), objects=seeds) as run:
        await run.settle(10)
        assert placed(run) == {"a": "v1", "b": "v1"}
        pod = run.client.all(PODS)[0]
        keys = [toleration["key"] for toleration in pod["spec"]["tolerations"]]
        assert keys == [
            "node.kubernetes.io/not-ready",
            "node.kubernetes.io/unreachable",
            "node.kubernetes.io/disk-pressure",
            "node.kubernetes.io/memory-pressure",
            "node.kubernetes.io/pid-pressure",
            "node.kubernetes.io/unschedulable",
        ]
        (revision,) = run.client.all(CONTROLLER_REVISIONS)
        unique = objects.labels(revision)["controller-revision-hash"]
        assert objects.name(revision) == f"web-{unique}"
        assert objects.labels(pod)["controller-revision-hash"] == unique
        assert status(run) == {
            "desiredNumberScheduled": 2,
            "currentNumberScheduled": 2,
            "numberMisscheduled": 0,
            "numberReady": 2,
            "updatedNumberScheduled": 2,
            "numberAvailable": 2,
            "observedGeneration": 1,
        }


async def test_follows_nodes_and_their_labels() -> None:
    spec = daemon_set(template=template(nodeSelector={"role": "edge"}))
    async with running(CONTROLLER, kubelet(), objects=(spec, node("a"))) as run:
        assert placed(run) == {}
        run.client.seed(node("b", role="edge"))
        await run.settle(5)
        assert placed(run) == {"b": "v1"}
        relabeled = objects.deep_copy(run.client.find(NODES, "b"))
        relabeled["metadata"]["labels"] = {}
        await run.client.update(NODES, relabeled)
        await run.settle(5)
        assert placed(run) == {}


async def test_rolling_update_replaces_one_at_a_time() -> None:
    seeds = (daemon_set(), node("a"), node("b"), node("c"))
    async with running(CONTROLLER, kubelet(ready_after=5), objects=seeds) as run:
        await run.settle(30)
        fewest = len(run.client.all(PODS))

        def look(_pod: Any) -> None:
            nonlocal fewest
            fewest = min(fewest, len(run.client.all(PODS)))

        run.ctx("daemonset-controller").informers.of(PODS).on(delete=look)
        await change(run, template=template("v2"))
        assert set(placed(run).values()) == {"v2"}
        assert fewest == 2
        assert status(run)["updatedNumberScheduled"] == 3
        revisions = run.client.all(CONTROLLER_REVISIONS)
        assert sorted(found["revision"] for found in revisions) == [1, 2]


async def test_surge_starts_the_new_pod_first() -> None:
    rolling = {"maxUnavailable": 0, "maxSurge": 1}
    strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
    seeds = (daemon_set(updateStrategy=strategy), node("a"), node("b"))
    async with running(CONTROLLER, kubelet(ready_after=5), objects=seeds) as run:
        await run.settle(30)
        await change(run, seconds=2, template=template("v2"))
        assert len(run.client.all(PODS)) == 3
        await run.settle(60)
        assert len(run.client.all(PODS)) == 2
        assert set(placed(run).values()) == {"v2"}


async def test_on_delete_and_rollback_renumber_revisions() -> None:
    spec = daemon_set(updateStrategy={"type": "OnDelete"})
    async with running(CONTROLLER, kubelet(), objects=(spec, node("a"))) as run:
        await run.settle(10)
        await change(run, template=template("v2"))
        assert placed(run) == {"a": "v1"}
        assert "updatedNumberScheduled" not in status(run)
        await change(run, template=template("v1"))
        revisions = run.client.all(CONTROLLER_REVISIONS)
        assert sorted(found["revision"] for found in revisions) == [2, 3]


async def test_failed_daemons_are_replaced_with_growing_pauses() -> None:
    async with running(CONTROLLER, kubelet(), objects=(daemon_set(), node("a"))) as run:
        await run.settle(10)

        async def fail() -> str:
            pod = objects.deep_copy(run.client.all(PODS)[0])
            pod["status"]["phase"] = "Failed"
            await run.client.update(PODS, pod, subresource="status")
            return objects.name(pod)

        first = await fail()
        await run.settle(0.5)
        assert placed(run) == {"a": "v1"}
        message = f"Found failed daemon pod ns/{first} on node a, will try to kill it"
        assert ("Warning", "FailedDaemonPod", message) in run.events()
        second = await fail()
        await run.settle(0.2)
        assert [objects.name(pod) for pod in run.client.all(PODS)] == [second]
        await run.settle(5)
        assert second not in [objects.name(pod) for pod in run.client.all(PODS)]
