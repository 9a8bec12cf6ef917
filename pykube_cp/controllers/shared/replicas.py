"""ReplicaSets and ReplicationControllers: so many pods of one template, no more and no fewer.

Both are the same but for the form of their selector, so one implementation serves both pages.
"""

# upstream: pkg/controller/replicaset/replica_set.go, replica_set_utils.go

from collections.abc import Sequence
from dataclasses import dataclass

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.batches import gather_failures, slow_start
from pykube_cp.controllers.shared.conditions import (
    find_condition,
    new_condition,
    without_condition,
)
from pykube_cp.controllers.shared.controller_refs import ControllerRefManager
from pykube_cp.controllers.shared.deployment_replica_sets import replicas
from pykube_cp.controllers.shared.errors import is_namespace_terminating
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.controllers.shared.owned import ORPHAN_INDEX, Owners, owned_and_orphans
from pykube_cp.controllers.shared.pod_control import PodControl
from pykube_cp.controllers.shared.selection import OwnerSelector, selector_of
from pykube_cp.controllers.shared.templates import drop_zeros
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object

_BURST = 500
_STATUS_RETRIES = 1
_REPLICA_FAILURE = "ReplicaFailure"


@dataclass(frozen=True, slots=True)
class ReplicaController:
    """The controller for one of the two kinds.

    Attributes:
        counts_terminating: the status has ``terminatingReplicas``.
    """

    resource: GVR
    kind: GVK
    counts_terminating: bool

    def page(self, name: str, identity: str, alias: str) -> Controller:
        owners = Owners(self.resource, self.kind, expects=True)
        return Controller(
            name=name,
            identity=identity,
            event_source=identity,
            aliases=(alias,),
            watches=(
                Watch(self.resource, changed=_owner_changed),
                Watch(PODS, changed=owners.changed, indexes=ORPHAN_INDEX),
            ),
            setup=self._pod_control,
            reconcile=self.reconcile,
            workers=5,
        )

    def _pod_control(self, ctx: ControllerContext) -> PodControl:
        return PodControl(ctx.client, ctx.recorder, self.kind)

    async def reconcile(self, ctx: ControllerContext, key: str) -> Result | None:
        owner = ctx.lister(self.resource).get(key)
        if owner is None:
            ctx.expectations.forget(key)
            return None
        satisfied = ctx.expectations.satisfied(key)
        selector = selector_of(owner)
        pods = owned_and_orphans(ctx.lister(PODS), owner)
        active = await self._claim(ctx, owner, selector, filter(pod_state.is_active, pods))
        terminating = [
            pod
            for pod in pods
            if pod_state.is_terminating(pod)
            and objects.controller_of(pod) is not None
            and selector.matches(objects.labels(pod))
        ]
        failure: BaseException | None = None
        if satisfied and not objects.is_deleting(owner):
            failure = await self._manage(ctx, owner, active)
        now = clock.now()
        status = self._calculate_status(owner, active, terminating, failure, now)
        await self._write_status(ctx, owner, status)
        if failure is not None:
            raise failure
        min_ready = owner["spec"].get("minReadySeconds", 0)
        after = pod_state.requeue_for_availability(active, min_ready, status, now)
        return None if after is None else Result(requeue_after=max(after, 0.001))

    async def _claim(
        self,
        ctx: ControllerContext,
        owner: Object,
        selector: OwnerSelector,
        pods: "filter[Object]",
    ) -> list[Object]:
        manager = ControllerRefManager(
            ctx.client,
            owner,
            self.resource,
            self.kind,
            PODS,
            "Pod",
            lambda pod: selector.matches(objects.labels(pod)),
        )
        return await manager.claim(pods)

    # Pods

    async def _manage(
        self, ctx: ControllerContext, owner: Object, active: Sequence[Object]
    ) -> BaseException | None:
        """Create or delete pods; the first failure, if any."""
        excess = len(active) - replicas(owner)
        if excess < 0:
            return await self._create(ctx, owner, min(-excess, _BURST))
        if excess > 0:
            return await self._delete(ctx, owner, active, min(excess, _BURST))
        return None

    async def _create(
        self, ctx: ControllerContext, owner: Object, count: int
    ) -> BaseException | None:
        key, control = objects.key(owner), ctx.state
        template = owner["spec"]["template"]

        async def create(_index: int) -> None:
            try:
                await control.create(owner, template)
            except StatusError as error:
                # All other creations would fail as well; there is nothing left to do here.
                if not is_namespace_terminating(error):
                    raise

        ctx.expectations.expect_creations(key, count)
        created, failures = await slow_start(count, create)
        for _ in range(count - created):
            ctx.expectations.creation_observed(key)
        return failures[0] if failures else None

    async def _delete(
        self, ctx: ControllerContext, owner: Object, active: Sequence[Object], count: int
    ) -> BaseException | None:
        key = objects.key(owner)
        chosen = self._choose(ctx, owner, active, count)

        async def delete(pod: Object) -> None:
            try:
                await ctx.state.delete(owner, objects.name(pod))
            except StatusError as error:
                ctx.expectations.deletion_observed(key, objects.uid(pod))
                if error.reason != "NotFound":
                    raise

        ctx.expectations.expect_deletions(key, [objects.uid(pod) for pod in chosen])
        failures = await gather_failures(map(delete, chosen))
        return failures[0] if failures else None

    def _choose(
        self, ctx: ControllerContext, owner: Object, active: Sequence[Object], count: int
    ) -> Sequence[Object]:
        """Pods to delete: those in an early phase, then those that crowd a node."""
        if count >= len(active):
            return active
        related: dict[str, Object] = {}
        for sibling in self._siblings(ctx, owner):
            selector = selector_of(sibling).selector
            for pod in ctx.lister(PODS).select(selector, objects.namespace(sibling)):
                related[objects.uid(pod)] = pod
        return pod_state.ranked_deletion_order(active, related.values())[:count]

    def _siblings(self, ctx: ControllerContext, owner: Object) -> list[Object]:
        """Owners that have the same owner, as the ReplicaSets of a Deployment."""
        ref = objects.controller_of(owner)
        return ctx.lister(self.resource).controlled_by(ref["uid"]) if ref else []

    # Status

    def _calculate_status(
        self,
        owner: Object,
        active: Sequence[Object],
        terminating: Sequence[Object],
        failure: BaseException | None,
        now: float,
    ) -> Object:
        spec = owner["spec"]
        template_labels = objects.labels(spec["template"]).items()
        labeled = [pod for pod in active if objects.labels(pod).items() >= template_labels]
        ready = [pod for pod in active if pod_state.is_ready(pod)]
        min_ready = spec.get("minReadySeconds", 0)
        available = [pod for pod in ready if pod_state.is_available(pod, min_ready, now)]
        status: Object = {
            "replicas": len(active),
            "fullyLabeledReplicas": len(labeled),
            "readyReplicas": len(ready),
            "availableReplicas": len(available),
            "observedGeneration": owner["metadata"].get("generation", 0),
            "conditions": _failure_conditions(owner, len(active), failure),
        }
        if self.counts_terminating:
            status["terminatingReplicas"] = len(terminating)
        return drop_zeros(status, keep=("replicas", "terminatingReplicas"))

    async def _write_status(self, ctx: ControllerContext, owner: Object, status: Object) -> None:
        """Write if changed; a conflict is tried once more on the fresh object."""
        # upstream: replica_set_utils.go updateReplicaSetStatus
        current = owner
        for attempt in range(_STATUS_RETRIES + 1):
            if drop_zeros(current.get("status") or {}, keep=tuple(status)) == status:
                return
            try:
                written = {**current, "status": status}
                await ctx.client.update(
                    self.resource, objects.deep_copy(written), subresource="status"
                )
            except StatusError:
                if attempt == _STATUS_RETRIES:
                    raise
                name, namespace = objects.name(owner), objects.namespace(owner)
                current = await ctx.client.get(self.resource, name, namespace)
            else:
                return


def _owner_changed(
    ctx: ControllerContext, old: Object | None, new: Object | None
) -> tuple[str, ...]:
    """Wake the owner; one that is gone, or replaced under its name, expects nothing more."""
    gone = old is not None and (new is None or objects.uid(new) != objects.uid(old))
    changed = new if new is not None else old
    if changed is None:
        return ()
    if gone:
        ctx.expectations.forget(objects.key(changed))
    return (objects.key(changed),)


def _failure_conditions(owner: Object, active: int, failure: BaseException | None) -> list[Object]:
    conditions: list[Object] = objects.nested(owner, "status", "conditions", default=[])
    if failure is None:
        return without_condition(conditions, _REPLICA_FAILURE)
    if find_condition(conditions, _REPLICA_FAILURE) is not None:
        return conditions
    reason = "FailedCreate" if active < replicas(owner) else "FailedDelete"
    return [*conditions, new_condition(_REPLICA_FAILURE, "True", reason, str(failure))]
