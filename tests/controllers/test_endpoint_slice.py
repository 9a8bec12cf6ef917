from typing import Any

import pytest

from pykube_cp.controllers.endpoint_slice import CONTROLLER
from pykube_cp.controllers.shared.cluster_kinds import ENDPOINT_SLICES, NODES, SERVICES
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.cluster import NS, Json, meta, node, pod, service

pytestmark = pytest.mark.virtual_time


def slices(run: Harness) -> list[Json]:
    return run.client.all(ENDPOINT_SLICES)


def only(run: Harness) -> Json:
    found = slices(run)
    assert len(found) == 1
    return found[0]


def addresses(found: Json) -> list[str]:
    return sorted(item["addresses"][0] for item in found["endpoints"])


async def change(run: Harness, gvr: Any, name: str, namespace: str = NS, **parts: Any) -> None:
    found = objects.deep_copy(run.client.find(gvr, name, namespace))
    for part, value in parts.items():
        if value is None:
            found.pop(part, None)
        else:
            found[part] = {**found.get(part, {}), **value}
    run.client.seed(found)
    await run.settle(5)


async def test_slice_of_a_service() -> None:
    seeds = (
        node(labels={"topology.kubernetes.io/zone": "a"}),
        service(labels={"team": "x"}),
        pod("p1"),
        pod("p2", ready=False, ip="10.1.0.2"),
        pod("other", labels={"app": "db"}, ip="10.1.0.3"),
        pod("done", ip="10.1.0.4", status={"phase": "Succeeded"}),
    )
    async with running(CONTROLLER, objects=seeds) as run:
        found = only(run)
        owner = run.client.find(SERVICES, "web", NS)
        assert owner is not None
        assert found["metadata"]["generateName"] == "web-"
        assert found["metadata"]["labels"] == {
            "team": "x",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        }
        assert found["metadata"]["ownerReferences"] == [
            {
                "apiVersion": "v1",
                "kind": "Service",
                "name": "web",
                "uid": objects.uid(owner),
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ]
        assert found["metadata"]["annotations"] == {
            "endpoints.kubernetes.io/last-change-trigger-time": owner["metadata"][
                "creationTimestamp"
            ]
        }
        assert found["addressType"] == "IPv4"
        assert found["ports"] == [{"name": "http", "port": 8080, "protocol": "TCP"}]
        one, two = sorted(found["endpoints"], key=lambda item: item["addresses"])
        assert one == {
            "addresses": ["10.1.0.1"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "targetRef": {
                "kind": "Pod",
                "namespace": NS,
                "name": "p1",
                "uid": one["targetRef"]["uid"],
            },
            "nodeName": "n1",
            "zone": "a",
        }
        assert two["conditions"] == {"ready": False, "serving": False, "terminating": False}


async def test_pods_come_change_and_go() -> None:
    async with running(CONTROLLER, objects=(node(), service(), pod("p1"))) as run:
        run.client.seed(pod("p2", ip="10.1.0.2"))
        await run.settle(5)
        assert addresses(only(run)) == ["10.1.0.1", "10.1.0.2"]
        await change(run, PODS, "p1", metadata={"deletionTimestamp": "2026-01-01T01:00:00Z"})
        conditions = {
            item["targetRef"]["name"]: item["conditions"] for item in only(run)["endpoints"]
        }
        assert conditions["p1"] == {"ready": False, "serving": True, "terminating": True}
        run.client.remove(PODS, "p1", NS)
        run.client.remove(PODS, "p2", NS)
        await run.settle(5)
        placeholder = only(run)
        assert placeholder["endpoints"] == []
        assert placeholder["ports"] == []
        writes = len(run.client.writes("create", "update", "delete", resource="endpointslices"))
        await change(run, SERVICES, "web", metadata={"annotations": {"a": "b"}})
        assert (
            len(run.client.writes("create", "update", "delete", resource="endpointslices"))
            == writes
        )


async def test_headless_service_with_named_port_and_hostname() -> None:
    pods = (
        pod(
            "p1",
            spec={
                "hostname": "zero",
                "subdomain": "web",
                "containers": [
                    {
                        "name": "m",
                        "ports": [{"name": "api", "containerPort": 90, "protocol": "TCP"}],
                    }
                ],
            },
        ),
        pod(
            "p2",
            ip="10.1.0.2",
            spec={
                "containers": [{"name": "m"}],
                "initContainers": [
                    {
                        "name": "side",
                        "restartPolicy": "Always",
                        "ports": [{"name": "api", "containerPort": 91, "protocol": "TCP"}],
                    }
                ],
            },
        ),
    )
    ports = [{"name": "", "port": 80, "targetPort": "api", "protocol": "TCP", "appProtocol": "x"}]
    headless = service(clusterIP="None", ports=ports)
    async with running(CONTROLLER, objects=(node(), headless, *pods)) as run:
        by_port = {item["ports"][0]["port"]: item for item in slices(run)}
        assert by_port.keys() == {90, 91}
        assert by_port[90]["endpoints"][0]["hostname"] == "zero"
        assert "hostname" not in by_port[91]["endpoints"][0]
        assert by_port[90]["ports"][0]["appProtocol"] == "x"
        assert by_port[90]["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


async def test_dual_stack_service_has_slices_of_both_families() -> None:
    both = {"podIPs": [{"ip": "10.1.0.1"}, {"ip": "fd00:0::1"}]}
    seeds = (node(), service(ipFamilies=["IPv4", "IPv6"]), pod("p1", status=both))
    async with running(CONTROLLER, objects=seeds) as run:
        by_type = {item["addressType"]: addresses(item) for item in slices(run)}
        assert by_type == {"IPv4": ["10.1.0.1"], "IPv6": ["fd00::1"]}
        await change(run, SERVICES, "web", spec={"ipFamilies": ["IPv4"]})
        assert {item["addressType"] for item in slices(run)} == {"IPv4"}


async def test_packs_a_hundred_endpoints_into_a_slice() -> None:
    pods = [pod(f"p{i}", ip=f"10.1.{i // 250}.{i % 250 + 1}") for i in range(205)]
    async with running(CONTROLLER, objects=(node(), service(), *pods)) as run:
        await run.settle(5)
        assert sorted(len(item["endpoints"]) for item in slices(run)) == [5, 100, 100]
        run.client.remove(PODS, "p0", NS)
        run.client.seed(pod("new", ip="10.2.0.1"))
        await run.settle(5)
        assert sorted(len(item["endpoints"]) for item in slices(run)) in (
            [5, 100, 100],
            [6, 99, 100],
        )
        updates = run.client.writes("update", resource="endpointslices")
        assert len(updates) <= 2


async def test_pod_on_an_unknown_node_waits_for_it() -> None:
    async with running(CONTROLLER, objects=(service(), pod("p1"))) as run:
        assert only(run)["endpoints"] == []
        text = (
            "Error updating Endpoint Slices for Service ns/web: skipping Pod p1 for Service "
            "ns/web: Node n1 Not Found"
        )
        assert ("Warning", "FailedToUpdateEndpointSlices", text) in run.events()
        run.client.seed(node())
        await run.settle(1200)
        assert addresses(only(run)) == ["10.1.0.1"]


async def test_publishes_pods_that_are_not_ready_when_asked_to() -> None:
    seeds = (service(publishNotReadyAddresses=True), pod("p1", ready=False))
    async with running(CONTROLLER, objects=seeds) as run:
        assert only(run)["endpoints"][0]["conditions"] == {
            "ready": True,
            "serving": False,
            "terminating": False,
        }


async def test_restores_what_others_change() -> None:
    async with running(CONTROLLER, objects=(node(), service(), pod("p1"))) as run:
        found = objects.deep_copy(only(run))
        found["endpoints"] = []
        found["metadata"]["generation"] = 2
        run.client.seed(found)
        await run.settle(5)
        assert addresses(only(run)) == ["10.1.0.1"]
        run.client.remove(ENDPOINT_SLICES, objects.name(found), NS)
        await run.settle(5)
        assert addresses(only(run)) == ["10.1.0.1"]


async def test_leaves_slices_and_services_of_others_alone() -> None:
    foreign = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": meta("mine", labels={"kubernetes.io/service-name": "web"}),
        "addressType": "IPv4",
        "endpoints": [],
    }
    seeds = (
        node(),
        foreign,
        service(selector=None),
        service("ext", type="ExternalName"),
        pod("p1"),
    )
    async with running(CONTROLLER, objects=seeds) as run:
        assert [objects.name(item) for item in slices(run)] == ["mine"]


@pytest.mark.parametrize(
    ("distribution", "hints"),
    [
        ("PreferClose", {"forZones": [{"name": "a"}]}),
        ("PreferSameZone", {"forZones": [{"name": "a"}]}),
        ("PreferSameNode", {"forZones": [{"name": "a"}], "forNodes": [{"name": "n1"}]}),
    ],
)
async def test_hints_for_traffic_distribution(distribution: str, hints: Json) -> None:
    zone = {"topology.kubernetes.io/zone": "a"}
    seeds = (node(labels=zone), service(trafficDistribution=distribution), pod("p1"))
    async with running(CONTROLLER, objects=seeds) as run:
        assert only(run)["endpoints"][0]["hints"] == hints
        found = objects.deep_copy(run.client.find(SERVICES, "web", NS))
        del found["spec"]["trafficDistribution"]
        await run.client.update(SERVICES, found)
        await run.settle(5)
        assert "hints" not in only(run)["endpoints"][0]


async def test_topology_aware_hints_follow_the_zones_cpu() -> None:
    nodes = [
        node(
            f"n{zone}",
            labels={"topology.kubernetes.io/zone": zone},
            status={"allocatable": {"cpu": cpu}},
        )
        for zone, cpu in (("a", "3"), ("b", "1"))
    ]
    pods = [pod(f"p{i}", "na" if i < 2 else "nb", ip=f"10.1.0.{i + 1}") for i in range(4)]
    auto = service(annotations={"service.kubernetes.io/topology-mode": "Auto"})
    async with running(CONTROLLER, objects=(*nodes, *pods, auto)) as run:
        await change(run, SERVICES, "web", metadata={"labels": {"x": "y"}})
        zones = [item["hints"]["forZones"][0]["name"] for item in only(run)["endpoints"]]
        assert sorted(zones) == ["a", "a", "a", "b"]
        text = "Topology Aware Hints has been enabled, addressType: IPv4"
        assert ("Normal", "TopologyAwareHintsEnabled", text) in run.events()
        run.client.remove(NODES, "nb")
        for name in ("p2", "p3"):
            run.client.remove(PODS, name, NS)
        await run.settle(10)
        assert all("hints" not in item for item in only(run)["endpoints"])
