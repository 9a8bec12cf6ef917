"""Runs StatefulSets: pods with stable names and storage, one after the other."""

# upstream: pkg/controller/statefulset/stateful_set.go

from pykube_cp.client.interface import PatchType
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared import stateful_pods
from pykube_cp.controllers.shared.controller_refs import (
    ControllerRefManager,
    adoption_patch,
)
from pykube_cp.controllers.shared.kinds import (
    CONTROLLER_REVISIONS,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    STATEFUL_SET,
    STATEFUL_SETS,
)
from pykube_cp.controllers.shared.owned import ORPHAN_INDEX, Owners, owned_and_orphans
from pykube_cp.controllers.shared.selection import selector_of
from pykube_cp.controllers.shared.stateful_pod_control import StatefulPodControl
from pykube_cp.controllers.shared.stateful_sync import StatefulSync
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.objects import Object

_OWNERS = Owners(STATEFUL_SETS, STATEFUL_SET)


def _pod_control(ctx: ControllerContext) -> StatefulPodControl:
    claims = ctx.lister(PERSISTENT_VOLUME_CLAIMS)
    return StatefulPodControl(
        ctx.client, ctx.recorder, lambda namespace, name: claims.named(name, namespace)
    )


def _ref_manager(ctx: ControllerContext, stateful_set: Object) -> ControllerRefManager:
    selector = selector_of(stateful_set)

    def matches(pod: Object) -> bool:
        return selector.matches(objects.labels(pod)) and stateful_pods.is_member(stateful_set, pod)

    return ControllerRefManager(
        ctx.client, stateful_set, STATEFUL_SETS, STATEFUL_SET, PODS, "Pod", matches
    )


async def _adopt_revisions(
    ctx: ControllerContext, stateful_set: Object, manager: ControllerRefManager
) -> list[Object]:
    """The set's revisions, with those that had lost their owner."""
    # upstream: stateful_set.go adoptOrphanRevisions
    selector = selector_of(stateful_set)
    candidates = owned_and_orphans(ctx.lister(CONTROLLER_REVISIONS), stateful_set)
    revisions = [found for found in candidates if selector.matches(objects.labels(found))]
    for index, revision in enumerate(revisions):
        if objects.controller_of(revision) is None:
            await manager.ensure_owner_alive()
            revisions[index] = await ctx.client.patch(
                CONTROLLER_REVISIONS,
                objects.name(revision),
                adoption_patch(stateful_set, STATEFUL_SET, revision, ()),
                PatchType.STRATEGIC,
                objects.namespace(revision),
            )
    return revisions


async def _reconcile(ctx: ControllerContext, key: str) -> Result | None:
    stateful_set = ctx.lister(STATEFUL_SETS).get(key)
    if stateful_set is None:
        return None
    manager = _ref_manager(ctx, stateful_set)
    revisions = await _adopt_revisions(ctx, stateful_set, manager)
    pods = await manager.claim(owned_and_orphans(ctx.lister(PODS), stateful_set))
    now = clock.now()
    sync = StatefulSync(ctx.client, ctx.state, stateful_set, pods, now)
    status = await sync.run(revisions)
    min_ready = stateful_set["spec"].get("minReadySeconds", 0)
    after = pod_state.requeue_for_availability(pods, min_ready, status, now)
    return None if after is None else Result(requeue_after=max(after, 0.001))


CONTROLLER = Controller(
    name="statefulset-controller",
    identity="statefulset-controller",
    aliases=("statefulset",),
    watches=(
        Watch(STATEFUL_SETS),
        Watch(PODS, changed=_OWNERS.changed, indexes=ORPHAN_INDEX),
        Watch(
            CONTROLLER_REVISIONS,
            changed=lambda _ctx, _old, _new: (),
            indexes=ORPHAN_INDEX,
        ),
    ),
    reads=(PERSISTENT_VOLUME_CLAIMS,),
    setup=_pod_control,
    reconcile=_reconcile,
    workers=5,
)
