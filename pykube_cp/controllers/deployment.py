"""Rolls Deployments out: one ReplicaSet per template, from the old ones to the new one."""

# upstream: pkg/controller/deployment/deployment_controller.go

from collections.abc import Iterable

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import deployment_replica_sets as sets
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.controller_refs import ControllerRefManager
from pykube_cp.controllers.shared.deployment_sync import DeploymentSync
from pykube_cp.controllers.shared.errors import is_namespace_terminating
from pykube_cp.controllers.shared.kinds import (
    DEPLOYMENT,
    DEPLOYMENTS,
    PODS,
    REPLICA_SET,
    REPLICA_SETS,
)
from pykube_cp.controllers.shared.owned import Owners
from pykube_cp.controllers.shared.selection import is_empty_selector, selector_of
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

_OWNERS = Owners(DEPLOYMENTS, DEPLOYMENT)
_POD_OWNERS = Owners(REPLICA_SETS, REPLICA_SET)


def _pod_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    """A Recreate Deployment waits for its old pods to be gone."""
    if new is not None or old is None:
        return ()
    replica_set = _POD_OWNERS.resolve(ctx, old)
    deployment = _OWNERS.resolve(ctx, replica_set) if replica_set else None
    if deployment is None:
        return ()
    kind = objects.nested(deployment, "spec", "strategy", "type")
    return (objects.key(deployment),) if kind == "Recreate" else ()


async def _claim_replica_sets(ctx: ControllerContext, deployment: Object) -> list[Object]:
    selector = selector_of(deployment)
    manager = ControllerRefManager(
        ctx.client,
        deployment,
        DEPLOYMENTS,
        DEPLOYMENT,
        REPLICA_SETS,
        "ReplicaSet",
        lambda replica_set: selector.matches(objects.labels(replica_set)),
    )
    return await manager.claim(ctx.lister(REPLICA_SETS).list(objects.namespace(deployment)))


async def _refuse_to_select_all(ctx: ControllerContext, deployment: Object) -> None:
    message = "This deployment is selecting all pods. A non-empty selector is required."
    ctx.recorder.event(deployment, "Warning", "SelectingAll", message)
    generation = deployment["metadata"].get("generation", 0)
    if sets.status_count(deployment, "observedGeneration") < generation:
        deployment.setdefault("status", {})["observedGeneration"] = generation
        await ctx.client.update(DEPLOYMENTS, deployment, subresource="status")


async def _reconcile(ctx: ControllerContext, key: str) -> Result | None:
    found = ctx.lister(DEPLOYMENTS).get(key)
    if found is None:
        return None
    deployment: Object = objects.deep_copy(found)
    if is_empty_selector(deployment["spec"].get("selector")):
        await _refuse_to_select_all(ctx, deployment)
        return None
    replica_sets = await _claim_replica_sets(ctx, deployment)
    sync = DeploymentSync(ctx.client, ctx.recorder, deployment, replica_sets)
    try:
        after = await _sync(ctx, sync)
    except StatusError as error:
        # Whatever is missing can never be created, and the Deployment goes away as well.
        if is_namespace_terminating(error):
            return None
        raise
    return None if after is None else Result(requeue_after=after)


async def _sync(ctx: ControllerContext, sync: DeploymentSync) -> float | None:
    """Seconds until progress has to be checked, if nothing else happens."""
    # upstream: deployment_controller.go syncDeployment
    deployment = sync.deployment
    if objects.is_deleting(deployment):
        await sync.find_replica_sets(create=False)
        await sync.sync_status()
        return None
    await sync.check_paused()
    paused = bool(deployment["spec"].get("paused"))
    revision = sets.rollback_revision(deployment)
    if not paused and revision is not None:
        await sync.roll_back(revision)
        return None
    if paused or await sync.is_scaling_event():
        await sync.find_replica_sets(create=False)
        await sync.scale()
        if paused and revision is None:
            await sync.clean_up()
        await sync.sync_status()
        return None

    def old_pods_running(new: Object | None) -> bool:
        return any(
            not pod_state.is_terminal(pod)
            for old in sets.find_old(new, sync.replica_sets)
            for pod in ctx.lister(PODS).controlled_by(objects.uid(old))
        )

    return await sync.roll_out(old_pods_running)


CONTROLLER = Controller(
    name="deployment-controller",
    identity="deployment-controller",
    aliases=("deployment",),
    watches=(
        Watch(DEPLOYMENTS),
        Watch(REPLICA_SETS, changed=_OWNERS.changed),
        Watch(PODS, changed=_pod_changed),
    ),
    reconcile=_reconcile,
    workers=5,
)
