from typing import Any

import pytest

from pykube_cp.controllers.resource_quota import CONTROLLER
from pykube_cp.controllers.shared.kinds import PODS, RESOURCE_QUOTAS
from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from tests.controllers.workloads import NS, meta, pod

pytestmark = pytest.mark.virtual_time


def quota(hard: dict[str, str], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": meta("quota"),
        "spec": {"hard": hard, **spec},
    }


def config_map(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name)}


def used(run: Harness) -> dict[str, str]:
    found = run.client.find(RESOURCE_QUOTAS, "quota", NS)
    assert found is not None
    assert found["status"]["hard"] == found["spec"]["hard"]
    result: dict[str, str] = found["status"]["used"]
    return result


async def test_counts_what_is_there_and_what_goes() -> None:
    hard = {"pods": "5", "requests.cpu": "1", "configmaps": "2", "count/foos.example.com": "1"}
    asking = pod("asking")
    asking["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "200m"}}
    seeds = (quota(hard), asking, pod("ended", "Failed"), config_map("a"), config_map("b"))
    async with running(CONTROLLER, objects=seeds) as run:
        assert used(run) == {"pods": "1", "requests.cpu": "200m", "configmaps": "2"}
        await run.client.delete(PODS, "asking", NS)
        await run.settle()
        assert used(run) == {"pods": "0", "requests.cpu": "0", "configmaps": "2"}


async def test_new_limits_are_counted_at_once_and_unwatched_kinds_watched_then() -> None:
    async with running(CONTROLLER, objects=(config_map("a"),)) as run:
        run.client.seed(quota({"secrets": "1"}))
        await run.settle()
        assert used(run) == {"secrets": "0"}
        changed = objects.deep_copy(run.client.find(RESOURCE_QUOTAS, "quota", NS))
        changed["spec"]["hard"] = {"count/configmaps": "9"}
        await run.client.update(RESOURCE_QUOTAS, changed)
        await run.settle()
        assert used(run) == {"count/configmaps": "1"}


async def test_ended_pods_free_their_share() -> None:
    async with running(CONTROLLER, objects=(quota({"pods": "1"}), pod("p"))) as run:
        assert used(run) == {"pods": "1"}
        ended = objects.deep_copy(run.client.find(PODS, "p", NS))
        ended["status"]["phase"] = "Succeeded"
        await run.client.update(PODS, ended, subresource="status")
        await run.settle()
        assert used(run) == {"pods": "0"}
