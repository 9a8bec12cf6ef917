"""Works out how much of each ResourceQuota is used.

Admission counts what is created; this counts again what is there, above all after deletions.
"""

# upstream: pkg/controller/resourcequota/resource_quota_controller.go, resource_quota_monitor.go

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from pykube_cp.client.informer import Registration, SharedInformer
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.discovery import DiscoveryError, discover
from pykube_cp.controllers.shared.kinds import RESOURCE_QUOTAS
from pykube_cp.machinery import clock, objects, pod_resources, quota
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.quota_evaluators import ObjectCountEvaluator

log = logging.getLogger(__name__)

_RESYNC_SECONDS = 30.0
_UNSYNCED_RETRY_SECONDS = 0.25
_VERBS = ("create", "list", "watch", "delete")


@dataclass(slots=True, eq=False)
class _Monitor:
    """One resource that quotas may count; ``task`` runs an informer of our own."""

    informer: SharedInformer
    evaluator: ObjectCountEvaluator
    registration: Registration
    task: asyncio.Task[None] | None

    def stop(self) -> None:
        self.registration.remove()
        if self.task is not None:
            self.task.cancel()


def _only_metadata(obj: Object) -> Object:
    """A transform for resources that are counted but not looked into."""
    meta = {key: objects.metadata(obj).get(key) for key in ("name", "namespace", "uid")}
    meta["resourceVersion"] = objects.resource_version(obj)
    return {"metadata": meta}


class QuotaMonitors:
    """Watches what quotas count: nothing while there are no quotas."""

    def __init__(self, ctx: ControllerContext) -> None:
        self._ctx = ctx
        self._monitors: dict[GVR, _Monitor] = {}
        self._countable: dict[GVR, ObjectCountEvaluator] = {}
        self._failed_versions: set[str] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Follow what the API serves and quotas ask for; count all again from time to time."""
        recount_after = self._ctx.config.resource_quota_sync_period
        async with asyncio.TaskGroup() as group:
            try:
                counted = clock.monotonic()
                while True:
                    self._wake.clear()
                    await self._discover()
                    await self._sync(group)
                    if clock.monotonic() - counted >= recount_after:
                        counted = clock.monotonic()
                        self._enqueue(self._ctx.lister(RESOURCE_QUOTAS))
                    with contextlib.suppress(TimeoutError):
                        # wait_for of Python 3.11 may lose a cancellation
                        async with asyncio.timeout(_RESYNC_SECONDS):
                            await self._wake.wait()
            finally:
                for monitor in self._monitors.values():
                    monitor.stop()
                self._monitors.clear()

    async def _discover(self) -> None:
        try:
            discovery = await discover(self._ctx.client)
        except (DiscoveryError, StatusError) as error:
            log.warning("resource quota: discovery failed: %s", error)
            return
        self._failed_versions = set(discovery.failures)
        self._countable = {
            resource.gvr: quota.evaluator_for(resource.gvr.group, resource.gvr.resource)
            for resource in discovery.preferred()
            if resource.namespaced
            and resource.supports(*_VERBS)
            and (resource.gvr.group, resource.gvr.resource) not in quota.IGNORED
        }

    def _wanted(self) -> set[GVR]:
        """Resources that some quota counts."""
        names: set[str] = set()
        for found in self._ctx.lister(RESOURCE_QUOTAS):
            names |= objects.nested(found, "spec", "hard", default={}).keys()
        return self._counted_by(names)

    def _counted_by(self, names: Iterable[str]) -> set[GVR]:
        known = list(names)
        return {gvr for gvr, found in self._countable.items() if found.matching_resources(known)}

    async def _sync(self, group: asyncio.TaskGroup) -> None:
        wanted = self._wanted()
        for gvr in self._monitors.keys() - wanted:
            if gvr.api_version not in self._failed_versions:
                self._monitors.pop(gvr).stop()
        new = wanted - self._monitors.keys()
        for gvr in new:
            self._monitors[gvr] = self._start(group, gvr)
        waits = [self._monitors[gvr].informer.wait_synced() for gvr in new]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RESYNC_SECONDS):
                await asyncio.gather(*waits)
        for gvr in new:
            self._replenish(self._monitors[gvr].evaluator, "")

    def _start(self, group: asyncio.TaskGroup, gvr: GVR) -> _Monitor:
        evaluator = self._countable[gvr]
        task: asyncio.Task[None] | None = None
        looked_into = type(evaluator) is not ObjectCountEvaluator
        if looked_into or gvr in self._ctx.informers:
            informer = self._ctx.informers.of(gvr)
        else:
            informer = SharedInformer(self._ctx.client, gvr, transform=_only_metadata)
            task = group.create_task(informer.run(), name=f"count of {gvr.group_resource}")

        def updated(old: Object, new: Object) -> None:
            if evaluator.is_replenished_by(old, new):
                self._replenish(evaluator, objects.namespace(new))

        def deleted(obj: Object) -> None:
            self._replenish(evaluator, objects.namespace(obj))

        registration = informer.on(update=updated, delete=deleted)
        return _Monitor(informer, evaluator, registration, task)

    def _replenish(self, evaluator: ObjectCountEvaluator, namespace: str) -> None:
        """Something went away: count again what it may have counted against."""
        self._enqueue(
            found
            for found in self._ctx.lister(RESOURCE_QUOTAS).list(namespace)
            if evaluator.matching_resources(objects.nested(found, "spec", "hard", default={}))
        )

    def _enqueue(self, quotas: Iterable[Object]) -> None:
        for found in quotas:
            self._ctx.queue.add(objects.key(found))

    # What the reconciliation reads

    def covers(self, found: Object) -> bool:
        """Whether everything that a quota counts is known; if not even watched, it soon will be."""
        if not self._countable:
            return False
        wanted = self._counted_by(objects.nested(found, "spec", "hard", default={}))
        if not wanted <= self._monitors.keys():
            self._wake.set()
            return False
        return all(gvr in self._monitors and self._monitors[gvr].informer.synced for gvr in wanted)

    def evaluators(self) -> list[ObjectCountEvaluator]:
        return [monitor.evaluator for monitor in self._monitors.values()]

    def list_objects(self, group: str, resource: str, namespace: str) -> list[Object]:
        for gvr, monitor in self._monitors.items():
            if (gvr.group, gvr.resource) == (group, resource):
                return monitor.informer.lister.list(namespace)
        return []


def _changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    """Its own status updates do not make a quota dirty; new limits do, at once."""
    if new is None:
        return ()
    if old is None or old.get("spec") != new.get("spec"):
        never_counted = objects.nested(new, "status", "used") is None
        ctx.queue.add(objects.key(new), urgent=never_counted)
    return ()


async def _run(ctx: ControllerContext) -> None:
    await ctx.state.run()


async def _reconcile(ctx: ControllerContext, key: str) -> Result | None:
    monitors: QuotaMonitors = ctx.state
    found = ctx.lister(RESOURCE_QUOTAS).get(key)
    if found is None:
        return None
    if not monitors.covers(found):
        return Result(requeue_after=_UNSYNCED_RETRY_SECONDS)
    namespace = objects.namespace(found)
    used = quota.calculate_usage(
        found,
        monitors.evaluators(),
        lambda group, resource: monitors.list_objects(group, resource, namespace),
    )
    status = quota.status_of(found, used)
    if not _is_same(found.get("status") or {}, status):
        updated = objects.deep_copy({**found, "status": status})
        await ctx.client.update(RESOURCE_QUOTAS, updated, subresource="status")
    return None


def _is_same(before: Object, after: Object) -> bool:
    return all(
        before.get(field) is not None
        and quota.equal(
            pod_resources.parse_list(before[field]), pod_resources.parse_list(after[field])
        )
        for field in ("hard", "used")
    )


CONTROLLER = Controller(
    name="resourcequota-controller",
    identity="resourcequota-controller",
    aliases=("resourcequota",),
    watches=(Watch(RESOURCE_QUOTAS, changed=_changed),),
    setup=QuotaMonitors,
    run=_run,
    reconcile=_reconcile,
    workers=5,
)
