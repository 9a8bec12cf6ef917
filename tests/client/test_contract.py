from collections.abc import Awaitable, Callable

import pytest

from pykube_cp.client.interface import Client
from pykube_cp.testing.fake_client import FakeClient
from tests.contracts import client as contract

pytestmark = pytest.mark.virtual_time


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
async def test_fake_client(
    check: Callable[[Client], Awaitable[None]], fake_client: FakeClient
) -> None:
    await check(fake_client)
