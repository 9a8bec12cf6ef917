from typing import Any

import pytest

from pykube_cp.controllers.replica_set import CONTROLLER
from pykube_cp.controllers.replication_controller import CONTROLLER as REPLICATION
from pykube_cp.controllers.shared.kinds import PODS, REPLICA_SETS, REPLICATION_CONTROLLERS
from pykube_cp.machinery import errors, objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.workloads import LABELS, NS, kubelet, pod, template, workload

pytestmark = pytest.mark.virtual_time


def status(harness: Harness, name: str = "web") -> dict[str, Any]:
    found = harness.client.find(REPLICA_SETS, name, NS)
    assert found is not None
    result: dict[str, Any] = found["status"]
    return result


async def resize(harness: Harness, replicas: int) -> None:
    found = objects.deep_copy(harness.client.find(REPLICA_SETS, "web", NS))
    found["spec"]["replicas"] = replicas
    await harness.client.update(REPLICA_SETS, found)
    await harness.settle(5)


async def test_creates_pods_and_counts_them() -> None:
    async with running(CONTROLLER, kubelet(), objects=(workload("ReplicaSet", replicas=3),)) as run:
        pods = run.client.all(PODS)
        assert len(pods) == 3
        first = pods[0]
        assert first["metadata"]["generateName"] == "web-"
        assert first["metadata"]["ownerReferences"] == [
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "name": "web",
                "uid": objects.uid(run.client.all(REPLICA_SETS)[0]),
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
        assert status(run) == {
            "replicas": 3,
            "fullyLabeledReplicas": 3,
            "readyReplicas": 3,
            "availableReplicas": 3,
            "terminatingReplicas": 0,
            "observedGeneration": 1,
        }
        names = sorted(objects.name(found) for found in pods)
        told = sorted(message for _, reason, message in run.events())
        assert told == [f"Created pod: {name}" for name in names]


async def test_scales_down_the_pods_that_are_least_worth() -> None:
    seeds = (
        workload("ReplicaSet", replicas=3),
        pod("ready"),
        pod("pending", "Pending"),
        pod("cheap", annotations={"controller.kubernetes.io/pod-deletion-cost": "-5"}),
    )
    async with running(CONTROLLER, objects=seeds) as run:
        assert len(run.client.all(PODS)) == 3
        await resize(run, 1)
        assert [objects.name(found) for found in run.client.all(PODS)] == ["ready"]
        reasons = [reason for _, reason, _ in run.events()]
        assert reasons == ["SuccessfulDelete", "SuccessfulDelete"]


async def test_adopts_matching_orphans_and_releases_the_others() -> None:
    async with running(
        CONTROLLER, objects=(workload("ReplicaSet", replicas=1), pod("orphan"))
    ) as run:
        adopted = run.client.find(PODS, "orphan", NS)
        assert objects.controller_of(adopted or {}) is not None
        assert len(run.client.all(PODS)) == 1
        changed = objects.deep_copy(adopted)
        changed["metadata"]["labels"] = {"app": "other"}
        await run.client.update(PODS, changed)
        await run.settle()
        released = run.client.find(PODS, "orphan", NS)
        assert objects.controller_of(released or {}) is None
        assert len(run.client.all(PODS)) == 2


async def test_failed_creations_become_a_condition() -> None:
    denied = errors.forbidden(("", "pods"), "", "exceeded quota")
    async with running(CONTROLLER, objects=()) as run:
        run.client.fail("create", "pods", denied, times=2)
        run.client.seed(workload("ReplicaSet", replicas=4))
        await run.settle(0.001)
        conditions = status(run)["conditions"]
        assert [(c["type"], c["reason"]) for c in conditions] == [
            ("ReplicaFailure", "FailedCreate")
        ]
        # Slow start: one attempt each, not four.
        assert [reason for _, reason, _ in run.events()] == ["FailedCreate"]
        await run.settle(5)
        assert len(run.client.all(PODS)) == 4
        assert "conditions" not in status(run)
        assert ("Warning", "FailedCreate", f"Error creating: {denied}") in run.events()


async def test_pods_become_available_after_min_ready_seconds() -> None:
    seeds = (workload("ReplicaSet", replicas=2, minReadySeconds=10),)
    async with running(CONTROLLER, kubelet(), objects=seeds) as run:
        await run.settle(5)
        assert status(run)["readyReplicas"] == 2
        assert "availableReplicas" not in status(run)
        await run.settle(6)
        assert status(run)["availableReplicas"] == 2


async def test_replaces_failed_pods_but_not_terminating_ones_twice() -> None:
    async with running(CONTROLLER, kubelet(), objects=(workload("ReplicaSet", replicas=2),)) as run:
        first = objects.deep_copy(run.client.all(PODS)[0])
        first["status"]["phase"] = "Failed"
        await run.client.update(PODS, first, subresource="status")
        await run.settle()
        phases = sorted(found["status"]["phase"] for found in run.client.all(PODS))
        assert phases == ["Failed", "Running", "Running"]


async def test_replication_controller_is_the_same_with_a_plain_selector() -> None:
    owner = {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "rc", "namespace": NS},
        "spec": {"replicas": 2, "selector": dict(LABELS), "template": template()},
    }
    async with running(REPLICATION, kubelet(), objects=(owner, pod("orphan"))) as run:
        assert len(run.client.all(PODS)) == 2
        found = run.client.find(REPLICATION_CONTROLLERS, "rc", NS)
        assert found is not None
        assert found["status"] == {
            "replicas": 2,
            "fullyLabeledReplicas": 2,
            "readyReplicas": 2,
            "availableReplicas": 2,
            "observedGeneration": 1,
        }
