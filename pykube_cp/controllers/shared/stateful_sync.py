"""One reconciliation of a StatefulSet: its revisions, then its pods in order, then its status."""

# upstream: pkg/controller/statefulset/stateful_set_control.go

from collections.abc import Awaitable, Callable, Sequence

from pykube_cp.client.interface import Client
from pykube_cp.controllers.shared import history, stateful_pods
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.batches import slow_start
from pykube_cp.controllers.shared.deployment_replica_sets import replicas
from pykube_cp.controllers.shared.errors import raise_all
from pykube_cp.controllers.shared.kinds import STATEFUL_SET, STATEFUL_SETS
from pykube_cp.controllers.shared.stateful_pod_control import StatefulPodControl
from pykube_cp.controllers.shared.templates import drop_zeros
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

_CONFLICT_RETRIES = 5
_MAX_BATCH = 500
_KEEP_ZEROS = ("replicas", "availableReplicas", "collisionCount")
_COMPARED = (
    "replicas",
    "currentReplicas",
    "readyReplicas",
    "updatedReplicas",
    "currentRevision",
    "availableReplicas",
    "updateRevision",
)


class StatefulSync:
    """Works on the set as the informer knows it, and on pods that are its own."""

    def __init__(
        self,
        client: Client,
        control: StatefulPodControl,
        stateful_set: Object,
        pods: Sequence[Object],
        now: float,
    ) -> None:
        self.client = client
        self.control = control
        self.set = stateful_set
        self.pods = pods
        self.now = now
        self.min_ready: int = stateful_set["spec"].get("minReadySeconds", 0)
        self.current: Object = {}
        self.update: Object = {}
        self.replicas: list[Object] = []
        self.condemned: list[Object] = []
        self.status: Object = {}

    async def run(self, revisions: list[Object]) -> Object:
        """Reconcile; the status as written."""
        revisions.sort(key=history.by_revision)
        collisions = await self._find_revisions(revisions)
        failure: BaseException | None = None
        try:
            self._prepare_status(collisions)
            await self._manage()
        except Exception as error:  # noqa: BLE001 - status and history are kept whatever happens
            failure = error
        await self._write_status()
        await self._truncate_history(revisions)
        if failure is not None:
            raise failure
        return self.status

    # Revisions

    async def _find_revisions(self, revisions: list[Object]) -> int:
        """Find, renumber or create the update revision, and find the current one."""
        # upstream: getStatefulSetRevisions
        collisions = objects.nested(self.set, "status", "collisionCount", default=0)
        wanted = history.new_revision(self.set, STATEFUL_SET, history.next_number(revisions))
        equal = history.find_equal(revisions, wanted)
        if equal and history.equal_data(revisions[-1], equal[-1]):
            self.update = revisions[-1]
        elif equal:
            self.update = await history.renumber(self.client, equal[-1], history.number(wanted))
        else:
            self.update, collisions = await history.create_revision(
                self.client, self.set, wanted, collisions
            )
        current = objects.nested(self.set, "status", "currentRevision")
        named = (revision for revision in revisions if objects.name(revision) == current)
        self.current = next(named, self.update)
        return int(collisions)

    async def _truncate_history(self, revisions: Sequence[Object]) -> None:
        live = {stateful_pods.revision_of(pod) for pod in self.pods}
        live |= {objects.name(self.current), objects.name(self.update)}
        idle = [revision for revision in revisions if objects.name(revision) not in live]
        limit = self.set["spec"].get("revisionHistoryLimit", 10)
        if limit >= 0 and len(idle) > limit:
            for revision in idle[: len(idle) - limit]:
                await history.delete_revision(self.client, revision)

    # Status

    def _prepare_status(self, collisions: int) -> None:
        self.status = {
            "observedGeneration": self.set["metadata"].get("generation", 0),
            "currentRevision": objects.name(self.current),
            "updateRevision": objects.name(self.update),
            "collisionCount": collisions,
            "conditions": objects.nested(self.set, "status", "conditions", default=[]),
        }
        self._count(self.pods)

    def _count(self, pods: Sequence[Object]) -> None:
        # upstream: computeReplicaStatus
        created = [pod for pod in pods if stateful_pods.is_created(pod)]
        ready = [pod for pod in pods if stateful_pods.is_running_and_ready(pod)]
        alive = [stateful_pods.revision_of(pod) for pod in created if not objects.is_deleting(pod)]
        self.status.update(
            replicas=len(created),
            readyReplicas=len(ready),
            availableReplicas=sum(
                pod_state.is_available(pod, self.min_ready, self.now) for pod in ready
            ),
            currentReplicas=alive.count(objects.name(self.current)),
            updatedReplicas=alive.count(objects.name(self.update)),
        )

    async def _write_status(self) -> None:
        if not self.status:
            return
        wanted = replicas(self.set)
        counts = ("updatedReplicas", "readyReplicas", "replicas")
        if all(self.status[count] == wanted for count in counts):
            self.status["currentReplicas"] = self.status["updatedReplicas"]
            self.status["currentRevision"] = self.status["updateRevision"]
        before = self.set.get("status") or {}
        observed = before.get("observedGeneration", 0)
        if self.status["observedGeneration"] <= observed and all(
            (self.status[field] or None) == (before.get(field) or None) for field in _COMPARED
        ):
            return
        await self._store(drop_zeros(self.status, keep=_KEEP_ZEROS))

    async def _store(self, status: Object) -> None:
        current = self.set
        for attempt in range(_CONFLICT_RETRIES):
            written = objects.deep_copy({**current, "status": status})
            try:
                await self.client.update(STATEFUL_SETS, written, subresource="status")
            except StatusError as error:
                if not errors.is_conflict(error) or attempt == _CONFLICT_RETRIES - 1:
                    raise
                name, namespace = objects.name(self.set), objects.namespace(self.set)
                current = await self.client.get(STATEFUL_SETS, name, namespace)
            else:
                return

    # Pods

    async def _manage(self) -> None:
        # upstream: updateStatefulSet
        current_set = history.apply_revision(self.set, self.current)
        update_set = history.apply_revision(self.set, self.update)
        self._sort_pods(current_set, update_set)
        if objects.is_deleting(self.set):
            return
        in_order = not stateful_pods.allows_burst(self.set)
        unhealthy = self._first_unavailable()

        async def bring_up(pod: Object) -> bool:
            return await self._bring_up(update_set, pod, in_order=in_order)

        async def fix_claims(pod: Object) -> bool:
            if not self.control.claim_owners_match(update_set, pod):
                await self.control.update_claim_owners(update_set, pod)
            return False

        async def take_down(pod: Object) -> bool:
            return await self._take_down(pod, unhealthy, in_order=in_order)

        steps: tuple[tuple[list[Object], Callable[[Object], Awaitable[bool]]], ...] = (
            (self.replicas, bring_up),
            (self.condemned, fix_claims),
            (self.condemned, take_down),
        )
        for pods, step in steps:
            if await _for_all(pods, step, in_order=in_order):
                return
        self._count([*self.replicas, *self.condemned])
        if stateful_pods.update_strategy(self.set) == "RollingUpdate":
            await self._roll()

    def _sort_pods(self, current_set: Object, update_set: Object) -> None:
        """Pods by ordinal, new ones where they are missing; then those beyond the last ordinal."""
        start = stateful_pods.start_ordinal(self.set)
        existing: dict[int, Object] = {}
        for pod in self.pods:
            ordinal = stateful_pods.ordinal_of(pod)
            if stateful_pods.in_ordinal_range(pod, self.set):
                existing[ordinal] = pod
            elif ordinal >= 0:
                self.condemned.append(pod)
        self.condemned.sort(key=stateful_pods.ordinal_of, reverse=True)
        current, update = objects.name(self.current), objects.name(self.update)
        self.replicas = [
            existing.get(ordinal)
            or stateful_pods.new_versioned_pod(current_set, update_set, current, update, ordinal)
            for ordinal in range(start, start + replicas(self.set))
        ]

    def _first_unavailable(self) -> Object | None:
        lowest_first = [*self.replicas, *reversed(self.condemned)]
        return next(filter(self._is_unavailable, lowest_first), None)

    def _is_unavailable(self, pod: Object) -> bool:
        return stateful_pods.is_unavailable(pod, self.min_ready, self.now)

    async def _bring_up(self, update_set: Object, pod: Object, *, in_order: bool) -> bool:
        """Create or correct one pod; True if what follows has to wait for it."""
        # upstream: processReplica
        if pod_state.is_terminal(pod):
            if not objects.is_deleting(pod):
                await self.control.delete(self.set, pod)
            return True
        if not stateful_pods.is_created(pod):
            if self.control.is_claim_stale(self.set, pod):
                return True
            await self.control.create(self.set, pod)
            if in_order:
                return True
        if pod_state.phase(pod) == "Pending":
            await self.control.create_missing_claims(self.set, pod)
        if in_order and self._is_unavailable(pod):
            return True
        matches = (
            stateful_pods.identity_matches(self.set, pod)
            and stateful_pods.storage_matches(self.set, pod)
            and self.control.claim_owners_match(update_set, pod)
        )
        if not matches:
            await self.control.update(update_set, pod)
        return False

    async def _take_down(self, pod: Object, unhealthy: Object | None, *, in_order: bool) -> bool:
        """Delete one condemned pod; True if others have to wait."""
        # upstream: processCondemned
        if objects.is_deleting(pod):
            return in_order
        healthy = pod_state.is_available(pod, self.min_ready, self.now)
        if in_order and not healthy and pod is not unhealthy:
            return True
        await self.control.delete(self.set, pod)
        return True

    # Rolling updates

    async def _roll(self) -> None:
        """Delete pods of old revisions from the highest ordinal down, as many as may be missing."""
        # upstream: updateStatefulSetAfterInvariantEstablished
        unavailable = [pod for pod in self.replicas if self._is_unavailable(pod)]
        budget = stateful_pods.max_unavailable(self.set) - len(unavailable)
        parallel = stateful_pods.allows_burst(self.set)
        stuck = parallel and any(map(self._is_outdated, unavailable))
        if budget <= 0 and not stuck:
            return
        first = stateful_pods.partition(self.set)
        outdated = [pod for pod in reversed(self.replicas[first:]) if self._is_outdated(pod)]
        if not parallel:
            await self._delete_all(outdated[:budget])
            return
        # Outdated pods that do not work anyway cost nothing of the budget.
        broken = [pod for pod in outdated if self._is_unavailable(pod)]
        working = [pod for pod in outdated if not self._is_unavailable(pod)]
        await self._delete_all([*broken, *working[: max(0, budget)]])

    def _is_outdated(self, pod: Object) -> bool:
        old = stateful_pods.revision_of(pod) != objects.name(self.update)
        return old and not objects.is_deleting(pod)

    async def _delete_all(self, pods: Sequence[Object]) -> None:
        for pod in pods:
            await self.control.delete(self.set, pod)
            self.status["currentReplicas"] -= 1


async def _for_all(
    pods: Sequence[Object], step: Callable[[Object], Awaitable[bool]], *, in_order: bool
) -> bool:
    """Take a step with all pods; True if, in order, one of them has to be waited for."""
    # upstream: runForAll
    if in_order:
        for pod in pods:
            if await step(pod):
                return True
        return False
    _, failures = await slow_start(len(pods), lambda index: step(pods[index]), _MAX_BATCH)
    raise_all(failures)
    return False
