import pytest

from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.node_ipam import CONTROLLER
from pykube_cp.controllers.shared.cidr_set import CidrRangeFullError, CidrSet
from pykube_cp.controllers.shared.cluster_kinds import NODES
from pykube_cp.controllers.ttl import CONTROLLER as TTL
from pykube_cp.controllers.ttl import State as TtlState
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.cluster import node

pytestmark = pytest.mark.virtual_time


def config(*cidrs: str, mask: int = 24, services: str = "10.96.0.0/16") -> ControllerManagerConfig:
    return ControllerManagerConfig(
        controllers=("*",),
        allocate_node_cidrs=True,
        cluster_cidrs=cidrs,
        service_cidrs=(services,),
        node_cidr_mask_size_ipv4=mask,
    )


def cidrs(run: Harness) -> dict[str, list[str]]:
    return {objects.name(item): item["spec"].get("podCIDRs") for item in run.client.all(NODES)}


async def test_nodes_get_parts_that_are_not_in_use() -> None:
    seeds = (node("a"), node("b", spec={"podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24"]}))
    async with running(CONTROLLER, objects=seeds, config=config("10.244.0.0/16")) as run:
        assert cidrs(run) == {"a": ["10.244.1.0/24"], "b": ["10.244.0.0/24"]}
        found = run.client.find(NODES, "a")
        assert found is not None
        assert found["spec"]["podCIDR"] == "10.244.1.0/24"


async def test_dual_stack() -> None:
    settings = config("10.244.0.0/16", "fd00:10::/56")
    async with running(CONTROLLER, objects=(node(),), config=settings) as run:
        assert cidrs(run) == {"n1": ["10.244.0.0/24", "fd00:10::/64"]}


async def test_full_range_is_told_and_served_when_a_part_comes_back() -> None:
    settings = config("10.244.0.0/24", mask=25)
    async with running(CONTROLLER, objects=(node("a"), node("b")), config=settings) as run:
        run.client.seed(node("c"))
        await run.settle(2)
        assert cidrs(run)["c"] is None
        told = ("Normal", "CIDRNotAvailable", "Node c status is now: CIDRNotAvailable")
        assert told in run.events()
        freed = cidrs(run)["a"]
        run.client.remove(NODES, "a")
        await run.settle(60)
        assert cidrs(run)["c"] == freed


def test_cidr_set_goes_round_and_keeps_foreign_parts() -> None:
    parts = CidrSet("10.0.0.0/22", 24)
    parts.occupy("10.0.1.0/25")
    assert parts.allocate_next() == "10.0.0.0/24"
    assert parts.allocate_next() == "10.0.2.0/24"
    parts.release("10.0.0.0/24")
    assert parts.allocate_next() == "10.0.3.0/24"
    assert parts.allocate_next() == "10.0.0.0/24"
    with pytest.raises(CidrRangeFullError):
        parts.allocate_next()
    with pytest.raises(ValueError, match="out the range"):
        parts.occupy("10.1.0.0/24")
    with pytest.raises(ValueError, match="too big"):
        CidrSet("fd00::/40", 64)


async def test_ttl_annotation() -> None:
    async with running(TTL, objects=(node(),)) as run:
        found = run.client.find(NODES, "n1")
        assert found is not None
        assert objects.annotations(found) == {"node.alpha.kubernetes.io/ttl": "0"}
    state = TtlState()
    assert [state.seconds(size) for size in (100, 101, 95, 89, 5000, 1700)] == [
        0,
        15,
        15,
        0,
        300,
        60,
    ]
