from typing import Any

import pytest

from pykube_cp.controllers.resource_claim import CONTROLLER, generate_name
from pykube_cp.controllers.shared.cluster_kinds import RESOURCE_CLAIMS
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.cluster import NS, Json, meta, pod

pytestmark = pytest.mark.virtual_time

TEMPLATE = {
    "apiVersion": "resource.k8s.io/v1",
    "kind": "ResourceClaimTemplate",
    "metadata": meta("t"),
    "spec": {"metadata": {"labels": {"a": "b"}}, "spec": {"devices": {}}},
}


def wanting(name: str = "p", **more: Any) -> Json:
    claims = [{"name": "gpu", "resourceClaimTemplateName": "t"}]
    return pod(name, spec={"resourceClaims": claims, **more.pop("spec", {})}, **more)


def claims(run: Harness) -> list[Json]:
    return run.client.all(RESOURCE_CLAIMS)


async def test_claim_is_made_from_the_template_once() -> None:
    async with running(CONTROLLER, objects=(wanting(node_name=""),)) as run:
        text = (
            'PodResourceClaim gpu: resource claim template "t": '
            'resourceclaimtemplate.resource.k8s.io "t" not found'
        )
        assert ("Warning", "FailedResourceClaimCreation", text) in run.events()
        run.client.seed(TEMPLATE)
        await run.settle(5)
        (made,) = claims(run)
        assert made["metadata"]["generateName"] == "p-gpu-"
        assert objects.labels(made) == {"a": "b"}
        assert objects.annotations(made) == {"resource.kubernetes.io/pod-claim-name": "gpu"}
        assert made["spec"] == {"devices": {}}
        shown = run.client.find(PODS, "p", NS)
        assert shown is not None
        assert shown["status"]["resourceClaimStatuses"] == [
            {"name": "gpu", "resourceClaimName": objects.name(made)}
        ]
        run.client.remove(RESOURCE_CLAIMS, objects.name(made), NS)
        await run.settle(5)
        assert len(claims(run)) == 1
        assert objects.name(claims(run)[0]) != objects.name(made)


async def test_reservation_ends_with_the_pod() -> None:
    consumer = {"resource": "pods", "name": "p", "uid": "u1"}
    claim = {
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": meta("c", finalizers=["resource.kubernetes.io/delete-protection"]),
        "spec": {},
        "status": {"allocation": {"x": 1}, "reservedFor": [consumer]},
    }
    user = pod("p", spec={"resourceClaims": [{"name": "gpu", "resourceClaimName": "c"}]}, uid="u1")
    async with running(CONTROLLER, objects=(claim, user)) as run:
        assert claims(run)[0]["status"]["reservedFor"] == [consumer]
        run.client.remove(PODS, "p", NS)
        await run.settle(5)
        (found,) = claims(run)
        assert found["status"].get("reservedFor") == []
        assert "allocation" not in found["status"]
        assert objects.finalizers(found) == []


async def test_made_claim_goes_when_the_pod_is_done() -> None:
    async with running(CONTROLLER, objects=(TEMPLATE, wanting())) as run:
        assert len(claims(run)) == 1
        found = objects.deep_copy(run.client.find(PODS, "p", NS))
        found["status"]["phase"] = "Succeeded"
        run.client.seed(found)
        await run.settle(5)
        assert claims(run) == []


def test_long_names_are_cut_in_proportion() -> None:
    assert generate_name("pod", "claim") == "pod-claim-"
    name = generate_name("p" * 100, "c" * 50)
    assert name == "p" * 37 + "-" + "c" * 18
