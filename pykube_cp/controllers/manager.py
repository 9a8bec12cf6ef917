"""Runs controllers: informers, queues, workers, retries, identities, metrics, an orderly end.

Started from the inside of the list outwards and stopped the other way round: informers first, then
for each controller, once what it watches is known, its workers and its ``run``. At the end workers
stop before what they depend on.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pykube_cp.client.background import background
from pykube_cp.client.informer import Informers
from pykube_cp.client.interface import Client
from pykube_cp.client.recorder import Recorder
from pykube_cp.client.reflector import Backoff
from pykube_cp.client.work_queue import QueueClosedError, WorkQueue
from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.interface import (
    MAIN,
    Controller,
    ControllerContext,
    KeysOf,
    Queue,
    Reconcile,
    Watch,
)
from pykube_cp.machinery import errors
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

ALL = "*"


def is_enabled(controller: Controller, config: ControllerManagerConfig) -> bool:
    """What ``--controllers`` says, by name or alias; then what the page says itself."""
    # upstream: controller-manager app/helper.go IsControllerEnabled
    known = {controller.name, *controller.aliases}
    for wanted in config.controllers:
        if wanted in known:
            return controller.wanted(config)
        if wanted.startswith("-") and wanted[1:] in known:
            return False
    return ALL in config.controllers and controller.on_by_default and controller.wanted(config)


@dataclass(slots=True)
class Running:
    """One controller at work.

    Attributes:
        started: its caches are synced and its workers take keys.
    """

    controller: Controller
    ctx: ControllerContext
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def prepare(self) -> None:
        """Set up its state and join the informers, before these start."""
        if self.controller.setup is not None:
            self.ctx.state = self.controller.setup(self.ctx)
        for gvr in self.controller.reads:
            self.ctx.informers.of(gvr)
        for watch in self.controller.watches:
            _join(self.ctx, watch)

    async def run(self) -> None:
        """Work until cancelled."""
        await self.ctx.informers.wait_synced(self._needed())
        log.debug("starting %s", self.controller.name)
        async with asyncio.TaskGroup() as group:
            for queue in self._queues():
                for _ in range(queue.workers):
                    worker = _work(self.ctx, self.ctx.queues[queue.name], queue.reconcile)
                    group.create_task(worker, name=self.controller.name)
            if self.controller.run is not None:
                group.create_task(self._keep_running(), name=f"{self.controller.name} run")
            self.started.set()

    def _needed(self) -> Sequence[GVR]:
        return (*self.controller.reads, *(watch.gvr for watch in self.controller.watches))

    def _queues(self) -> Iterable[Queue]:
        if self.controller.reconcile is not None:
            name = self.controller.name
            workers = self.ctx.config.workers.get(name, self.controller.workers)
            yield Queue(MAIN, self.controller.reconcile, workers)
        yield from self.controller.queues

    async def _keep_running(self) -> None:
        """``run`` is started again when it fails, after a pause that grows."""
        assert self.controller.run is not None
        backoff = Backoff()
        while True:
            try:
                await self.controller.run(self.ctx)
            except Exception:
                log.exception("%s failed", self.controller.name)
                await asyncio.sleep(backoff.step())
            else:
                return

    def close(self) -> None:
        """Let nothing more onto the queues."""
        for queue in self.ctx.queues.values():
            queue.shut_down()


def _join(ctx: ControllerContext, watch: Watch) -> None:
    """Let changes of ``watch.gvr`` put keys on the queue."""
    queue = ctx.queues[watch.queue]
    informer = ctx.informers.of(watch.gvr)
    for name, values_of in watch.indexes.items():
        informer.add_index(name, values_of)

    def add_all(keys: Iterable[str]) -> None:
        for key in keys:
            queue.add(key)

    if watch.changed is None:
        _join_by_keys(informer.on, watch.keys, add_all)
        return
    changed = watch.changed
    informer.on(
        lambda obj: add_all(changed(ctx, None, obj)),
        lambda old, new: add_all(changed(ctx, old, new)),
        lambda obj: add_all(changed(ctx, obj, None)),
    )


def _join_by_keys(
    on: Callable[..., object], keys_of: KeysOf, add_all: Callable[[Iterable[str]], None]
) -> None:
    def add(obj: Object) -> None:
        add_all(keys_of(obj))

    def update(old: Object, new: Object) -> None:
        add_all(keys_of(old))
        add_all(keys_of(new))

    on(add, update, add)


async def _work(ctx: ControllerContext, queue: WorkQueue, reconcile: Reconcile) -> None:
    """Take one key after the other."""
    while True:
        try:
            key = await queue.get()
        except QueueClosedError:
            return
        try:
            await _reconcile_one(ctx, queue, reconcile, key)
        finally:
            queue.done(key)


async def _reconcile_one(
    ctx: ControllerContext, queue: WorkQueue, reconcile: Reconcile, key: str
) -> None:
    try:
        result = await reconcile(ctx, key)
    except Exception as error:  # noqa: BLE001 - whatever a page raises, the key is tried again
        _report(queue.name, key, error)
        queue.add_rate_limited(key)
        return
    queue.forget(key)
    if result is not None and result.requeue_after > 0:
        queue.add_after(key, result.requeue_after)


def _report(name: str, key: str, error: Exception) -> None:
    if errors.is_conflict(error) or errors.has_cause(error, "NamespaceTerminating"):
        # A newer version is on its way through the informers: everyday life.
        log.debug("%s: %s: %s", name, key, error)
    elif isinstance(error, (StatusError, OSError)):
        log.warning("%s: %s: %s", name, key, error)
    else:
        log.error("%s: %s failed", name, key, exc_info=error)


class ControllerManager:
    """All controllers that the configuration asks for.

    Attributes:
        informers: shared by all of them.
        running: the controllers by name, once ``run`` has been called.
    """

    def __init__(
        self,
        client: Client,
        client_for: Callable[[str], Client],
        config: ControllerManagerConfig,
        controllers: Sequence[Controller],
        *,
        host: str = "",
    ) -> None:
        """Prepare to run ``controllers``.

        Args:
            client: the manager's own, by which the informers list and watch.
            client_for: service account in kube-system -> a client that acts as it.
            config: settings; says which of ``controllers`` run.
            controllers: the pages, usually ``catalog.CONTROLLERS``.
            host: named in events.
        """
        self.informers = Informers(client)
        self.running: dict[str, Running] = {}
        self._client = client
        self._client_for = client_for
        self._config = config
        self._controllers = controllers
        self._host = host
        self._prepared = asyncio.Event()

    def _make(self, controller: Controller) -> Running:
        # A controller without an identity of its own acts as the manager.
        client = self._client_for(controller.identity) if controller.identity else self._client
        names = (MAIN, *(queue.name for queue in controller.queues))
        queues = {name: WorkQueue(_queue_name(controller, name)) for name in names}
        source = controller.event_source or controller.name
        recorder = Recorder(client, source, self._host)
        ctx = ControllerContext(client, self.informers, recorder, self._config, queues)
        return Running(controller, ctx)

    async def run(self) -> None:
        """Run until cancelled. What one controller does wrong does not touch the others."""
        for controller in self._controllers:
            if is_enabled(controller, self._config):
                self.running[controller.name] = self._make(controller)
        for running in self.running.values():
            running.prepare()
        self._prepared.set()
        recorders = [running.ctx.recorder.run() for running in self.running.values()]
        async with background(self.informers.run(), *recorders):
            try:
                await _all(running.run() for running in self.running.values())
            finally:
                for running in self.running.values():
                    running.close()

    async def wait_started(self) -> None:
        """Return once all controllers work; ``run`` has to be under way."""
        await self._prepared.wait()
        for running in self.running.values():
            await running.started.wait()

    @property
    def is_idle(self) -> bool:
        """Nothing is queued or worked on; keys that come back later do not count."""
        return all(queue.is_idle for queue in self.queues())

    def queues(self) -> list[WorkQueue]:
        """Of all controllers that run."""
        return [queue for each in self.running.values() for queue in each.ctx.queues.values()]


def _queue_name(controller: Controller, queue: str) -> str:
    return f"{controller.name}/{queue}" if queue else controller.name


async def _all(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all at once, and on beyond the end of those that end."""
    async with asyncio.TaskGroup() as group:
        for coroutine in coroutines:
            group.create_task(coroutine)
        group.create_task(_forever())


async def _forever() -> None:
    await asyncio.Event().wait()
