from typing import Any

import pytest

from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.attach_detach import CONTROLLER as ATTACH_DETACH
from pykube_cp.controllers.ephemeral_volume import CONTROLLER as EPHEMERAL
from pykube_cp.controllers.persistent_volume_binder import CONTROLLER as BINDER
from pykube_cp.controllers.pv_protection import CONTROLLER as PV_PROTECTION
from pykube_cp.controllers.pvc_protection import CONTROLLER as PVC_PROTECTION
from pykube_cp.controllers.shared.cluster_kinds import (
    NODES,
    PERSISTENT_VOLUMES,
    VOLUME_ATTACHMENTS,
    VOLUME_ATTRIBUTES_CLASSES,
)
from pykube_cp.controllers.shared.kinds import PERSISTENT_VOLUME_CLAIMS, PODS
from pykube_cp.controllers.volume_attributes_class_protection import CONTROLLER as VAC_PROTECTION
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.cluster import NS, Json, meta, node, pod

pytestmark = pytest.mark.virtual_time


def volume(name: str = "pv", size: str = "1Gi", **spec: Any) -> Json:
    phase = spec.pop("phase", None)
    metadata = spec.pop("metadata", {})
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": meta(name, "", **metadata),
        "spec": {
            "capacity": {"storage": size},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": "/tmp/x"},
            **spec,
        },
        "status": {"phase": phase} if phase else {},
    }


def claim(name: str = "data", size: str = "1Gi", **spec: Any) -> Json:
    metadata = spec.pop("metadata", {})
    status = spec.pop("status", {})
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": meta(name, **metadata),
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
            "storageClassName": "",
            **spec,
        },
        "status": status,
    }


def storage_class(name: str, **more: Any) -> Json:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": meta(name, "", **more.pop("metadata", {})),
        "provisioner": "kubernetes.io/no-provisioner",
        "volumeBindingMode": "Immediate",
        **more,
    }


def find_volume(run: Harness, name: str = "pv") -> Json:
    found = run.client.find(PERSISTENT_VOLUMES, name)
    assert found is not None
    return found


def find_claim(run: Harness, name: str = "data") -> Json:
    found = run.client.find(PERSISTENT_VOLUME_CLAIMS, name, NS)
    assert found is not None
    return found


def using(name: str, claim_name: str = "data", **more: Any) -> Json:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": claim_name}}]
    return pod(name, spec={"volumes": volumes}, **more)


# --- binding


async def test_binds_the_smallest_volume_that_fits() -> None:
    seeds = (
        volume("small", "500Mi"),
        volume("large", "5Gi"),
        volume("fits", "2Gi"),
        volume("classy", "1Gi", storageClassName="fast"),
        volume("block", "1Gi", volumeMode="Block"),
        volume("many", "1Gi", accessModes=["ReadWriteOnce", "ReadWriteMany"]),
    )
    async with running(BINDER, objects=seeds) as run:
        assert {item["status"]["phase"] for item in run.client.all(PERSISTENT_VOLUMES)} == {
            "Available"
        }
        run.client.seed(claim())
        await run.settle(5)
        bound, found = find_volume(run, "fits"), find_claim(run)
        assert bound["status"]["phase"] == "Bound"
        assert objects.annotations(bound) == {"pv.kubernetes.io/bound-by-controller": "yes"}
        assert bound["spec"]["claimRef"]["uid"] == objects.uid(found)
        assert bound["spec"]["claimRef"]["kind"] == "PersistentVolumeClaim"
        assert objects.annotations(found) == {
            "pv.kubernetes.io/bind-completed": "yes",
            "pv.kubernetes.io/bound-by-controller": "yes",
        }
        assert found["spec"]["volumeName"] == "fits"
        assert found["status"] == {
            "phase": "Bound",
            "accessModes": ["ReadWriteOnce"],
            "capacity": {"storage": "2Gi"},
        }


async def test_two_claims_never_get_one_volume() -> None:
    async with running(BINDER, objects=(volume("a"), volume("b"))) as run:
        for name in ("one", "two", "three"):
            run.client.seed(claim(name))
        await run.settle(30)
        volumes = [
            find_claim(run, name)["spec"].get("volumeName") for name in ("one", "two", "three")
        ]
        assert sorted(filter(None, volumes)) == ["a", "b"]
        text = "no persistent volumes available for this claim and no storage class is set"
        assert ("Normal", "FailedBinding", text) in run.events()
        run.client.seed(volume("c"))
        await run.settle(5)
        assert all(
            find_claim(run, name)["status"]["phase"] == "Bound" for name in ("one", "two", "three")
        )


async def test_volume_reserved_by_a_user() -> None:
    reserved = volume(claimRef={"namespace": NS, "name": "data"})
    async with running(BINDER, objects=(reserved, volume("other"), claim("first"))) as run:
        assert find_claim(run, "first")["spec"]["volumeName"] == "other"
        assert find_volume(run)["status"]["phase"] == "Available"
        run.client.seed(claim())
        await run.settle(5)
        assert find_claim(run)["spec"]["volumeName"] == "pv"
        assert "pv.kubernetes.io/bound-by-controller" not in objects.annotations(find_volume(run))


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"size": "2Gi"}, 'Cannot bind to requested volume "pv": requested PV is too small'),
        (
            {"accessModes": ["ReadWriteMany"]},
            'Cannot bind to requested volume "pv": incompatible accessMode',
        ),
        (
            {"storageClassName": "x"},
            'Cannot bind to requested volume "pv": storageClassName does not match',
        ),
    ],
)
async def test_claim_of_a_certain_volume(wanted: Json, text: str) -> None:
    bad = claim("bad", volumeName="pv", **wanted)
    async with running(BINDER, objects=(volume(), bad)) as run:
        assert ("Warning", "VolumeMismatch", text) in run.events()
        assert find_claim(run, "bad")["status"]["phase"] == "Pending"
        run.client.seed(claim("good", volumeName="pv"))
        await run.settle(5)
        assert find_claim(run, "good")["status"]["phase"] == "Bound"


async def test_released_volume_is_kept_deleted_or_failed() -> None:
    names = {
        "retain": {"persistentVolumeReclaimPolicy": "Retain"},
        "delete": {"persistentVolumeReclaimPolicy": "Delete"},
        "elsewhere": {
            "persistentVolumeReclaimPolicy": "Delete",
            "hostPath": {"path": "/var/x"},
        },
        "external": {
            "persistentVolumeReclaimPolicy": "Delete",
            "hostPath": None,
            "csi": {"driver": "d", "volumeHandle": "h"},
        },
    }
    seeds = [volume(name, **spec) for name, spec in names.items()]
    seeds += [claim(name, volumeName=name) for name in names]
    async with running(BINDER, objects=tuple(seeds)) as run:
        await run.settle(5)
        for name in names:
            assert find_volume(run, name)["status"]["phase"] == "Bound"
            run.client.remove(PERSISTENT_VOLUME_CLAIMS, name, NS)
        await run.settle(5)
        phases = {
            objects.name(item): item["status"]["phase"]
            for item in run.client.all(PERSISTENT_VOLUMES)
        }
        assert phases == {"retain": "Released", "elsewhere": "Failed", "external": "Released"}
        text = "host_path deleter only supports /tmp/.+ but received provided /var/x"
        assert ("Warning", "VolumeFailedDelete", text) in run.events()


async def test_claim_that_lost_its_volume() -> None:
    async with running(BINDER, objects=(volume(), claim())) as run:
        await run.settle(5)
        run.client.remove(PERSISTENT_VOLUMES, "pv")
        await run.settle(5)
        assert find_claim(run)["status"] == {"phase": "Lost"}
        text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        assert ("Warning", "ClaimLost", text) in run.events()


async def test_waits_for_the_first_consumer() -> None:
    late = storage_class("late", volumeBindingMode="WaitForFirstConsumer")
    wanted = claim(storageClassName="late")
    async with running(BINDER, objects=(late, volume(storageClassName="late"), wanted)) as run:
        await run.settle(5)
        assert find_claim(run)["status"]["phase"] == "Pending"
        text = "waiting for first consumer to be created before binding"
        assert ("Normal", "WaitForFirstConsumer", text) in run.events()
        run.client.seed(using("p", node_name=""))
        await run.settle(20)
        text = "waiting for pod p to be scheduled"
        assert ("Normal", "WaitForPodScheduled", text) in run.events()
        found = objects.deep_copy(find_volume(run))
        found["spec"]["claimRef"] = {
            "namespace": NS,
            "name": "data",
            "uid": objects.uid(find_claim(run)),
        }
        run.client.seed(found)
        await run.settle(5)
        assert find_claim(run)["status"]["phase"] == "Bound"


async def test_default_class_and_external_provisioner() -> None:
    default = {"annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}
    csi = storage_class("csi", provisioner="csi.example.com", metadata=default)
    wanted = claim()
    del wanted["spec"]["storageClassName"]
    async with running(BINDER, objects=(csi, wanted)) as run:
        await run.settle(5)
        found = find_claim(run)
        assert found["spec"]["storageClassName"] == "csi"
        provisioner = "volume.kubernetes.io/storage-provisioner"
        assert objects.annotations(found)[provisioner] == "csi.example.com"
        assert [reason for _, reason, _ in run.events()] == ["ExternalProvisioning"]


# --- protection


async def test_claim_in_use_is_held() -> None:
    gone = {
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "finalizers": ["kubernetes.io/pvc-protection"],
    }
    seeds = (claim(metadata=gone), using("p"), claim("new"))
    async with running(PVC_PROTECTION, objects=seeds) as run:
        assert objects.finalizers(find_claim(run)) == ["kubernetes.io/pvc-protection"]
        assert objects.finalizers(find_claim(run, "new")) == ["kubernetes.io/pvc-protection"]
        run.client.remove(PODS, "p", NS)
        await run.settle(5)
        assert run.client.find(PERSISTENT_VOLUME_CLAIMS, "data", NS) is None


async def test_tells_which_claims_are_unused() -> None:
    bound = {"phase": "Bound"}
    seeds = (claim(status=bound), claim("idle", status=bound), using("p"))
    async with running(PVC_PROTECTION, objects=seeds) as run:
        shown = {
            name: [
                (item["type"], item["status"], item["reason"])
                for item in find_claim(run, name)["status"]["conditions"]
            ]
            for name in ("data", "idle")
        }
        assert shown == {
            "data": [("Unused", "False", "PodUsingPVC")],
            "idle": [("Unused", "True", "NoPodsUsingPVC")],
        }
        run.client.remove(PODS, "p", NS)
        await run.settle(5)
        assert find_claim(run)["status"]["conditions"][0]["status"] == "True"


async def test_bound_volume_is_held() -> None:
    gone = {
        "deletionTimestamp": "2026-01-01T00:00:00Z",
        "finalizers": ["kubernetes.io/pv-protection"],
    }
    async with running(PV_PROTECTION, objects=(volume(phase="Bound", metadata=gone),)) as run:
        assert objects.finalizers(find_volume(run)) == ["kubernetes.io/pv-protection"]
        run.client.seed(volume(phase="Released", metadata=gone))
        await run.settle(5)
        assert run.client.find(PERSISTENT_VOLUMES, "pv") is None


async def test_attributes_class_in_use_is_held() -> None:
    fast = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "VolumeAttributesClass",
        "metadata": meta("fast", ""),
        "driverName": "d",
    }
    seeds = (fast, claim(volumeAttributesClassName="fast"))
    async with running(VAC_PROTECTION, objects=seeds) as run:
        await run.client.delete(VOLUME_ATTRIBUTES_CLASSES, "fast")
        await run.settle(5)
        held = run.client.find(VOLUME_ATTRIBUTES_CLASSES, "fast")
        assert held is not None
        assert objects.finalizers(held) == ["kubernetes.io/vac-protection"]
        run.client.remove(PERSISTENT_VOLUME_CLAIMS, "data", NS)
        await run.settle(5)
        assert run.client.find(VOLUME_ATTRIBUTES_CLASSES, "fast") is None


async def test_ephemeral_volume_has_its_claim() -> None:
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast"},
    }
    scratch = {"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}
    seeds = (
        pod("p", spec={"volumes": [scratch]}),
        pod("q", spec={"volumes": [scratch]}),
        claim("q-scratch"),
    )
    async with running(EPHEMERAL, objects=seeds) as run:
        made = find_claim(run, "p-scratch")
        assert made["spec"] == template["spec"]
        assert objects.labels(made) == {"a": "b"}
        assert made["metadata"]["ownerReferences"][0]["kind"] == "Pod"
        text = (
            "ephemeral volume scratch: PVC ns/q-scratch was not created for pod ns/q "
            "(pod is not owner)"
        )
        assert ("Warning", "FailedBinding", text) in run.events()
        run.client.remove(PERSISTENT_VOLUME_CLAIMS, "p-scratch", NS)
        await run.settle(5)
        assert find_claim(run, "p-scratch")


# --- attaching

MANAGED = {"volumes.kubernetes.io/controller-managed-attach-detach": "true"}
UNIQUE = "kubernetes.io/csi/d^h"


def attachable() -> tuple[Json, Json]:
    bound = claim(volumeName="pv", status={"phase": "Bound"}, metadata={"uid": "c1"})
    csi = {"driver": "d", "volumeHandle": "h"}
    reference = {"namespace": NS, "name": "data", "uid": "c1"}
    return volume(hostPath=None, csi=csi, claimRef=reference), bound


def attachments(run: Harness) -> list[Json]:
    return run.client.all(VOLUME_ATTACHMENTS)


async def confirm(run: Harness) -> None:
    """What the driver does."""
    found = objects.deep_copy(attachments(run)[0])
    found["status"] = {"attached": True}
    run.client.seed(found)
    await run.settle(2)


async def test_attaches_and_detaches_csi_volumes() -> None:
    seeds = (node(annotations=MANAGED), *attachable(), using("p"))
    async with running(ATTACH_DETACH, objects=seeds) as run:
        made = attachments(run)[0]
        assert objects.name(made).startswith("csi-")
        assert len(objects.name(made)) == 68
        assert made["spec"] == {
            "attacher": "d",
            "nodeName": "n1",
            "source": {"persistentVolumeName": "pv"},
        }
        await confirm(run)
        shown = run.client.find(NODES, "n1")
        assert shown is not None
        assert shown["status"]["volumesAttached"] == [{"name": UNIQUE, "devicePath": ""}]
        assert "SuccessfulAttachVolume" in {reason for _, reason, _ in run.events()}
        mounted = objects.deep_copy(shown)
        mounted["status"]["volumesInUse"] = [UNIQUE]
        run.client.seed(mounted)
        run.client.remove(PODS, "p", NS)
        await run.settle(1000)
        assert attachments(run)
        free = objects.deep_copy(run.client.find(NODES, "n1"))
        free["status"]["volumesInUse"] = []
        run.client.seed(free)
        await run.settle(5)
        assert attachments(run) == []
        last = run.client.find(NODES, "n1")
        assert last is not None
        assert not last["status"].get("volumesAttached")


async def test_volume_moves_from_a_failed_node_after_a_while() -> None:
    config = ControllerManagerConfig(controllers=("*",), attach_detach_max_wait_for_unmount=360)
    seeds = (node(annotations=MANAGED), node("n2", annotations=MANAGED), *attachable(), using("p"))
    async with running(ATTACH_DETACH, objects=seeds, config=config) as run:
        await confirm(run)
        in_use = {"volumesInUse": [UNIQUE]}
        run.client.seed(node(ready="Unknown", annotations=MANAGED, status=in_use))
        run.client.remove(PODS, "p", NS)
        run.client.seed(using("q", node_name="n2"))
        await run.settle(10)
        assert [item["spec"]["nodeName"] for item in attachments(run)] == ["n1"]
        text = (
            'Waiting for detach for volume "pv" Volume is already exclusively attached to one '
            "node, waiting on detach before it can be attached to another node"
        )
        assert ("Warning", "FailedAttachVolume", text) in run.events()
        await run.settle(360)
        assert [item["spec"]["nodeName"] for item in attachments(run)] == ["n2"]


async def test_attachments_of_others_and_drivers_without_are_left_alone() -> None:
    foreign = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "VolumeAttachment",
        "metadata": meta("mine", ""),
        "spec": {"attacher": "x", "nodeName": "n1", "source": {"persistentVolumeName": "none"}},
    }
    driver = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "CSIDriver",
        "metadata": meta("d", ""),
        "spec": {"attachRequired": False},
    }
    seeds = (node(annotations=MANAGED), *attachable(), using("p"), foreign, driver)
    async with running(ATTACH_DETACH, objects=seeds) as run:
        await run.settle(30)
        assert [objects.name(item) for item in attachments(run)] == ["mine"]
