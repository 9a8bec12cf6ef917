"""One reconciliation of a Deployment: its new ReplicaSet, scaling, rolling out, cleaning up."""

# upstream: pkg/controller/deployment/sync.go, rolling.go, recreate.go, rollback.go

from collections.abc import Callable, Sequence

from pykube_cp.client.interface import Client
from pykube_cp.client.recorder import Recorder
from pykube_cp.controllers.shared import deployment_replica_sets as sets
from pykube_cp.controllers.shared import deployment_status as statuses
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.controller_refs import is_controlled_by, new_controller_ref
from pykube_cp.controllers.shared.errors import is_namespace_terminating
from pykube_cp.controllers.shared.kinds import DEPLOYMENT, DEPLOYMENTS, REPLICA_SETS
from pykube_cp.controllers.shared.templates import (
    POD_TEMPLATE_HASH,
    equal_ignoring_hash,
    template_hash,
)
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

_MAX_NAME = 253


class DeploymentSync:
    """Works on a copy of the Deployment; every write keeps the copy's resourceVersion current."""

    def __init__(
        self, client: Client, recorder: Recorder, deployment: Object, replica_sets: list[Object]
    ) -> None:
        self.client = client
        self.recorder = recorder
        self.deployment = deployment
        self.replica_sets = replica_sets
        self.new: Object | None = None
        self.old: list[Object] = []

    @property
    def all_sets(self) -> list[Object]:
        return [*self.old, *([self.new] if self.new else [])]

    @property
    def _size(self) -> int:
        return sets.replicas(self.deployment)

    # Status

    async def write_status(self) -> None:
        written = {
            **self.deployment,
            "status": statuses.written(self.deployment.get("status") or {}),
        }
        updated = await self.client.update(
            DEPLOYMENTS, objects.deep_copy(written), subresource="status"
        )
        self.deployment["metadata"]["resourceVersion"] = objects.resource_version(updated)

    async def _store_status(self, status: Object) -> bool:
        current = statuses.written(self.deployment.get("status") or {})
        if statuses.written(status) == current:
            return False
        self.deployment["status"] = status
        await self.write_status()
        return True

    async def sync_status(self) -> None:
        """Counters only, without judging progress."""
        await self._store_status(statuses.calculate(self.deployment, self.all_sets, self.new))

    async def sync_rollout_status(self) -> float | None:
        """Counters and progress; seconds until progress has to be checked again."""
        status = statuses.calculate(self.deployment, self.all_sets, self.new)
        statuses.judge_progress(self.deployment, status, self.new)
        failure = statuses.replica_failure(self.all_sets, self.new)
        if failure is not None:
            statuses.set_condition(status, failure)
        else:
            statuses.remove_condition(status, statuses.REPLICA_FAILURE)
        if await self._store_status(status):
            return None
        return statuses.progress_check_after(self.deployment, status)

    async def check_paused(self) -> None:
        """Mark pausing and resuming, so that time spent paused does not count as being stuck."""
        # upstream: sync.go checkPausedConditions
        if not sets.has_progress_deadline(self.deployment):
            return
        current = statuses.progressing(self.deployment)
        reason = current.get("reason") if current else ""
        paused = bool(self.deployment["spec"].get("paused"))
        if reason == statuses.TIMED_OUT or paused == (reason == statuses.PAUSED):
            return
        if paused:
            new_reason, message = statuses.PAUSED, "Deployment is paused"
        else:
            new_reason, message = "DeploymentResumed", "Deployment is resumed"
        self._set_progressing("Unknown", new_reason, message)
        await self.write_status()

    def _set_progressing(self, status: str, reason: str, message: str) -> None:
        condition = statuses.deployment_condition(statuses.PROGRESSING, status, reason, message)
        statuses.set_condition(self.deployment.setdefault("status", {}), condition)

    # The new ReplicaSet

    async def find_replica_sets(self, *, create: bool) -> None:
        """Find ``new`` and ``old``; create the new one if asked to and it does not exist."""
        # upstream: sync.go getAllReplicaSetsAndSyncRevision
        self.new = sets.find_new(self.deployment, self.replica_sets)
        self.old = sets.find_old(self.new, self.replica_sets)
        new_revision = sets.max_revision(self.old) + 1
        if self.new is not None:
            self.new = await self._update_existing(self.new, new_revision)
        elif create:
            self.new = await self._create(new_revision)

    async def _update_existing(self, existing: Object, new_revision: int) -> Object:
        new: Object = objects.deep_copy(existing)
        changed = sets.set_new_annotations(self.deployment, new, new_revision, exists=True)
        min_ready = self.deployment["spec"].get("minReadySeconds", 0)
        if changed or new["spec"].get("minReadySeconds", 0) != min_ready:
            new["spec"]["minReadySeconds"] = min_ready
            new = await self.client.update(REPLICA_SETS, new)
        needs_update = self._set_revision(objects.annotations(new).get(sets.REVISION, ""))
        if (
            sets.has_progress_deadline(self.deployment)
            and statuses.progressing(self.deployment) is None
        ):
            message = f'Found new replica set "{objects.name(new)}"'
            self._set_progressing("True", "FoundNewReplicaSet", message)
            needs_update = True
        if needs_update:
            await self.write_status()
        return new

    def _set_revision(self, text: str) -> bool:
        annotations = self.deployment["metadata"].setdefault("annotations", {})
        if annotations.get(sets.REVISION) == text:
            return False
        annotations[sets.REVISION] = text
        return True

    async def _create(self, new_revision: int) -> Object:
        new = self._new_replica_set()
        size = sets.new_replica_set_size(self.deployment, [*self.old, new], new)
        new["spec"]["replicas"] = size
        sets.set_new_annotations(self.deployment, new, new_revision, exists=False)
        existed = False
        try:
            created = await self.client.create(
                REPLICA_SETS, objects.deep_copy(new), objects.namespace(self.deployment)
            )
        except StatusError as error:
            if not errors.is_already_exists(error):
                await self._report_failed_create(new, error)
                raise
            created = await self._adopt_or_bump(new, error)
            existed = True
        if not existed and size > 0:
            message = f"Scaled up replica set {objects.name(created)} from 0 to {size}"
            self.recorder.event(self.deployment, "Normal", "ScalingReplicaSet", message)
        await self._note_created(created, new_revision, existed=existed)
        return created

    def _new_replica_set(self) -> Object:
        meta, spec = self.deployment["metadata"], self.deployment["spec"]
        template: Object = objects.deep_copy(spec["template"])
        collisions = objects.nested(self.deployment, "status", "collisionCount")
        unique = template_hash(template, collisions)
        labels = {**objects.labels(template), POD_TEMPLATE_HASH: unique}
        template.setdefault("metadata", {})["labels"] = labels
        selector = objects.deep_copy(spec["selector"])
        selector["matchLabels"] = {
            **(selector.get("matchLabels") or {}),
            POD_TEMPLATE_HASH: unique,
        }
        new: Object = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": f"{meta['name'][: _MAX_NAME - 1 - len(unique)]}-{unique}",
                "namespace": meta["namespace"],
                "ownerReferences": [new_controller_ref(self.deployment, DEPLOYMENT)],
                "labels": dict(labels),
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
        }
        if spec.get("minReadySeconds"):
            new["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        return new

    async def _adopt_or_bump(self, new: Object, error: StatusError) -> Object:
        """The ReplicaSet that has our name: ours after all, or a collision of the hash."""
        found = await self.client.get(REPLICA_SETS, objects.name(new), objects.namespace(new))
        ours = is_controlled_by(found, self.deployment)
        template = self.deployment["spec"]["template"]
        if ours and equal_ignoring_hash(template, found["spec"]["template"]):
            return found
        status = self.deployment.setdefault("status", {})
        status["collisionCount"] = (status.get("collisionCount") or 0) + 1
        await self.write_status()
        raise error

    async def _report_failed_create(self, new: Object, error: StatusError) -> None:
        if is_namespace_terminating(error):
            return
        message = f'Failed to create new replica set "{objects.name(new)}": {error}'
        self.recorder.event(self.deployment, "Warning", "ReplicaSetCreateError", message)
        if sets.has_progress_deadline(self.deployment):
            self._set_progressing("False", "ReplicaSetCreateError", message)
            await self.write_status()

    async def _note_created(self, created: Object, new_revision: int, *, existed: bool) -> None:
        needs_update = self._set_revision(str(new_revision))
        if not existed and sets.has_progress_deadline(self.deployment):
            message = f'Created new replica set "{objects.name(created)}"'
            self._set_progressing("True", "NewReplicaSetCreated", message)
            needs_update = True
        if needs_update:
            await self.write_status()

    # Scaling

    async def scale_to(
        self, replica_set: Object, size: int, *, force: bool = False
    ) -> tuple[bool, Object]:
        """Give a ReplicaSet a size and note the Deployment's; whether the size changed."""
        # upstream: sync.go scaleReplicaSet
        old_size = sets.replicas(replica_set)
        if not force and old_size == size:
            return False, replica_set
        updated = objects.deep_copy(replica_set)
        annotated = sets.set_replicas_annotations(updated, self.deployment)
        if old_size == size and not annotated:
            return False, replica_set
        updated["spec"]["replicas"] = size
        updated = await self.client.update(REPLICA_SETS, updated)
        if old_size == size:
            return False, updated
        direction = "up" if old_size < size else "down"
        self.recorder.event(
            self.deployment,
            "Normal",
            "ScalingReplicaSet",
            f"Scaled {direction} replica set {objects.name(updated)} from {old_size} to {size}",
        )
        return True, updated

    async def is_scaling_event(self) -> bool:
        """Whether the Deployment's size changed since its ReplicaSets were last scaled."""
        await self.find_replica_sets(create=False)
        return any(
            sets.annotated_count(replica_set, sets.DESIRED_REPLICAS) not in {None, self._size}
            for replica_set in sets.active(self.all_sets)
        )

    async def scale(self) -> None:
        """Resize without hastening a rollout: several active ReplicaSets share in proportion."""
        # upstream: sync.go scale
        single = sets.active_or_latest(self.new, self.old)
        if single is not None:
            await self.scale_to(single, self._size)
        elif sets.is_saturated(self.deployment, self.new):
            for old in sets.active(self.old):
                await self.scale_to(old, 0)
        elif sets.is_rolling_update(self.deployment):
            await self._scale_in_proportion(sets.active(self.all_sets))

    async def _scale_in_proportion(self, active: list[Object]) -> None:
        allowed = self._size + sets.max_surge(self.deployment) if self._size > 0 else 0
        to_add = allowed - sets.total_replicas(active)
        active.sort(key=pod_state.by_age, reverse=to_add > 0)
        active.sort(key=sets.replicas, reverse=True)
        sizes: list[int] = []
        added = 0
        for replica_set in active:
            share = sets.proportion(replica_set, self.deployment, to_add, added)
            sizes.append(sets.replicas(replica_set) + share)
            added += share
        if sizes and to_add != 0:
            sizes[0] = max(0, sizes[0] + to_add - added)
        for replica_set, size in zip(active, sizes, strict=True):
            await self.scale_to(replica_set, size, force=True)

    # Cleaning up and rolling back

    async def clean_up(self) -> None:
        """Delete the oldest empty ReplicaSets beyond the history limit."""
        # upstream: sync.go cleanupDeployment
        if not sets.has_revision_history_limit(self.deployment):
            return
        alive = [replica_set for replica_set in self.old if not objects.is_deleting(replica_set)]
        excess = len(alive) - self.deployment["spec"]["revisionHistoryLimit"]
        for replica_set in sorted(alive, key=sets.by_revision)[: max(0, excess)]:
            if _is_idle(replica_set):
                await self._delete(replica_set)

    async def _delete(self, replica_set: Object) -> None:
        name, namespace = objects.name(replica_set), objects.namespace(replica_set)
        try:
            await self.client.delete(REPLICA_SETS, name, namespace)
        except StatusError as error:
            if not errors.is_not_found(error):
                raise

    async def roll_back(self, revision: int) -> None:
        """Take the template of an older ReplicaSet, or say why not; then clear the request."""
        # upstream: rollback.go rollback
        await self.find_replica_sets(create=True)
        wanted = revision or sets.last_revision(self.all_sets)
        found = next((rs for rs in self.all_sets if wanted and sets.revision(rs) == wanted), None)
        name = objects.name(self.deployment)
        if found is None:
            message = "Unable to find the revision to rollback to."
            if not wanted:
                message = "Unable to find last revision."
            self._warn("DeploymentRollbackRevisionNotFound", message)
            await self._clear_rollback()
        elif equal_ignoring_hash(self.deployment["spec"]["template"], found["spec"]["template"]):
            self._warn(
                "DeploymentRollbackTemplateUnchanged",
                f'The rollback revision contains the same template as current deployment "{name}"',
            )
            await self._clear_rollback()
        else:
            self._take_template(found)
            await self._clear_rollback()
            message = f'Rolled back deployment "{name}" to revision {wanted}'
            self.recorder.event(self.deployment, "Normal", "DeploymentRollback", message)

    def _take_template(self, replica_set: Object) -> None:
        template: Object = objects.deep_copy(replica_set["spec"]["template"])
        template["metadata"]["labels"].pop(POD_TEMPLATE_HASH, None)
        self.deployment["spec"]["template"] = template
        sets.restore_annotations(self.deployment, replica_set)

    def _warn(self, reason: str, message: str) -> None:
        self.recorder.event(self.deployment, "Warning", reason, message)

    async def _clear_rollback(self) -> None:
        self.deployment["metadata"].get("annotations", {}).pop(sets.ROLLBACK_TO, None)
        await self.client.update(DEPLOYMENTS, objects.deep_copy(self.deployment))

    # Rolling out

    async def roll_out(self, old_pods_running: Callable[[Object | None], bool]) -> float | None:
        """One step of the rollout; seconds until progress has to be checked again."""
        kind = objects.nested(self.deployment, "spec", "strategy", "type", default="")
        if kind == "Recreate":
            moved = await self._recreate(old_pods_running)
        elif kind == "RollingUpdate":
            await self.find_replica_sets(create=True)
            moved = await self._grow_new() or await self._shrink_old()
        else:
            raise ValueError(f"unexpected deployment strategy type: {kind}")
        if not moved and statuses.is_complete(self.deployment, self.deployment.get("status") or {}):
            await self.clean_up()
        return await self.sync_rollout_status()

    async def _recreate(self, old_pods_running: Callable[[Object | None], bool]) -> bool:
        """True while the old pods are still on their way out."""
        await self.find_replica_sets(create=False)
        scaled = [(await self.scale_to(old, 0))[0] for old in sets.active(self.old)]
        if any(scaled):
            return True
        if sets.total_status(self.old, "replicas") > 0 or old_pods_running(self.new):
            return True
        if self.new is None:
            await self.find_replica_sets(create=True)
        if self.new is not None:
            _, self.new = await self.scale_to(self.new, self._size)
        return False

    async def _grow_new(self) -> bool:
        # upstream: rolling.go reconcileNewReplicaSet
        if self.new is None or sets.replicas(self.new) == self._size:
            return False
        size = self._size
        if sets.replicas(self.new) < self._size:
            size = sets.new_replica_set_size(self.deployment, self.all_sets, self.new)
        scaled, self.new = await self.scale_to(self.new, size)
        return scaled

    async def _shrink_old(self) -> bool:
        """Scale old ReplicaSets down as far as enough pods stay available."""
        # upstream: rolling.go reconcileOldReplicaSets
        old = sorted(sets.active(self.old), key=pod_state.by_age)
        if not old or self.new is None:
            return False
        min_available = self._size - sets.max_unavailable(self.deployment)
        unavailable = sets.replicas(self.new) - sets.status_count(self.new, "availableReplicas")
        room = sets.total_replicas(self.all_sets) - min_available - unavailable
        if room <= 0:
            return False
        old, cleaned = await self._drop_unhealthy(old, room)
        available = sets.total_status([*old, self.new], "availableReplicas")
        removed = await self._drop_healthy(old, available - min_available)
        return cleaned + removed > 0

    async def _drop_unhealthy(self, old: Sequence[Object], room: int) -> tuple[list[Object], int]:
        dropped = 0
        kept: list[Object] = []
        for replica_set in old:
            size = sets.replicas(replica_set)
            unhealthy = size - sets.status_count(replica_set, "availableReplicas")
            count = min(room - dropped, unhealthy)
            current = replica_set
            if count > 0:
                _, current = await self.scale_to(replica_set, size - count)
                dropped += count
            kept.append(current)
        return kept, dropped

    async def _drop_healthy(self, old: Sequence[Object], room: int) -> int:
        dropped = 0
        for replica_set in old:
            count = min(sets.replicas(replica_set), room - dropped)
            if count > 0:
                await self.scale_to(replica_set, sets.replicas(replica_set) - count)
                dropped += count
        return dropped


def _is_idle(replica_set: Object) -> bool:
    status = replica_set.get("status") or {}
    generation = objects.metadata(replica_set).get("generation", 0)
    return (
        not status.get("replicas")
        and sets.replicas(replica_set) == 0
        and generation <= status.get("observedGeneration", 0)
    )
