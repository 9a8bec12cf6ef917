from collections.abc import Awaitable, Callable

import pytest

from pykube_cp.client.interface import Client
from tests.api.serving import Api
from tests.contracts import client as contract

pytestmark = pytest.mark.asyncio(loop_scope="session")

Check = Callable[[Client], Awaitable[None]]


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
async def test_local_client(check: Check, api: Api) -> None:
    await check(api.local)


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
async def test_remote_client(check: Check, api: Api) -> None:
    await check(api.remote)
