from typing import Any

import pytest

from pykube_cp.controllers.deployment import CONTROLLER
from pykube_cp.controllers.replica_set import CONTROLLER as REPLICA_SET_CONTROLLER
from pykube_cp.controllers.shared import deployment_replica_sets as sets
from pykube_cp.controllers.shared.kinds import DEPLOYMENTS, PODS, REPLICA_SETS
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.workloads import NS, deployment, kubelet, template, workload

pytestmark = pytest.mark.virtual_time


def get(run: Harness) -> dict[str, Any]:
    found = run.client.find(DEPLOYMENTS, "web", NS)
    assert found is not None
    copy: dict[str, Any] = objects.deep_copy(found)
    return copy


async def change(run: Harness, seconds: float = 30, **spec: Any) -> None:
    found = get(run)
    found["spec"].update(spec)
    await run.client.update(DEPLOYMENTS, found)
    await run.settle(seconds)


def sizes(run: Harness) -> dict[str, int]:
    """Image -> replicas of its ReplicaSet."""
    return {
        found["spec"]["template"]["spec"]["containers"][0]["image"]: found["spec"]["replicas"]
        for found in run.client.all(REPLICA_SETS)
    }


def condition(run: Harness, kind: str) -> tuple[str, str, str]:
    found = next(c for c in get(run)["status"]["conditions"] if c["type"] == kind)
    return found["status"], found["reason"], found["message"]


def workloads(*seeds: dict[str, Any]) -> Any:
    return running(CONTROLLER, REPLICA_SET_CONTROLLER, kubelet(), objects=seeds)


async def test_creates_a_replica_set_and_completes() -> None:
    async with workloads(deployment(3)) as run:
        await run.settle(10)
        (made,) = run.client.all(REPLICA_SETS)
        unique = made["metadata"]["labels"]["pod-template-hash"]
        assert objects.name(made) == f"web-{unique}"
        assert made["spec"]["selector"]["matchLabels"]["pod-template-hash"] == unique
        assert made["metadata"]["annotations"] == {
            sets.REVISION: "1",
            sets.DESIRED_REPLICAS: "3",
            sets.MAX_REPLICAS: "4",
        }
        status = get(run)["status"]
        assert {k: v for k, v in status.items() if k != "conditions"} == {
            "observedGeneration": 1,
            "replicas": 3,
            "updatedReplicas": 3,
            "readyReplicas": 3,
            "availableReplicas": 3,
            "terminatingReplicas": 0,
        }
        assert condition(run, "Available")[:2] == ("True", "MinimumReplicasAvailable")
        assert condition(run, "Progressing") == (
            "True",
            "NewReplicaSetAvailable",
            f'ReplicaSet "web-{unique}" has successfully progressed.',
        )
        message = f"Scaled up replica set web-{unique} from 0 to 3"
        assert ("Normal", "ScalingReplicaSet", message) in run.events()


async def test_rolls_to_a_new_template_without_losing_availability() -> None:
    async with workloads(deployment(4)) as run:
        await run.settle(10)
        run.client.actions.clear()
        await change(run, template=template("v2"))
        assert sizes(run) == {"v1": 0, "v2": 4}
        assert [r for _, r, _ in run.events()].count("ScalingReplicaSet") >= 4
        revisions = {
            found["spec"]["template"]["spec"]["containers"][0]["image"]: sets.revision(found)
            for found in run.client.all(REPLICA_SETS)
        }
        assert revisions == {"v1": 1, "v2": 2}


async def test_broken_template_stops_at_the_fenceposts_and_times_out() -> None:
    async with workloads(deployment(10, progressDeadlineSeconds=60)) as run:
        await run.settle(10)
        await change(run, template=template("broken"))
        assert sizes(run) == {"v1": 8, "broken": 5}
        assert condition(run, "Progressing")[:2] == ("True", "ReplicaSetUpdated")
        await run.settle(60)
        status, reason, message = condition(run, "Progressing")
        assert (status, reason) == ("False", "ProgressDeadlineExceeded")
        assert message.endswith("has timed out progressing.")
        # Scaling in the middle of it shares by size.
        await change(run, replicas=20)
        assert sum(sizes(run).values()) == 25
        assert sizes(run)["broken"] > 5


async def test_rolls_back_by_annotation() -> None:
    async with workloads(deployment(2)) as run:
        await run.settle(10)
        await change(run, template=template("v2"))
        found = get(run)
        found["metadata"]["annotations"] = {sets.ROLLBACK_TO: "0"}
        await run.client.update(DEPLOYMENTS, found)
        await run.settle(30)
        assert sizes(run) == {"v1": 2, "v2": 0}
        message = 'Rolled back deployment "web" to revision 1'
        assert ("Normal", "DeploymentRollback", message) in run.events()
        old = next(f for f in run.client.all(REPLICA_SETS) if f["spec"]["replicas"] == 2)
        annotations = objects.annotations(old)
        assert annotations[sets.REVISION] == "3"
        assert annotations[sets.REVISION_HISTORY] == "1"
        assert sets.ROLLBACK_TO not in objects.annotations(get(run))


async def test_recreate_waits_for_old_pods() -> None:
    async with workloads(deployment(3, strategy={"type": "Recreate"})) as run:
        await run.settle(10)
        together: list[set[str]] = []

        def look(_obj: Any) -> None:
            images = {p["spec"]["containers"][0]["image"] for p in run.client.all(PODS)}
            together.append(images)

        run.ctx("deployment-controller").informers.of(PODS).on(add=look, delete=look)
        await change(run, template=template("v2"))
        assert sizes(run) == {"v1": 0, "v2": 3}
        assert {"v1", "v2"} not in together


async def test_paused_deployment_scales_but_does_not_roll() -> None:
    async with workloads(deployment(2)) as run:
        await run.settle(10)
        await change(run, paused=True, template=template("v2"))
        assert sizes(run) == {"v1": 2}
        assert condition(run, "Progressing") == (
            "Unknown",
            "DeploymentPaused",
            "Deployment is paused",
        )
        await change(run, replicas=4)
        assert sizes(run) == {"v1": 4}
        await change(run, paused=False)
        assert sizes(run) == {"v1": 0, "v2": 4}


async def test_history_is_limited() -> None:
    async with workloads(deployment(1, revisionHistoryLimit=1)) as run:
        for version in ("v2", "v3", "v4"):
            await change(run, template=template(version))
        await run.settle(30)
        assert sizes(run) == {"v3": 0, "v4": 1}


async def test_hash_collision_takes_another_name() -> None:
    async with workloads(deployment(1)) as run:
        name = objects.name(run.client.all(REPLICA_SETS)[0])
    foreign = workload("ReplicaSet", name=name, replicas=0)
    async with workloads(foreign, deployment(1)) as run:
        await run.settle(30)
        assert get(run)["status"]["collisionCount"] == 1
        assert len(run.client.all(REPLICA_SETS)) == 2
