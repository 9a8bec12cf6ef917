"""Deletes what its owners leave behind, and orphans what is to outlive them.

It watches every resource that can be watched and deleted, also those that appear later, and keeps
the graph of owners from what it sees. Of resources that no other controller watches it keeps
nothing but metadata.
"""

# upstream: pkg/controller/garbagecollector/garbagecollector.go

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from pykube_cp.client.informer import Registration, SharedInformer
from pykube_cp.controllers.interface import Controller, ControllerContext, Queue, Result, Watch
from pykube_cp.controllers.shared.discovery import (
    ApiResource,
    Discovery,
    DiscoveryError,
    discover,
)
from pykube_cp.controllers.shared.gc_collector import Collector
from pykube_cp.controllers.shared.gc_graph import Graph, Identity, Node
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

_ORPHAN = "orphan"
_IGNORED = {("", "events"), ("events.k8s.io", "events")}
_RESYNC_SECONDS = 30.0
_INITIAL_SYNC_SECONDS = 30.0
_UNOBSERVED_RETRY_SECONDS = 1.0
_CRDS = GVR("apiextensions.k8s.io", "v1", "customresourcedefinitions")
_API_SERVICES = GVR("apiregistration.k8s.io", "v1", "apiservices")


def only_metadata(obj: Object) -> Object:
    """A transform for informers whose objects nobody reads but the garbage collector."""
    meta = {k: v for k, v in objects.metadata(obj).items() if k not in _LARGE_METADATA}
    return {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind"), "metadata": meta}


_LARGE_METADATA = {"annotations", "labels", "managedFields"}


@dataclass(slots=True, eq=False)
class _Monitor:
    """One watched resource; ``task`` runs an informer of our own."""

    informer: SharedInformer
    registration: Registration
    task: asyncio.Task[None] | None = None

    def stop(self) -> None:
        self.registration.remove()
        if self.task is not None:
            self.task.cancel()


class GarbageCollector:
    """The state of the controller: graph, monitors, and what waits for the first sync."""

    def __init__(self, ctx: ControllerContext) -> None:
        self._ctx = ctx
        self._monitors: dict[GVR, _Monitor] = {}
        self._early: list[tuple[str, str]] = []
        self._ready = False
        self.api_changed = asyncio.Event()
        self.graph = Graph(self._attempt_to_delete, self._attempt_to_orphan, self._report)
        self.collector = Collector(ctx.client, self.graph, self._attempt_to_delete)

    # What the graph asks for

    def _attempt_to_delete(self, node: Node) -> None:
        self._enqueue("", node.identity.uid)

    def _attempt_to_orphan(self, node: Node) -> None:
        self._enqueue(_ORPHAN, node.identity.uid)

    def _enqueue(self, queue: str, uid: str) -> None:
        """Nothing is decided before the graph is complete: a missing dependent blocks nothing."""
        if self._ready:
            self._ctx.queues[queue].add(uid)
        else:
            self._early.append((queue, uid))

    def _report(self, node: Node, ref: Object) -> None:
        subject: Object = {
            "apiVersion": node.identity.api_version,
            "kind": node.identity.kind,
            "metadata": {
                "name": node.identity.name,
                "namespace": node.identity.namespace,
                "uid": node.identity.uid,
            },
        }
        owner = Identity.of_owner(ref, node.identity.namespace)
        message = f'ownerRef {owner} does not exist in namespace "{node.identity.namespace}"'
        self._ctx.recorder.event(subject, "Warning", "OwnerRefInvalidNamespace", message)

    # Watching

    async def run(self) -> None:
        """Keep the set of watched resources as the API serves them."""
        async with asyncio.TaskGroup() as group:
            try:
                while True:
                    self.api_changed.clear()
                    await self._sync(group)
                    await self._wait()
            finally:
                self._stop_all()

    async def _wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            # wait_for of Python 3.11 may lose a cancellation
            async with asyncio.timeout(_RESYNC_SECONDS):
                await self.api_changed.wait()

    async def _sync(self, group: asyncio.TaskGroup) -> None:
        try:
            discovery = await discover(self._ctx.client)
        except (DiscoveryError, StatusError) as error:
            log.warning("garbage collector: discovery failed: %s", error)
            return
        self.collector.discovery = discovery
        wanted = {
            resource.gvr: resource
            for resource in discovery.preferred()
            if resource.supports("delete", "list", "watch")
            and (resource.gvr.group, resource.gvr.resource) not in _IGNORED
        }
        self._drop_unserved(wanted, discovery)
        for gvr, resource in wanted.items():
            if gvr not in self._monitors:
                self._monitors[gvr] = self._start(group, resource)
        await self._become_ready()

    def _drop_unserved(self, wanted: dict[GVR, ApiResource], discovery: Discovery) -> None:
        """Stop watching what is gone, but not what just could not be discovered."""
        for gvr in self._monitors.keys() - wanted.keys():
            if gvr.api_version not in discovery.failures:
                self._monitors.pop(gvr).stop()

    def _start(self, group: asyncio.TaskGroup, resource: ApiResource) -> _Monitor:
        gvr, kind = resource.gvr, resource.kind
        api_version = gvr.api_version
        task: asyncio.Task[None] | None = None
        if gvr in self._ctx.informers:
            informer = self._ctx.informers.of(gvr)
        else:
            informer = SharedInformer(self._ctx.client, gvr, transform=only_metadata)
            task = group.create_task(informer.run(), name=f"metadata of {gvr.group_resource}")
        registration = informer.on(
            lambda obj: self.graph.observe(obj, None, api_version, kind),
            lambda old, new: self.graph.observe(new, old, api_version, kind),
            lambda obj: self.graph.forget(obj, api_version, kind),
        )
        return _Monitor(informer, registration, task)

    async def _become_ready(self) -> None:
        if self._ready:
            return
        waits = [monitor.informer.wait_synced() for monitor in self._monitors.values()]
        try:
            async with asyncio.timeout(_INITIAL_SYNC_SECONDS):
                await asyncio.gather(*waits)
        except TimeoutError:
            log.warning("garbage collector: not all resources could be listed, starting anyway")
        self._ready = True
        early, self._early = self._early, []
        for queue, uid in early:
            self._enqueue(queue, uid)

    def _stop_all(self) -> None:
        for monitor in self._monitors.values():
            monitor.stop()
        self._monitors.clear()


def _api_changed(ctx: ControllerContext, _old: Object | None, _new: Object | None) -> Iterable[str]:
    ctx.state.api_changed.set()
    return ()


async def _run(ctx: ControllerContext) -> None:
    await ctx.state.run()


async def _delete(ctx: ControllerContext, key: str) -> Result | None:
    node = ctx.state.graph.nodes.get(key)
    if node is None or await ctx.state.collector.attempt_to_delete(node):
        return None
    return Result(requeue_after=_UNOBSERVED_RETRY_SECONDS)


async def _orphan(ctx: ControllerContext, key: str) -> None:
    node = ctx.state.graph.nodes.get(key)
    if node is not None:
        await ctx.state.collector.orphan(node)


CONTROLLER = Controller(
    name="garbage-collector-controller",
    identity="generic-garbage-collector",
    aliases=("garbagecollector",),
    watches=(
        Watch(_CRDS, changed=_api_changed),
        Watch(_API_SERVICES, changed=_api_changed),
    ),
    setup=GarbageCollector,
    run=_run,
    reconcile=_delete,
    workers=20,
    queues=(Queue(_ORPHAN, _orphan, workers=20),),
)
