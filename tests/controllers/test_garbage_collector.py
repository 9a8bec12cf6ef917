from typing import Any

import pytest

from pykube_cp.client.interface import DeleteOptions, Propagation
from pykube_cp.controllers.garbage_collector import CONTROLLER
from pykube_cp.controllers.shared.kinds import CONFIG_MAPS, NAMESPACES, PODS, REPLICA_SETS
from pykube_cp.machinery import errors, objects
from pykube_cp.testing.controllers import running
from tests.controllers.workloads import NS, meta, pod, workload

pytestmark = pytest.mark.virtual_time


def ref(uid: str, name: str = "web", **more: Any) -> dict[str, Any]:
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name, "uid": uid, **more}


def owner(uid: str = "u1", name: str = "web", **more: Any) -> dict[str, Any]:
    made = workload("ReplicaSet", name=name, replicas=0)
    made["metadata"] |= {"uid": uid, **more}
    return made


async def test_background_deletion_takes_the_dependents() -> None:
    seeds = (
        owner(),
        pod("child", ownerReferences=[ref("u1", controller=True)]),
        pod("stranger"),
    )
    async with running(CONTROLLER, objects=seeds) as run:
        await run.client.delete(REPLICA_SETS, "web", NS)
        await run.settle()
        assert [objects.name(found) for found in run.client.all(PODS)] == ["stranger"]


async def test_foreground_deletion_ends_with_the_last_blocking_dependent() -> None:
    blocking = pod(
        "held",
        finalizers=["example.com/hold"],
        ownerReferences=[ref("u1", blockOwnerDeletion=True)],
    )
    async with running(CONTROLLER, objects=(owner(), blocking)) as run:
        options = DeleteOptions(propagation=Propagation.FOREGROUND)
        await run.client.delete(REPLICA_SETS, "web", NS, options=options)
        await run.settle(5)
        assert run.client.find(REPLICA_SETS, "web", NS) is not None
        held = run.client.find(PODS, "held", NS)
        assert objects.is_deleting(held or {})
        freed = objects.deep_copy(held)
        freed["metadata"]["finalizers"] = []
        await run.client.update(PODS, freed)
        await run.settle(5)
        assert run.client.all(PODS) == []
        assert run.client.all(REPLICA_SETS) == []


async def test_orphaning_keeps_the_dependents() -> None:
    seeds = (owner(), pod("child", ownerReferences=[ref("u1")]))
    async with running(CONTROLLER, objects=seeds) as run:
        options = DeleteOptions(propagation=Propagation.ORPHAN)
        await run.client.delete(REPLICA_SETS, "web", NS, options=options)
        await run.settle(5)
        assert run.client.all(REPLICA_SETS) == []
        (child,) = run.client.all(PODS)
        assert objects.owner_references(child) == []


async def test_owners_that_never_existed() -> None:
    seeds = (
        owner("new-uid"),
        pod("stale", ownerReferences=[ref("old-uid")]),
        pod("kept", ownerReferences=[ref("old-uid"), ref("new-uid")]),
    )
    async with running(CONTROLLER, objects=seeds) as run:
        await run.settle(5)
        (kept,) = run.client.all(PODS)
        assert objects.owner_references(kept) == [ref("new-uid")]


async def test_owner_references_across_namespaces_are_refused() -> None:
    elsewhere = owner(namespace="elsewhere")
    namespaced_owner = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "top", "ownerReferences": [ref("u1")]},
    }
    seeds = (elsewhere, pod("child", ownerReferences=[ref("u1")]), namespaced_owner)
    async with running(CONTROLLER, objects=seeds) as run:
        await run.settle(10)
        assert run.client.all(PODS) == []
        assert run.client.find(NAMESPACES, "top") is not None
        reasons = {reason for _, reason, _ in run.events()}
        assert reasons == {"OwnerRefInvalidNamespace"}


async def test_a_circle_of_owners_can_be_deleted_in_the_foreground() -> None:
    def link(name: str, uid: str, to: str, to_uid: str) -> dict[str, Any]:
        refs = [
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "name": to,
                "uid": to_uid,
                "blockOwnerDeletion": True,
            }
        ]
        return pod(name, uid=uid, ownerReferences=refs)

    seeds = (link("a", "ua", "b", "ub"), link("b", "ub", "c", "uc"), link("c", "uc", "a", "ua"))
    async with running(CONTROLLER, objects=seeds) as run:
        options = DeleteOptions(propagation=Propagation.FOREGROUND)
        await run.client.delete(PODS, "a", NS, options=options)
        await run.settle(30)
        assert run.client.all(PODS) == []


async def test_merge_patch_where_strategic_patches_are_not_known() -> None:
    seeds = (owner(), pod("child", ownerReferences=[ref("u1")]))
    async with running(CONTROLLER, objects=seeds) as run:
        refused = errors.unsupported_media_type(["application/merge-patch+json"])
        run.client.fail("patch", "pods", refused)
        options = DeleteOptions(propagation=Propagation.ORPHAN)
        await run.client.delete(REPLICA_SETS, "web", NS, options=options)
        await run.settle(5)
        (child,) = run.client.all(PODS)
        assert objects.owner_references(child) == []


async def test_cluster_scoped_owner() -> None:
    top = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "top", "uid": "un"}}
    to_top = {"apiVersion": "v1", "kind": "Namespace", "name": "top", "uid": "un"}
    child = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": meta("child", ownerReferences=[to_top]),
    }
    async with running(CONTROLLER, objects=(top, child)) as run:
        await run.settle()
        assert len(run.client.all(CONFIG_MAPS)) == 1
        await run.client.delete(NAMESPACES, "top")
        await run.settle()
        assert run.client.all(CONFIG_MAPS) == []
