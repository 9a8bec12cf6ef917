from typing import Any

import pytest

from pykube_cp.controllers.disruption import CONTROLLER
from pykube_cp.controllers.shared.kinds import POD_DISRUPTION_BUDGETS, PODS
from pykube_cp.machinery import clock, objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.workloads import LABELS, NS, meta, pod, workload

pytestmark = pytest.mark.virtual_time


def budget(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta("pdb"),
        "spec": {"selector": {"matchLabels": dict(LABELS)}, **spec},
    }


def owned(name: str, phase: str = "Running", **more: Any) -> dict[str, Any]:
    ref = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "rs"}
    return pod(name, phase, ownerReferences=[ref | {"controller": True}], **more)


def replica_set(replicas: int) -> dict[str, Any]:
    made = workload("ReplicaSet", replicas=replicas)
    made["metadata"]["uid"] = "rs"
    return made


def status(run: Harness) -> dict[str, Any]:
    found = run.client.find(POD_DISRUPTION_BUDGETS, "pdb", NS)
    assert found is not None
    result: dict[str, Any] = found["status"]
    return result


def counts(run: Harness) -> tuple[int, int, int, int]:
    found = status(run)
    return (
        found["currentHealthy"],
        found["desiredHealthy"],
        found["expectedPods"],
        found["disruptionsAllowed"],
    )


async def test_min_available_as_a_number_needs_no_controller() -> None:
    seeds = (budget(minAvailable=1), pod("a"), pod("b"), pod("c", "Pending"))
    async with running(CONTROLLER, objects=seeds) as run:
        assert counts(run) == (2, 1, 3, 1)
        (condition,) = status(run)["conditions"]
        assert (condition["type"], condition["status"], condition["reason"]) == (
            "DisruptionAllowed",
            "True",
            "SufficientPods",
        )
        await run.client.delete(PODS, "b", NS)
        await run.settle()
        assert counts(run) == (1, 1, 2, 0)
        assert status(run)["conditions"][0]["reason"] == "InsufficientPods"


async def test_percentages_are_of_what_controllers_want() -> None:
    pods = [owned(name) for name in ("a", "b", "c")]
    seeds = (budget(maxUnavailable="50%"), replica_set(5), *pods)
    async with running(CONTROLLER, objects=seeds) as run:
        assert counts(run) == (3, 2, 5, 1)


async def test_granted_evictions_count_until_they_lapse() -> None:
    granted = budget(minAvailable=1)
    granted["status"] = {"disruptedPods": {"a": clock.timestamp()}}
    async with running(CONTROLLER, objects=(granted, pod("a"), pod("b"))) as run:
        granted = run.client.find(POD_DISRUPTION_BUDGETS, "pdb", NS) or {}
        assert granted["status"].get("disruptedPods", {}).keys() <= {"a"}
        now = objects.deep_copy(granted)
        now["status"]["disruptedPods"] = {"a": clock.timestamp()}
        await run.client.update(POD_DISRUPTION_BUDGETS, now, subresource="status")
        run.ctx("disruption-controller").queue.add("ns/pdb")
        await run.settle()
        assert counts(run) == (1, 1, 2, 0)
        await run.settle(125)
        assert counts(run) == (2, 1, 2, 1)
        assert "disruptedPods" not in status(run)


async def test_nothing_is_allowed_while_the_controller_is_unknown() -> None:
    seeds = (budget(maxUnavailable=1), owned("a"))
    async with running(CONTROLLER, objects=seeds) as run:
        assert status(run)["disruptionsAllowed"] == 0
        (condition,) = status(run)["conditions"]
        assert condition["reason"] == "SyncFailed"
        assert condition["message"] == 'found no controllers for pod "a"'


async def test_stale_disruption_marks_are_taken_back() -> None:
    marked = pod("a")
    mark = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    marked["status"]["conditions"].append(mark | {"lastTransitionTime": clock.timestamp()})
    async with running(CONTROLLER, objects=(marked,)) as run:
        fresh = objects.deep_copy(run.client.find(PODS, "a", NS))
        fresh["status"]["conditions"][-1]["lastTransitionTime"] = clock.timestamp()
        await run.client.update(PODS, fresh, subresource="status")
        await run.settle(100)
        assert run.client.all(PODS)[0]["status"]["conditions"][-1]["status"] == "True"
        await run.settle(30)
        assert run.client.all(PODS)[0]["status"]["conditions"][-1]["status"] == "False"
