"""One reconciliation of a DaemonSet: its revisions, its pods on all nodes, its status."""

# upstream: pkg/controller/daemon/daemon_controller.go, update.go

from collections.abc import Sequence
from typing import NamedTuple

from pykube_cp.client.interface import PatchType
from pykube_cp.controllers.interface import ControllerContext
from pykube_cp.controllers.shared import daemon_pods, history
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.batches import gather_failures, slow_start
from pykube_cp.controllers.shared.daemon_rollout import DaemonRollout, Plan
from pykube_cp.controllers.shared.errors import is_namespace_terminating, raise_all
from pykube_cp.controllers.shared.kinds import (
    CONTROLLER_REVISIONS,
    DAEMON_SET,
    DAEMON_SETS,
    PODS,
)
from pykube_cp.controllers.shared.pod_control import PodControl
from pykube_cp.controllers.shared.templates import drop_zeros, template_hash
from pykube_cp.machinery import clock, errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

_BURST = 250
_STATUS_RETRIES = 1
_KEEP_ZEROS = (
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "collisionCount",
)
_BACKOFF_SECONDS = 1.0
_MAX_BACKOFF_SECONDS = 900.0


class _Backoff(NamedTuple):
    delay: float
    since: float


class FailedPodBackoff:
    """How long a node waits until a daemon that failed there is replaced."""

    # upstream: client-go util/flowcontrol/backoff.go Backoff

    def __init__(self) -> None:
        self._known: dict[str, _Backoff] = {}

    def remaining(self, key: str) -> float:
        """The current delay while it lasts, else 0."""
        found = self._known.get(key)
        if found is None or clock.now() - found.since >= found.delay:
            return 0
        return found.delay

    def count(self, key: str) -> None:
        """One more failure: the next delay is twice as long."""
        now = clock.now()
        found = self._known.get(key)
        expired = found is None or now - found.since > 2 * _MAX_BACKOFF_SECONDS
        delay = _BACKOFF_SECONDS if found is None or expired else found.delay * 2
        self._known[key] = _Backoff(min(delay, _MAX_BACKOFF_SECONDS), now)

    def forget_expired(self) -> None:
        limit = clock.now() - 2 * _MAX_BACKOFF_SECONDS
        self._known = {key: found for key, found in self._known.items() if found.since > limit}


class DaemonSync:
    """Works on the set as the informer knows it, and on pods that are its own."""

    def __init__(
        self,
        ctx: ControllerContext,
        control: PodControl,
        backoff: FailedPodBackoff,
        daemon_set: Object,
        nodes: Sequence[Object],
    ) -> None:
        self.ctx = ctx
        self.control = control
        self.backoff = backoff
        self.daemon_set = daemon_set
        self.key = objects.key(daemon_set)
        self.nodes = nodes
        self.requeue_after: float | None = None

    def _check_again(self, seconds: float) -> None:
        if self.requeue_after is None or seconds < self.requeue_after:
            self.requeue_after = seconds

    async def run(self, revisions: list[Object], pods: Sequence[Object]) -> float | None:
        """Reconcile; seconds until the set has to be looked at again."""
        satisfied = self.ctx.expectations.satisfied(self.key)
        current, old = await self._find_revisions(revisions, pods)
        rollout = DaemonRollout(
            self.daemon_set,
            objects.labels(current).get(daemon_pods.HASH_LABEL, ""),
            clock.now(),
        )
        on_node = daemon_pods.by_node(
            pod for pod in pods if not (pod_state.is_terminal(pod) and objects.is_deleting(pod))
        )
        failure: BaseException | None = None
        if satisfied:
            try:
                await self._manage(rollout, on_node, old, pods)
            except Exception as error:  # noqa: BLE001 - the status is written whatever happens
                failure = error
        await self._update_status(rollout, on_node, observed=satisfied)
        if failure is not None:
            raise failure
        return self.requeue_after

    # Revisions

    async def _find_revisions(
        self, revisions: list[Object], pods: Sequence[Object]
    ) -> tuple[Object, list[Object]]:
        """``(current revision, older ones)``; the current one is created if need be."""
        # upstream: update.go constructHistory
        wanted = {"data": history.template_patch(self.daemon_set)}
        current = history.find_equal(revisions, wanted)
        old = [revision for revision in revisions if revision not in current]
        number = max(map(history.number, old), default=0) + 1
        if not current:
            return await self._snapshot(number), old
        kept = max(current, key=history.number)
        if len(current) > 1:
            await self._drop_duplicates(kept, current, pods)
        if history.number(kept) < number:
            updated = {**objects.deep_copy(kept), "revision": number}
            kept = await self.ctx.client.update(CONTROLLER_REVISIONS, updated)
        return kept, old

    async def _snapshot(self, number: int) -> Object:
        # upstream: update.go snapshot
        namespace = objects.namespace(self.daemon_set)
        template = self.daemon_set["spec"]["template"]
        collisions = objects.nested(self.daemon_set, "status", "collisionCount")
        hash_text = template_hash(template, collisions)
        revision = history.new_revision(self.daemon_set, DAEMON_SET, number)
        revision["metadata"]["name"] = f"{objects.name(self.daemon_set)}-{hash_text}"
        revision["metadata"]["labels"][daemon_pods.HASH_LABEL] = hash_text
        try:
            return await self.ctx.client.create(
                CONTROLLER_REVISIONS, objects.deep_copy(revision), namespace
            )
        except StatusError as error:
            if not errors.is_already_exists(error):
                raise
            existing = await self.ctx.client.get(
                CONTROLLER_REVISIONS, objects.name(revision), namespace
            )
            if history.equal_data(existing, revision):
                return existing
            await self._note_collision(collisions)
            raise

    async def _note_collision(self, collisions: int | None) -> None:
        """Another template has the same hash: the next attempt takes another one."""
        name, namespace = objects.name(self.daemon_set), objects.namespace(self.daemon_set)
        live = objects.deep_copy(await self.ctx.client.get(DAEMON_SETS, name, namespace))
        status = live.setdefault("status", {})
        if status.get("collisionCount") == collisions:
            status["collisionCount"] = (collisions or 0) + 1
            await self.ctx.client.update(DAEMON_SETS, live, subresource="status")

    async def _drop_duplicates(
        self, kept: Object, current: Sequence[Object], pods: Sequence[Object]
    ) -> None:
        # upstream: update.go dedupCurHistories
        hash_text = objects.labels(kept).get(daemon_pods.HASH_LABEL, "")
        patch = {"metadata": {"labels": {daemon_pods.HASH_LABEL: hash_text}}}
        for pod in pods:
            if objects.labels(pod).get(daemon_pods.HASH_LABEL) != hash_text:
                name, namespace = objects.name(pod), objects.namespace(pod)
                await self.ctx.client.patch(PODS, name, patch, PatchType.MERGE, namespace)
        for revision in current:
            if revision is not kept:
                await history.delete_revision(self.ctx.client, revision)

    async def _clean_up(self, old: Sequence[Object], pods: Sequence[Object]) -> None:
        # upstream: update.go cleanupHistory
        limit = self.daemon_set["spec"].get("revisionHistoryLimit", 10)
        live = {objects.labels(pod).get(daemon_pods.HASH_LABEL) for pod in pods}
        idle = [
            revision
            for revision in sorted(old, key=history.number)
            if objects.labels(revision).get(daemon_pods.HASH_LABEL) not in live
        ]
        for revision in idle[: max(0, len(old) - limit)]:
            await history.delete_revision(self.ctx.client, revision)

    # Pods

    async def _manage(
        self,
        rollout: DaemonRollout,
        on_node: dict[str, list[Object]],
        old: Sequence[Object],
        pods: Sequence[Object],
    ) -> None:
        plan = self._plan(rollout, on_node)
        await self._carry_out(plan, rollout.hash_text)
        if self.ctx.expectations.satisfied(self.key):
            kind = objects.nested(self.daemon_set, "spec", "updateStrategy", "type")
            if kind == "RollingUpdate":
                await self._carry_out(rollout.roll(self.nodes, on_node), rollout.hash_text)
        await self._clean_up(old, pods)

    def _plan(self, rollout: DaemonRollout, on_node: dict[str, list[Object]]) -> Plan:
        plan = Plan()
        for node in self.nodes:
            self._plan_node(plan, node, on_node.get(objects.name(node)), rollout)
        known = set(map(objects.name, self.nodes))
        for node_name, pods in on_node.items():
            if node_name not in known:
                # Bound to a node that is gone: nobody will ever place it.
                plan.delete += [pod for pod in pods if not pod_state.node_name(pod)]
        return plan

    def _plan_node(
        self, plan: Plan, node: Object, pods: Sequence[Object] | None, rollout: DaemonRollout
    ) -> None:
        # upstream: daemon_controller.go podsShouldBeOnNode
        should_run, may_stay = daemon_pods.should_run(node, self.daemon_set)
        alive = [pod for pod in pods or () if not objects.is_deleting(pod)]
        if should_run and pods is None:
            plan.create_on.append(objects.name(node))
        elif may_stay:
            running = self._without_ended(plan, node, alive)
            surges = daemon_pods.max_surge(self.daemon_set, 1) > 0
            if surges and not running and should_run:
                plan.create_on.append(objects.name(node))
            plan.delete += rollout.superfluous(running)
        else:
            plan.delete += alive

    def _without_ended(self, plan: Plan, node: Object, pods: Sequence[Object]) -> list[Object]:
        """Daemons that run; those that ended are to be deleted, failed ones not at once."""
        running: list[Object] = []
        for pod in pods:
            phase = pod_state.phase(pod)
            where = f"{objects.key(pod)} on node {objects.name(node)}"
            if phase == "Failed":
                if self._is_backing_off(node):
                    continue
                message = f"Found failed daemon pod {where}, will try to kill it"
                self.ctx.recorder.event(self.daemon_set, "Warning", "FailedDaemonPod", message)
                plan.delete.append(pod)
            elif phase == "Succeeded":
                message = f"Found succeeded daemon pod {where}, will try to delete it"
                self.ctx.recorder.event(self.daemon_set, "Normal", "SucceededDaemonPod", message)
                plan.delete.append(pod)
            else:
                running.append(pod)
        return running

    def _is_backing_off(self, node: Object) -> bool:
        observed = objects.nested(self.daemon_set, "status", "observedGeneration", default=0)
        key = f"{objects.uid(self.daemon_set)}/{observed}/{objects.name(node)}"
        delay = self.backoff.remaining(key)
        if delay > 0:
            self._check_again(delay)
            return True
        self.backoff.count(key)
        return False

    async def _carry_out(self, plan: Plan, hash_text: str) -> None:
        # upstream: daemon_controller.go syncNodes
        create_on, delete = plan.create_on[:_BURST], plan.delete[:_BURST]
        if not create_on and not delete:
            return
        expectations = self.ctx.expectations
        expectations.expect_deletions(self.key, map(objects.uid, delete))
        expectations.raise_by(self.key, creations=len(create_on))
        template = daemon_pods.pod_template(self.daemon_set, hash_text)

        async def create(index: int) -> None:
            bound = daemon_pods.bound_to(template, create_on[index])
            try:
                await self.control.create(self.daemon_set, bound)
            except StatusError as error:
                # All other creations would fail as well; there is nothing left to do here.
                if not is_namespace_terminating(error):
                    raise

        async def remove(pod: Object) -> None:
            try:
                await self.control.delete(self.daemon_set, objects.name(pod))
            except StatusError as error:
                expectations.deletion_observed(self.key, objects.uid(pod))
                if not errors.is_not_found(error):
                    raise

        created, failures = await slow_start(len(create_on), create)
        expectations.lower_by(self.key, creations=len(create_on) - created)
        failures += await gather_failures(map(remove, delete))
        raise_all(failures)

    # Status

    async def _update_status(
        self, rollout: DaemonRollout, on_node: dict[str, list[Object]], *, observed: bool
    ) -> None:
        # upstream: daemon_controller.go updateDaemonSetStatus
        status = self._count(rollout, on_node)
        if status["numberReady"] != status["numberAvailable"] and rollout.min_ready > 0:
            self._check_again(rollout.min_ready)
        before = self.daemon_set.get("status") or {}
        generation = self.daemon_set["metadata"].get("generation", 0)
        unchanged = all(before.get(name, 0) == count for name, count in status.items())
        if unchanged and before.get("observedGeneration", 0) >= generation:
            return
        await self._write_status(status, generation if observed else None)

    def _count(self, rollout: DaemonRollout, on_node: dict[str, list[Object]]) -> dict[str, int]:
        desired = scheduled = misscheduled = ready = updated = available = 0
        for node in self.nodes:
            pods = on_node.get(objects.name(node), [])
            if not daemon_pods.should_run(node, self.daemon_set)[0]:
                misscheduled += bool(pods)
                continue
            desired += 1
            if pods:
                pod = min(pods, key=daemon_pods.by_placement)
                scheduled += 1
                ready += pod_state.is_ready(pod)
                available += rollout.is_available(pod)
                updated += rollout.is_updated(pod)
        return {
            "desiredNumberScheduled": desired,
            "currentNumberScheduled": scheduled,
            "numberMisscheduled": misscheduled,
            "numberReady": ready,
            "updatedNumberScheduled": updated,
            "numberAvailable": available,
            "numberUnavailable": desired - available,
        }

    async def _write_status(self, counts: dict[str, int], generation: int | None) -> None:
        name, namespace = objects.name(self.daemon_set), objects.namespace(self.daemon_set)
        current = self.daemon_set
        for attempt in range(_STATUS_RETRIES + 1):
            status = {**(current.get("status") or {}), **counts}
            if generation is not None:
                status["observedGeneration"] = generation
            written = {**current, "status": drop_zeros(status, keep=_KEEP_ZEROS)}
            try:
                await self.ctx.client.update(
                    DAEMON_SETS, objects.deep_copy(written), subresource="status"
                )
            except StatusError:
                if attempt == _STATUS_RETRIES:
                    raise
                current = await self.ctx.client.get(DAEMON_SETS, name, namespace)
            else:
                return
