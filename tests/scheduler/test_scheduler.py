import asyncio
from typing import Any

import pytest

from pykube_cp.client.interface import DeleteOptions
from pykube_cp.machinery import errors, objects
from pykube_cp.scheduler.kinds import (
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PERSISTENT_VOLUMES,
    PODS,
)
from pykube_cp.testing.fake_client import FakeClient
from tests.scheduler.scheduling import condition_of, node, node_of, pod, running, settle

pytestmark = pytest.mark.virtual_time


async def test_a_pod_is_bound_and_told_so(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1"))
    async with running(fake_client) as (scheduler, events):
        assert scheduler.ready
        fake_client.seed(pod("web"))
        await settle()
        assert node_of(fake_client, "web") == "n1"
        assert events.of("web") == [("Scheduled", "Successfully assigned default/web to n1")]
        assert events.details[0] == {"kind": "Normal", "action": "Binding", "related": None}
        assert scheduler.results["scheduled"] == 1
        assert not scheduler.cache.is_assumed("uid-web")
        (binding,) = [one for one in fake_client.writes("create") if one.subresource]
        assert binding.body["target"] == {"kind": "Node", "name": "n1"}
    assert not scheduler.ready


async def test_no_node_then_a_node(fake_client: FakeClient) -> None:
    async with running(fake_client) as (_, events):
        fake_client.seed(pod("web", generation=3))
        await settle()
        condition = condition_of(fake_client, "web")
        assert condition["status"] == "False"
        assert condition["reason"] == "Unschedulable"
        assert condition["message"] == "no nodes available to schedule pods"
        assert condition["observedGeneration"] == 3
        fake_client.seed(node("n1"))
        await settle(3)
        assert node_of(fake_client, "web") == "n1"
        assert [reason for reason, _ in events.of("web")][-1] == "Scheduled"


async def test_a_pod_that_fits_nowhere_waits_for_room(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1", allocatable={"cpu": "1"}))
    fake_client.seed(pod("first", requests={"cpu": "1"}))
    async with running(fake_client) as (scheduler, events):
        fake_client.seed(pod("second", requests={"cpu": "1"}))
        await settle()
        message = (
            "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
            "1 No preemption victims found for incoming pod."
        )
        assert events.of("second") == [("FailedScheduling", message)]
        assert condition_of(fake_client, "second")["message"] == message
        # The same outcome again is not written again.
        before = len(fake_client.writes("patch"))
        scheduler.handle.activate([scheduler.queue._find("uid-second").info])
        await settle()
        assert len(fake_client.writes("patch")) == before
        await fake_client.delete(
            PODS, "first", "default", options=DeleteOptions(grace_period_seconds=0)
        )
        await settle(3)
        assert node_of(fake_client, "second") == "n1"


async def test_pods_that_have_ended_take_no_room(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1", allocatable={"cpu": "1"}))
    done = pod("done", requests={"cpu": "1"}, node="n1", status={"phase": "Running"})
    fake_client.seed(done)
    async with running(fake_client):
        fake_client.seed(pod("next", requests={"cpu": "1"}))
        await settle()
        assert node_of(fake_client, "next") == ""
        fake_client.seed({**done, "status": {"phase": "Succeeded"}})
        await settle(3)
        assert node_of(fake_client, "next") == "n1"


async def test_other_schedulers_pods_are_left_alone(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1"))
    async with running(fake_client):
        fake_client.seed(pod("other", schedulerName="mine"))
        await settle()
        assert node_of(fake_client, "other") == ""


async def test_gated_pods_wait(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1"))
    async with running(fake_client) as (_, events):
        gated = fake_client.seed(pod("gated", schedulingGates=[{"name": "wait"}]))
        await settle()
        assert node_of(fake_client, "gated") == ""
        assert events.of("gated") == []
        free = {**gated, "spec": {**gated["spec"], "schedulingGates": []}}
        fake_client.seed(free)
        await settle()
        assert node_of(fake_client, "gated") == "n1"


async def test_a_failed_binding_gives_the_node_back(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1", allocatable={"cpu": "1"}))
    refusal = errors.forbidden(("", "pods"), "web", "not now")
    async with running(fake_client) as (scheduler, events):
        fake_client.fail("create", "pods/binding", refusal)
        fake_client.seed(pod("web", requests={"cpu": "1"}))
        await settle()
        reason, message = events.of("web")[0]
        assert reason == "FailedScheduling"
        assert message.startswith('running Bind plugin "DefaultBinder": ')
        assert condition_of(fake_client, "web")["reason"] == "SchedulerError"
        assert scheduler.handle.snapshot.requested("cpu").sum() == 0
        await settle(3)
        assert node_of(fake_client, "web") == "n1"


async def test_preemption_from_end_to_end(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1", allocatable={"cpu": "1"}))
    low = pod("low", requests={"cpu": "1"}, node="n1", priority=0)
    low["spec"]["terminationGracePeriodSeconds"] = 30
    low["metadata"]["finalizers"] = ["test/hold"]
    fake_client.seed(low)
    async with running(fake_client) as (scheduler, events):
        fake_client.seed(pod("high", requests={"cpu": "1"}, priority=100))
        await settle()
        victim = fake_client.find(PODS, "low", "default")
        assert victim is not None
        assert objects.is_deleting(victim)
        target = condition_of(fake_client, "low", "DisruptionTarget")
        assert target["status"] == "True"
        assert target["reason"] == "PreemptionByScheduler"
        assert target["message"] == (
            "default-scheduler: preempting to accommodate a higher priority pod"
        )
        assert events.of("low") == [("Preempted", "Preempted by pod uid-high on node n1")]
        high = fake_client.find(PODS, "high", "default")
        assert high is not None
        assert high["status"]["nominatedNodeName"] == "n1"
        # The room is kept for it.
        fake_client.seed(pod("intruder", requests={"cpu": "1"}, priority=50))
        fake_client.remove(PODS, "low", "default")
        await settle(3)
        assert node_of(fake_client, "high") == "n1"
        assert node_of(fake_client, "intruder") == ""
        assert not scheduler.handle.nominator.on_node("n1")


async def test_a_preemptor_waits_for_victims_that_are_going(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1", allocatable={"cpu": "2"}))
    for name in ("low1", "low2"):
        low = pod(name, requests={"cpu": "1"}, node="n1")
        low["metadata"]["finalizers"] = ["test/hold"]
        fake_client.seed(low)
    async with running(fake_client) as (_, events):
        fake_client.seed(pod("high", requests={"cpu": "2"}, priority=100))
        await settle()
        fake_client.remove(PODS, "low1", "default")
        await settle(30)
        waiting = [message for _, message in events.of("high")][-1]
        assert waiting.endswith(
            "preemption: not eligible due to a terminating pod on the nominated node."
        )
        assert len(events.of("low2")) == 1
        fake_client.remove(PODS, "low2", "default")
        await settle(30)
        assert node_of(fake_client, "high") == "n1"


def local_volume(name: str, node_name: str) -> dict[str, Any]:
    term = {"key": "kubernetes.io/hostname", "operator": "In", "values": [node_name]}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {
            "storageClassName": "local",
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "1Gi"},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [term]}]}},
        },
        "status": {"phase": "Available"},
    }


def claim(name: str, storage_class: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "storageClassName": storage_class,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
        "status": {"phase": "Pending"},
    }


def storage_class(name: str, provisioner: str) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": provisioner,
        "volumeBindingMode": "WaitForFirstConsumer",
    }


def bind(client: FakeClient, claim_name: str, volume: str) -> None:
    """What the volume controller does."""
    found = client.find(PERSISTENT_VOLUME_CLAIMS, claim_name, "default")
    assert found is not None
    bound = objects.deep_copy(found)
    annotations = bound["metadata"].setdefault("annotations", {})
    annotations["pv.kubernetes.io/bind-completed"] = "yes"
    bound["spec"]["volumeName"] = volume
    bound["status"]["phase"] = "Bound"
    client.seed(bound)


VOLUMES = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]


async def test_a_volume_is_bound_before_the_pod(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1"))
    fake_client.seed(node("n2"))
    fake_client.seed(storage_class("local", "kubernetes.io/no-provisioner"))
    fake_client.seed(local_volume("pv2", "n2"))
    fake_client.seed(claim("data", "local"))
    async with running(fake_client):
        fake_client.seed(pod("web", volumes=VOLUMES))
        await settle()
        volume = fake_client.find(PERSISTENT_VOLUMES, "pv2")
        assert volume is not None
        assert volume["spec"]["claimRef"]["name"] == "data"
        assert objects.annotations(volume) == {"pv.kubernetes.io/bound-by-controller": "yes"}
        waiting = fake_client.find(PODS, "web", "default")
        assert waiting is not None
        assert waiting["status"]["nominatedNodeName"] == "n2"
        assert node_of(fake_client, "web") == ""
        bind(fake_client, "data", "pv2")
        await settle()
        assert node_of(fake_client, "web") == "n2"


async def test_a_claim_is_provisioned_for_the_chosen_node(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1"))
    fake_client.seed(storage_class("fast", "example.com/csi"))
    fake_client.seed(claim("data", "fast"))
    async with running(fake_client) as (_, events):
        fake_client.seed(pod("web", volumes=VOLUMES))
        await settle()
        found = fake_client.find(PERSISTENT_VOLUME_CLAIMS, "data", "default")
        assert found is not None
        assert objects.annotations(found) == {"volume.kubernetes.io/selected-node": "n1"}
        # The provisioner gives up on the node.
        given_up = objects.deep_copy(found)
        del given_up["metadata"]["annotations"]
        fake_client.seed(given_up)
        await settle()
        assert events.of("web")[0] == (
            "FailedScheduling",
            (
                'running PreBind plugin "VolumeBinding": binding volumes: selectedNode annotation '
                'reset for PVC "data"'
            ),
        )
        await settle(5)
        found = fake_client.find(PERSISTENT_VOLUME_CLAIMS, "data", "default")
        assert found is not None
        assert "volume.kubernetes.io/selected-node" in objects.annotations(found)


async def test_many_pods_are_spread_over_nodes(fake_client: FakeClient) -> None:
    for number in range(4):
        fake_client.seed(node(f"n{number}"))
    async with running(fake_client):
        for number in range(20):
            fake_client.seed(pod(f"p{number}", requests={"cpu": "500m"}))
        await settle()
        used = [node_of(fake_client, f"p{number}") for number in range(20)]
        assert sorted(used.count(f"n{number}") for number in range(4)) == [5, 5, 5, 5]


async def test_a_deleted_node_is_forgotten_with_its_pods(fake_client: FakeClient) -> None:
    fake_client.seed(node("n1"))
    fake_client.seed(pod("web", node="n1"))
    async with running(fake_client) as (scheduler, _):
        snapshot = scheduler.handle.snapshot
        fake_client.remove(NODES, "n1")
        await settle()
        assert snapshot.number_of_nodes == 0
        assert snapshot._row_of
        fake_client.remove(PODS, "web", "default")
        await settle()
        assert not snapshot._row_of


async def test_a_plugin_of_ones_own_error_does_not_stop_the_others(
    fake_client: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_client.seed(node("n1"))
    async with running(fake_client) as (scheduler, events):
        plugin = scheduler.handle.profiles["default-scheduler"]._filters[0]

        def fail(*_args: object) -> None:
            raise RuntimeError("broken")

        with monkeypatch.context() as patched:
            patched.setattr(plugin, "filter", fail)
            patched.setattr(plugin, "pre_filter", lambda _state: None)
            fake_client.seed(pod("web"))
            await settle()
        assert events.of("web") == [
            ("FailedScheduling", 'running "NodeName" filter plugin: broken')
        ]
        await asyncio.sleep(5)
        assert node_of(fake_client, "web") == "n1"
