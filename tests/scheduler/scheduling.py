"""Nodes and pods in few words, and a scheduler on an in-memory API."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from pykube_cp.client.informer import Informers
from pykube_cp.config import SchedulerConfig, SchedulerProfile
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.kinds import PODS
from pykube_cp.scheduler.scheduler import Scheduler
from pykube_cp.testing.fake_client import FakeClient
from pykube_cp.testing.kinds import resource_of

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
ALLOCATABLE = {"cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "100Gi"}


class Events:
    """Takes the place of the recorder."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self.details: list[dict[str, Any]] = []

    def event(
        self,
        obj: Object,
        kind: str,
        reason: str,
        message: str,
        *,
        action: str = "",
        related: Object | None = None,
    ) -> None:
        self.seen.append((objects.name(obj), reason, message))
        self.details.append({"kind": kind, "action": action, "related": related})

    def of(self, name: str) -> list[tuple[str, str]]:
        return [(reason, message) for who, reason, message in self.seen if who == name]


def node(name: str, **more: Any) -> Object:
    """A node; labels include its host name, and its zone as ``zone``."""
    labels = {HOSTNAME: name, **more.pop("labels", {})}
    if "zone" in more:
        labels[ZONE] = more.pop("zone")
    allocatable = {**ALLOCATABLE, **more.pop("allocatable", {})}
    status = {"allocatable": allocatable, **more.pop("status", {})}
    if "images" in more:
        status["images"] = more.pop("images")
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": more,
        "status": status,
    }


def pod(name: str, **more: Any) -> Object:
    """A pod; what is not named here goes into its spec."""
    meta = {
        key: more.pop(key)
        for key in ("labels", "uid", "ownerReferences", "deletionTimestamp", "generation")
        if key in more
    }
    requests, ports = more.pop("requests", {}), more.pop("ports", [])
    namespace, status = more.pop("namespace", "default"), more.pop("status", {})
    container = {"name": "main", "image": more.pop("image", "busybox"), "ports": ports}
    container["resources"] = {"requests": requests} if requests else {}
    if "node" in more:
        more["nodeName"] = more.pop("node")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}", **meta},
        "spec": {"schedulerName": "default-scheduler", "containers": [container], **more},
        "status": status,
    }


def make_scheduler(
    client: FakeClient, informers: Informers, **profile: Any
) -> tuple[Scheduler, Events]:
    events = Events()
    config = SchedulerConfig(profiles=(SchedulerProfile(**profile),))
    scheduler = Scheduler(client, informers, events, config)
    scheduler.handle.random = random.Random(1)
    return scheduler, events


def knowing(seeds: Iterable[Object], **profile: Any) -> Scheduler:
    """A scheduler that does not run, but knows these objects."""
    client = FakeClient()
    informers = Informers(client)
    scheduler, _ = make_scheduler(client, informers, **profile)
    for seed in seeds:
        gvr, stored = resource_of(seed), client.seed(seed)
        informers.of(gvr).replace([*informers.of(gvr).lister.list(), stored])
    return scheduler


@asynccontextmanager
async def running(client: FakeClient, **profile: Any) -> AsyncIterator[tuple[Scheduler, Events]]:
    """A scheduler that runs, on virtual time."""
    informers = Informers(client)
    scheduler, events = make_scheduler(client, informers, **profile)
    tasks = [asyncio.create_task(informers.run()), asyncio.create_task(scheduler.run())]
    try:
        await settle()
        yield scheduler, events
    finally:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def settle(seconds: float = 0.1) -> None:
    """Let everything happen that is to happen within this time."""
    await asyncio.sleep(seconds)


def node_of(client: FakeClient, name: str, namespace: str = "default") -> str:
    found = client.find(PODS, name, namespace)
    assert found is not None
    return found["spec"].get("nodeName", "")


def condition_of(client: FakeClient, name: str, kind: str = "PodScheduled") -> Object:
    found = client.find(PODS, name, "default")
    conditions = objects.nested(found, "status", "conditions", default=[])
    return next((one for one in conditions if one["type"] == kind), {})
