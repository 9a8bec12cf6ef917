"""Flow schemas say whether their priority level exists."""

import asyncio
from typing import Any

import pytest

from tests.api.serving import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

PATH = "/apis/flowcontrol.apiserver.k8s.io/v1"
LEVEL = {"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}}


async def dangling(api: Api, name: str, status: str) -> dict[str, Any]:
    """The condition once it has that status."""
    async with asyncio.timeout(5):
        while True:
            answer = await api("GET", f"{PATH}/flowschemas/{name}")
            for found in answer.json.get("status", {}).get("conditions", ()):
                if found["status"] == status:
                    return dict(found)
            await asyncio.sleep(0.01)


async def test_a_schema_says_whether_its_level_exists(api: Api) -> None:
    spec = {"matchingPrecedence": 500, "priorityLevelConfiguration": {"name": "mine"}}
    schema = {"metadata": {"name": "mine"}, "spec": spec}
    assert (await api("POST", f"{PATH}/flowschemas", schema)).status == 201
    found = await dangling(api, "mine", "True")
    assert (found["type"], found["reason"]) == ("Dangling", "NotFound")
    assert found["message"].endswith('named "mine" but there is no such object')
    level = {"metadata": {"name": "mine"}, **LEVEL}
    assert (await api("POST", f"{PATH}/prioritylevelconfigurations", level)).status == 201
    found = await dangling(api, "mine", "False")
    assert found["message"].endswith('named "mine" and it exists')


async def test_those_of_the_system_are_complete(api: Api) -> None:
    await dangling(api, "catch-all", "False")
