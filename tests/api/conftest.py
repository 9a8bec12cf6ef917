from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api.serving import Api, start


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Api]:
    found = await start(tmp_path_factory.mktemp("pki"))
    yield found
    await found.close()
