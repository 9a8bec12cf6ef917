from typing import Any

import pytest

from pykube_cp.controllers.shared.kinds import (
    CONTROLLER_REVISIONS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    STATEFUL_SETS,
)
from pykube_cp.controllers.stateful_set import CONTROLLER
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.workloads import NS, kubelet, template, workload

pytestmark = pytest.mark.virtual_time


def stateful_set(replicas: int, **spec: Any) -> dict[str, Any]:
    rolling = {"partition": 0, "maxUnavailable": 1}
    defaults = {
        "serviceName": "web",
        "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "revisionHistoryLimit": 10,
    }
    return workload("StatefulSet", replicas=replicas, **{**defaults, **spec})


def claim_template() -> dict[str, Any]:
    return {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}


async def change(run: Harness, seconds: float = 60, **spec: Any) -> None:
    found = objects.deep_copy(run.client.find(STATEFUL_SETS, "web", NS))
    found["spec"].update(spec)
    await run.client.update(STATEFUL_SETS, found)
    await run.settle(seconds)


def status(run: Harness) -> dict[str, Any]:
    found = run.client.find(STATEFUL_SETS, "web", NS)
    assert found is not None
    result: dict[str, Any] = found["status"]
    return result


def names(run: Harness) -> list[str]:
    return [objects.name(pod) for pod in run.client.all(PODS)]


def images(run: Harness) -> list[str]:
    return [pod["spec"]["containers"][0]["image"] for pod in run.client.all(PODS)]


async def test_creates_pods_one_after_the_other() -> None:
    async with running(CONTROLLER, kubelet(ready_after=10), objects=(stateful_set(3),)) as run:
        assert names(run) == ["web-0"]
        await run.settle(15)
        assert names(run) == ["web-0", "web-1"]
        await run.settle(30)
        assert names(run) == ["web-0", "web-1", "web-2"]
        pod = run.client.find(PODS, "web-1", NS)
        assert pod is not None
        (revision,) = run.client.all(CONTROLLER_REVISIONS)
        assert pod["metadata"]["labels"] == {
            "app": "web",
            "statefulset.kubernetes.io/pod-name": "web-1",
            "apps.kubernetes.io/pod-index": "1",
            "controller-revision-hash": objects.name(revision),
        }
        assert pod["spec"]["hostname"] == "web-1"
        assert pod["spec"]["subdomain"] == "web"
        assert "generateName" not in pod["metadata"]
        assert status(run) == {
            "observedGeneration": 1,
            "replicas": 3,
            "readyReplicas": 3,
            "availableReplicas": 3,
            "currentReplicas": 3,
            "updatedReplicas": 3,
            "currentRevision": objects.name(revision),
            "updateRevision": objects.name(revision),
            "collisionCount": 0,
        }
        message = "Create Pod web-0 in StatefulSet web successful"
        assert ("Normal", "SuccessfulCreate", message) in run.events()


async def test_revision_holds_a_patch_that_replaces_the_template() -> None:
    async with running(CONTROLLER, objects=(stateful_set(1),)) as run:
        (revision,) = run.client.all(CONTROLLER_REVISIONS)
        assert revision["data"] == {"spec": {"template": {**template(), "$patch": "replace"}}}
        assert revision["revision"] == 1
        assert revision["metadata"]["labels"]["controller.kubernetes.io/hash"]


async def test_parallel_creates_all_at_once_and_start_ordinal_counts() -> None:
    spec = stateful_set(3, podManagementPolicy="Parallel", ordinals={"start": 5})
    async with running(CONTROLLER, kubelet(ready_after=100), objects=(spec,)) as run:
        assert names(run) == ["web-5", "web-6", "web-7"]


async def test_scales_down_from_the_highest_ordinal() -> None:
    async with running(CONTROLLER, kubelet(), objects=(stateful_set(3),)) as run:
        await run.settle(30)
        await change(run, replicas=1)
        assert names(run) == ["web-0"]
        deleted = [message for _, reason, message in run.events() if reason == "SuccessfulDelete"]
        assert deleted == [
            "Delete Pod web-2 in StatefulSet web successful",
            "Delete Pod web-1 in StatefulSet web successful",
        ]


async def test_rolling_update_goes_down_to_the_partition() -> None:
    async with running(CONTROLLER, kubelet(), objects=(stateful_set(3),)) as run:
        await run.settle(30)
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}
        await change(run, template=template("v2"), updateStrategy=rolling)
        assert images(run) == ["v1", "v2", "v2"]
        assert status(run)["currentReplicas"] == 1
        assert status(run)["updatedReplicas"] == 2
        assert status(run)["currentRevision"] != status(run)["updateRevision"]
        # A pod below the partition that is lost comes back as it was.
        await run.client.delete(PODS, "web-0", NS)
        await run.settle(10)
        assert images(run) == ["v1", "v2", "v2"]
        await change(run, updateStrategy={"type": "RollingUpdate"})
        assert images(run) == ["v2", "v2", "v2"]
        assert status(run)["currentRevision"] == status(run)["updateRevision"]


async def test_rolling_update_stops_at_a_broken_pod() -> None:
    async with running(CONTROLLER, kubelet(), objects=(stateful_set(3),)) as run:
        await run.settle(30)
        await change(run, template=template("broken"))
        assert images(run) == ["v1", "v1", "broken"]
        # Back to the old template: the same revision, with a new number.
        await change(run, template=template("v1"))
        revisions = run.client.all(CONTROLLER_REVISIONS)
        assert sorted(found["revision"] for found in revisions) == [2, 3]
        await run.client.delete(PODS, "web-2", NS)
        await run.settle(30)
        assert images(run) == ["v1", "v1", "v1"]


async def test_on_delete_leaves_pods_alone() -> None:
    spec = stateful_set(2, updateStrategy={"type": "OnDelete"})
    async with running(CONTROLLER, kubelet(), objects=(spec,)) as run:
        await run.settle(30)
        await change(run, template=template("v2"))
        assert images(run) == ["v1", "v1"]
        await run.client.delete(PODS, "web-1", NS)
        await run.settle(30)
        assert images(run) == ["v1", "v2"]


async def test_claims_are_made_and_kept() -> None:
    spec = stateful_set(2, volumeClaimTemplates=[claim_template()])
    async with running(CONTROLLER, kubelet(), objects=(spec,)) as run:
        await run.settle(30)
        claims = run.client.all(PERSISTENT_VOLUME_CLAIMS)
        assert [objects.name(claim) for claim in claims] == ["data-web-0", "data-web-1"]
        assert objects.labels(claims[0]) == {"app": "web"}
        volumes = run.client.all(PODS)[0]["spec"]["volumes"]
        assert volumes == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}]
        await change(run, replicas=1)
        assert len(run.client.all(PERSISTENT_VOLUME_CLAIMS)) == 2
        assert objects.owner_references(claims[1]) == []


async def test_claims_are_owned_as_the_retention_policy_says() -> None:
    policy = {"whenDeleted": "Delete", "whenScaled": "Delete"}
    spec = stateful_set(
        2,
        volumeClaimTemplates=[claim_template()],
        persistentVolumeClaimRetentionPolicy=policy,
    )
    async with running(CONTROLLER, kubelet(), objects=(spec,)) as run:
        await run.settle(30)
        kinds = [
            [ref["kind"] for ref in objects.owner_references(claim)]
            for claim in run.client.all(PERSISTENT_VOLUME_CLAIMS)
        ]
        assert kinds == [["StatefulSet"], ["StatefulSet"]]
        await change(run, replicas=1)
        claim = run.client.find(PERSISTENT_VOLUME_CLAIMS, "data-web-1", NS)
        assert [ref["kind"] for ref in objects.owner_references(claim or {})] == ["Pod"]


async def test_failed_pod_is_replaced_under_its_name() -> None:
    async with running(CONTROLLER, kubelet(), objects=(stateful_set(1),)) as run:
        await run.settle(10)
        failed = objects.deep_copy(run.client.find(PODS, "web-0", NS))
        failed["status"]["phase"] = "Failed"
        await run.client.update(PODS, failed, subresource="status")
        await run.settle(10)
        pod = run.client.find(PODS, "web-0", NS)
        assert pod is not None
        assert pod["status"]["phase"] == "Running"
        assert objects.uid(pod) != objects.uid(failed)
