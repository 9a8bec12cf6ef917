import pytest

from pykube_cp.controllers.endpoints import CONTROLLER, truncated
from pykube_cp.controllers.shared.cluster_kinds import ENDPOINTS, SERVICES
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.cluster import NS, Json, meta, node, pod, service

pytestmark = pytest.mark.virtual_time


def endpoints(run: Harness, name: str = "web") -> Json:
    found = run.client.find(ENDPOINTS, name, NS)
    assert found is not None
    return found


def address(run: Harness, name: str, ip: str) -> Json:
    found = run.client.find(PODS, name, NS)
    assert found is not None
    target = {"kind": "Pod", "namespace": NS, "name": name, "uid": objects.uid(found)}
    return {"ip": ip, "nodeName": "n1", "targetRef": target}


async def test_endpoints_of_a_service() -> None:
    seeds = (service(), pod("p1"), pod("p2", ready=False, ip="10.1.0.2"))
    async with running(CONTROLLER, objects=seeds) as run:
        found = endpoints(run)
        assert found["metadata"]["labels"] == {
            "endpoints.kubernetes.io/managed-by": "endpoint-controller"
        }
        assert found["subsets"] == [
            {
                "addresses": [address(run, "p1", "10.1.0.1")],
                "notReadyAddresses": [address(run, "p2", "10.1.0.2")],
                "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
            }
        ]
        run.client.seed(pod("p2", ip="10.1.0.2"))
        await run.settle(2)
        assert len(endpoints(run)["subsets"][0]["addresses"]) == 2
        run.client.remove(SERVICES, "web", NS)
        await run.settle(2)
        assert run.client.find(ENDPOINTS, "web", NS) is None


async def test_headless_service_without_ports() -> None:
    seeds = (service(clusterIP="None", ports=None), pod("p1"))
    async with running(CONTROLLER, objects=seeds) as run:
        found = endpoints(run)
        assert found["subsets"] == [{"addresses": [address(run, "p1", "10.1.0.1")]}]
        assert found["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


async def test_pods_with_different_numbers_of_a_named_port() -> None:
    def with_port(name: str, number: int, ip: str) -> Json:
        ports = [{"name": "api", "containerPort": number, "protocol": "TCP"}]
        return pod(name, ip=ip, spec={"containers": [{"name": "m", "ports": ports}]})

    ports = [
        {"name": "a", "port": 80, "targetPort": "api", "protocol": "TCP"},
        {"name": "b", "port": 81, "targetPort": 1000, "protocol": "TCP"},
    ]
    seeds = (service(ports=ports), with_port("p1", 90, "10.1.0.1"), with_port("p2", 91, "10.1.0.2"))
    async with running(CONTROLLER, objects=seeds) as run:
        shown = {
            tuple(port["port"] for port in subset["ports"]): [a["ip"] for a in subset["addresses"]]
            for subset in endpoints(run)["subsets"]
        }
        assert shown == {
            (90,): ["10.1.0.1"],
            (91,): ["10.1.0.2"],
            (1000,): ["10.1.0.1", "10.1.0.2"],
        }


async def test_changes_of_pods_that_do_not_matter_write_nothing() -> None:
    async with running(CONTROLLER, objects=(node(), service(), pod("p1"))) as run:
        before = len(run.client.writes("create", "update", resource="endpoints"))
        found = objects.deep_copy(run.client.find(PODS, "p1", NS))
        found["metadata"]["annotations"] = {"a": "b"}
        run.client.seed(found)
        await run.settle(5)
        assert len(run.client.writes("create", "update", resource="endpoints")) == before


async def test_endpoints_without_service_are_removed_once_at_the_start() -> None:
    def bare(name: str, **more: Json) -> Json:
        return {"apiVersion": "v1", "kind": "Endpoints", "metadata": meta(name, **more)}

    leader = bare("lock", annotations={"control-plane.alpha.kubernetes.io/leader": "me"})
    manual = service("manual", selector=None)
    seeds = (bare("gone"), leader, bare("manual"), manual)
    async with running(CONTROLLER, objects=seeds) as run:
        assert {objects.name(item) for item in run.client.all(ENDPOINTS)} == {"lock", "manual"}
        run.client.seed(bare("later"))
        await run.settle(5)
        assert run.client.find(ENDPOINTS, "later", NS) is not None


def test_truncation_keeps_ready_addresses_first() -> None:
    def many(count: int) -> list[Json]:
        return [{"ip": str(number)} for number in range(count)]

    subsets = [
        {"addresses": many(400), "notReadyAddresses": many(800), "ports": []},
        {"addresses": many(400), "ports": [{"port": 1}]},
    ]
    cut = truncated(subsets)
    assert [len(item.get("addresses", [])) for item in cut] == [400, 400]
    assert len(cut[0]["notReadyAddresses"]) == 200
    ready = truncated(
        [{"addresses": many(900)}, {"addresses": many(600), "notReadyAddresses": [1]}]
    )
    assert [len(item["addresses"]) for item in ready] == [600, 400]
    assert "notReadyAddresses" not in ready[1]
