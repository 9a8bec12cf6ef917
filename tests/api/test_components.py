"""How the parts of the control plane are; texts are upstream's."""

import pytest

from pykube_cp.api import components
from tests.api.serving import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

STATUSES = "/api/v1/componentstatuses"


async def test_nobody_else_is_there(api: Api, unused_tcp_port: int) -> None:
    well, text = await components.health(unused_tcp_port)
    place = f"127.0.0.1:{unused_tcp_port}"
    refused = f'Get "https://{place}/healthz": dial tcp {place}: connect: connection refused'
    assert (well, text) == (False, refused)


async def test_whoever_answers_is_asked(api: Api) -> None:
    assert await components.health(api.server.edge.port) == (True, "ok")


async def test_statuses(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def health(port: int) -> tuple[bool, str]:
        return port == 10259, str(port)

    monkeypatch.setattr(components, "health", health)
    found = {
        item["metadata"]["name"]: (each["status"], each["message"])
        for item in (await api("GET", STATUSES)).json["items"]
        for each in item["conditions"]
    }
    assert found == {
        "controller-manager": ("False", "10257"),
        "scheduler": ("True", "10259"),
        "etcd-0": ("True", "ok"),
    }
    assert (await api("GET", f"{STATUSES}/scheduler")).json["conditions"][0]["message"] == "10259"
    answer = await api("GET", f"{STATUSES}/nothing")
    assert answer.message == 'componentstatus "nothing" not found'
