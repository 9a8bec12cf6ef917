"""Runs single controllers on a ``FakeClient``, under virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pykube_cp.client.background import background
from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.interface import Controller, ControllerContext
from pykube_cp.controllers.manager import ControllerManager
from pykube_cp.machinery.objects import Object
from pykube_cp.testing.fake_client import FakeClient


@dataclass(slots=True)
class Harness:
    """Controllers at work on the objects of ``client``."""

    client: FakeClient
    manager: ControllerManager

    def ctx(self, name: str) -> ControllerContext:
        """The context of a running controller."""
        return self.manager.running[name].ctx

    async def settle(self, seconds: float = 1.0) -> None:
        """Let time pass, and thereby everything happen that follows from what is there."""
        await asyncio.sleep(seconds)

    def events(self) -> list[tuple[str, str, str]]:
        """``(type, reason, message)`` of all events recorded, oldest first."""
        recorded = self.client.writes("create", resource="events")
        return [
            (event.body["type"], event.body["reason"], event.body["message"]) for event in recorded
        ]


@asynccontextmanager
async def running(
    *controllers: Controller,
    client: FakeClient | None = None,
    objects: tuple[Object, ...] = (),
    config: ControllerManagerConfig | None = None,
) -> AsyncIterator[Harness]:
    """Run ``controllers`` while the block runs; they have settled once before it begins."""
    client = client if client is not None else FakeClient()
    for obj in objects:
        client.seed(obj)
    names = tuple(controller.name for controller in controllers)
    settings = config if config is not None else ControllerManagerConfig(controllers=names)
    manager = ControllerManager(client, lambda _identity: client, settings, controllers)
    async with background(manager.run()):
        await manager.wait_started()
        harness = Harness(client, manager)
        await harness.settle()
        yield harness
    client.verify()
