import pytest

from pykube_cp.controllers.endpoint_slice_mirroring import CONTROLLER
from pykube_cp.controllers.shared.cluster_kinds import ENDPOINT_SLICES, ENDPOINTS, SERVICES
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.cluster import NS, Json, meta, service

pytestmark = pytest.mark.virtual_time

PORTS = [{"name": "http", "port": 8080, "protocol": "TCP"}]


def endpoints(*subsets: Json, **more: Json) -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": meta("web", **more),
        "subsets": list(subsets),
    }


def slices(run: Harness) -> list[Json]:
    return run.client.all(ENDPOINT_SLICES)


async def test_mirrors_endpoints_kept_by_hand() -> None:
    subset = {
        "addresses": [{"ip": "10.9.0.1", "hostname": "one"}, {"ip": "2001:db8::1"}],
        "notReadyAddresses": [{"ip": "10.9.0.2"}, {"ip": "nonsense"}],
        "ports": PORTS,
    }
    annotations = {"a": "b", "kubectl.kubernetes.io/last-applied-configuration": "{}"}
    manual = endpoints(subset, labels={"x": "y"}, annotations=annotations)
    async with running(CONTROLLER, objects=(service(selector=None), manual)) as run:
        by_type = {item["addressType"]: item for item in slices(run)}
        found = by_type["IPv4"]
        assert found["metadata"]["labels"] == {
            "x": "y",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": ("endpointslicemirroring-controller.k8s.io"),
        }
        assert found["metadata"]["annotations"] == {"a": "b"}
        assert found["metadata"]["ownerReferences"][0]["kind"] == "Endpoints"
        assert found["endpoints"] == [
            {"addresses": ["10.9.0.1"], "conditions": {"ready": True}, "hostname": "one"},
            {"addresses": ["10.9.0.2"], "conditions": {"ready": False}},
        ]
        assert by_type["IPv6"]["endpoints"][0]["addresses"] == ["2001:db8::1"]
        text = "Skipped 1 invalid IP addresses when mirroring to EndpointSlices"
        assert ("Warning", "InvalidIPAddress", text) in run.events()
        await change_address(run)


async def change_address(run: Harness) -> None:
    name = next(objects.name(item) for item in slices(run) if item["addressType"] == "IPv4")
    run.client.seed(endpoints({"addresses": [{"ip": "10.9.0.7"}], "ports": PORTS}))
    await run.settle(5)
    assert [objects.name(item) for item in slices(run)] == [name]
    assert slices(run)[0]["endpoints"][0]["addresses"] == ["10.9.0.7"]
    run.client.remove(ENDPOINTS, "web", NS)
    await run.settle(5)
    assert slices(run) == []


@pytest.mark.parametrize(
    ("web", "more"),
    [
        (service(), {}),
        (service("other"), {}),
        (
            service(selector=None),
            {"labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        ),
        (
            service(selector=None),
            {"annotations": {"control-plane.alpha.kubernetes.io/leader": "x"}},
        ),
    ],
    ids=["selector", "no service", "skipped", "leader election"],
)
async def test_does_not_mirror(web: Json, more: Json) -> None:
    manual = endpoints({"addresses": [{"ip": "10.9.0.1"}], "ports": PORTS}, **more)
    async with running(CONTROLLER, objects=(web, manual)) as run:
        assert slices(run) == []


async def test_slices_go_when_the_service_gets_a_selector() -> None:
    manual = endpoints({"addresses": [{"ip": "10.9.0.1"}], "ports": PORTS})
    async with running(CONTROLLER, objects=(service(selector=None), manual)) as run:
        assert len(slices(run)) == 1
        found = objects.deep_copy(run.client.find(SERVICES, "web", NS))
        found["spec"]["selector"] = {"app": "web"}
        await run.client.update(SERVICES, found)
        await run.settle(5)
        assert slices(run) == []
