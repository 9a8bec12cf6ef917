from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api.serving import Api, start


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def everything(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    """A server that serves every version there is."""
    found = await start(tmp_path_factory.mktemp("pki"), {"api/all": "true"})
    await found("POST", "/api/v1/namespaces", {"metadata": {"name": "fixtures"}})
    urgent = {"metadata": {"name": "urgent"}, "value": 500}
    await found("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", urgent)
    yield found
    await found.close()
