"""For tests: ``pytest_plugins = ["pykube_cp.testing.pytest_plugin"]`` in a ``conftest.py``.

A test marked ``virtual_time`` runs on a loop whose time jumps; ``pytestmark =
pytest.mark.virtual_time`` marks a whole module.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping

import pytest

from pykube_cp.testing.fake_client import FakeClient
from pykube_cp.testing.virtual_time import VirtualTimeLoop

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "virtual_time: sleeping costs nothing, time jumps")


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, LoopFactory]:
    if item.get_closest_marker("virtual_time") is not None:
        return {"virtual": VirtualTimeLoop}
    return {"asyncio": asyncio.new_event_loop}


@pytest.fixture
def fake_client() -> Iterator[FakeClient]:
    """An in-memory API; afterwards it is checked that nobody changed an object it handed out."""
    client = FakeClient()
    yield client
    client.verify()
