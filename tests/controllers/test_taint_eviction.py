from typing import Any

import pytest

from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.controllers.taint_eviction import CONTROLLER, toleration_seconds
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.cluster import NS, Json, node, pod

pytestmark = pytest.mark.virtual_time

TAINT = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}


def tolerant(name: str, seconds: int | None, **more: Any) -> Json:
    toleration: Json = {"key": TAINT["key"], "operator": "Exists", "effect": "NoExecute"}
    if seconds is not None:
        toleration["tolerationSeconds"] = seconds
    return pod(name, spec={"tolerations": [toleration]}, **more)


def is_there(run: Harness, name: str) -> bool:
    found = run.client.find(PODS, name, NS)
    return found is not None and not objects.is_deleting(found)


async def test_pods_leave_a_tainted_node_as_they_tolerate() -> None:
    seeds = (node(), pod("none"), tolerant("minute", 60), tolerant("ever", None), pod("far", "n2"))
    async with running(CONTROLLER, objects=seeds) as run:
        run.client.seed(node(spec={"taints": [TAINT]}))
        await run.settle(5)
        assert not is_there(run, "none")
        patch = run.client.writes("patch", resource="pods")[0].body
        condition = patch["status"]["conditions"][0]
        assert (condition["type"], condition["reason"], condition["message"]) == (
            "DisruptionTarget",
            "DeletionByTaintManager",
            "Taint manager: deleting due to NoExecute taint",
        )
        told = ("Normal", "TaintManagerEviction", "Marking for deletion Pod ns/none")
        assert told in run.events()
        await run.settle(50)
        assert is_there(run, "minute")
        await run.settle(10)
        assert not is_there(run, "minute")
        assert is_there(run, "ever")
        assert is_there(run, "far")


async def test_eviction_is_cancelled_when_the_taint_goes() -> None:
    async with running(CONTROLLER, objects=(node(), tolerant("p", 60))) as run:
        run.client.seed(node(spec={"taints": [TAINT]}))
        await run.settle(30)
        run.client.seed(node())
        await run.settle(100)
        assert is_there(run, "p")
        assert ("Normal", "TaintManagerEviction", "Cancelling deletion of Pod ns/p") in run.events()


async def test_pod_that_comes_to_a_tainted_node_is_evicted() -> None:
    async with running(CONTROLLER, objects=(node(spec={"taints": [TAINT]}),)) as run:
        run.client.seed(pod("p"))
        await run.settle(5)
        assert not is_there(run, "p")


@pytest.mark.parametrize(
    ("tolerations", "seconds"),
    [
        ([], 0),
        ([{"operator": "Exists"}], None),
        ([{"operator": "Exists", "tolerationSeconds": -5}], 0),
        (
            [
                {"key": "a", "operator": "Exists", "tolerationSeconds": 30},
                {"key": "b", "operator": "Exists", "tolerationSeconds": 20},
            ],
            20,
        ),
        ([{"key": "a", "operator": "Exists"}], 0),
    ],
)
def test_toleration_seconds(tolerations: list[Json], seconds: float | None) -> None:
    taints = [{"key": key, "effect": "NoExecute"} for key in ("a", "b")]
    assert toleration_seconds(pod("p", spec={"tolerations": tolerations}), taints) == seconds
