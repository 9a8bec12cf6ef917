"""Objects and a pretended kubelet for tests of workload controllers."""

import asyncio
from typing import Any

from pykube_cp.client.interface import DeleteOptions
from pykube_cp.controllers.interface import Controller, ControllerContext, Watch
from pykube_cp.controllers.shared.daemon_pods import target_node
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError

NS = "ns"
LABELS = {"app": "web"}


def meta(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "namespace": NS, **more}


def template(image: str = "v1", **spec: Any) -> dict[str, Any]:
    container = {"name": "main", "image": image}
    return {"metadata": {"labels": dict(LABELS)}, "spec": {"containers": [container], **spec}}


def workload(kind: str, name: str = "web", version: str = "apps/v1", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": meta(name),
        "spec": {"selector": {"matchLabels": dict(LABELS)}, "template": template(), **spec},
    }


def deployment(replicas: int, **spec: Any) -> dict[str, Any]:
    rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
    defaults = {
        "strategy": {"type": "RollingUpdate", "rollingUpdate": rolling},
        "revisionHistoryLimit": 10,
        "progressDeadlineSeconds": 600,
    }
    return workload("Deployment", replicas=replicas, **{**defaults, **spec})


def pod(name: str, phase: str = "Running", **more: Any) -> dict[str, Any]:
    conditions = [
        {
            "type": "Ready",
            "status": "True" if phase == "Running" else "False",
            "lastTransitionTime": clock.timestamp(),
        }
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(name, labels=dict(LABELS), **more),
        "spec": template()["spec"],
        "status": {"phase": phase, "conditions": conditions},
    }


def ready_status() -> dict[str, Any]:
    condition = {"type": "Ready", "status": "True", "lastTransitionTime": clock.timestamp()}
    return {"phase": "Running", "conditions": [condition]}


def kubelet(*, ready_after: float = 0.0, broken_image: str = "broken") -> Controller:
    """Runs pods that have been created, and lets go of those that are being deleted."""

    async def reconcile(ctx: ControllerContext, key: str) -> None:
        found = ctx.lister(PODS).get(key)
        if found is None:
            return
        if objects.is_deleting(found):
            options = DeleteOptions(grace_period_seconds=0)
            await ctx.client.delete(PODS, objects.name(found), NS, options=options)
            return
        if found.get("status"):
            return
        try:
            node = target_node(found)
            if node and not found["spec"].get("nodeName"):
                binding = {"target": {"name": node}}
                name = objects.name(found)
                await ctx.client.create(PODS, binding, NS, name=name, subresource="binding")
                found = await ctx.client.get(PODS, name, NS)
            pending = objects.deep_copy(found) | {"status": {"phase": "Pending"}}
            pending = await ctx.client.update(PODS, pending, subresource="status")
            if found["spec"]["containers"][0]["image"] == broken_image:
                return
            await asyncio.sleep(ready_after)
            running = objects.deep_copy(pending) | {"status": ready_status()}
            await ctx.client.update(PODS, running, subresource="status")
        except StatusError:
            # Deleted meanwhile, or changed: then it comes again.
            return

    return Controller(
        name="kubelet", identity="kubelet", watches=(Watch(PODS),), reconcile=reconcile, workers=50
    )
