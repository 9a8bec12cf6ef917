"""Which pods of a Job to create and which to delete."""

# upstream: pkg/controller/job/job_controller.go manageJob, indexed_job_utils.go

from collections.abc import Iterable, Sequence
from itertools import groupby, islice

from pykube_cp.controllers.shared import job_policies as policies
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.batches import gather_failures, slow_start
from pykube_cp.controllers.shared.errors import is_namespace_terminating
from pykube_cp.controllers.shared.job_backoff import finished_time, remaining_for_index
from pykube_cp.controllers.shared.job_indexes import (
    COMPLETION_INDEX,
    FAILURE_COUNT,
    IGNORED_FAILURE_COUNT,
    UNKNOWN_INDEX,
    Indexes,
    absolute_failure_count,
    completion_index,
    failure_count,
    ignored_failure_count,
    indexes_of,
)
from pykube_cp.controllers.shared.job_round import JobRound
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

_MAX_PER_SYNC = 500
_BATCH_PERIOD = 1.0
_INDEX_ENV = "JOB_COMPLETION_INDEX"
_MAX_GENERATE_NAME = 58


class JobPods:
    """Brings the number of active pods to what the Job wants."""

    def __init__(self, sync: JobRound) -> None:
        self._sync = sync
        self._job = sync.job
        self._spec: Object = sync.job["spec"]

    async def manage(self) -> tuple[int, BaseException | None]:
        """Create or delete pods; ``(active pods afterwards, first failure)``."""
        active = len(self._sync.active_pods)
        if policies.is_suspended(self._job):
            return await self._delete(self._for_removal(active))
        wanted = self._wanted(active)
        excess = self._for_removal(max(0, active - wanted))[:_MAX_PER_SYNC]
        if excess:
            return await self._delete(excess)
        replaced_later = policies.only_replaces_failed(self._job)
        missing = wanted - active - (self._sync.terminating if replaced_later else 0)
        if missing <= 0:
            return active, None
        return await self._create(min(missing, _MAX_PER_SYNC))

    def _wanted(self, active: int) -> int:
        parallelism: int = self._spec.get("parallelism", 1)
        completions: int | None = self._spec.get("completions")
        if completions is None:
            return active if self._sync.succeeded > 0 else parallelism
        return max(0, min(completions - self._sync.succeeded, parallelism))

    # Deleting

    def _for_removal(self, at_least: int) -> list[Object]:
        # upstream: activePodsForRemoval
        removed: list[Object] = []
        left: Sequence[Object] = self._sync.active_pods
        if policies.is_indexed(self._job):
            removed, left = self._superfluous(left)
        if len(removed) < at_least:
            removed += pod_state.deletion_order(left)[: at_least - len(removed)]
        return removed

    def _superfluous(self, pods: Sequence[Object]) -> tuple[list[Object], list[Object]]:
        """``(pods without a valid index or that share one, the others)``."""
        # upstream: appendDuplicatedIndexPodsForRemoval
        removed: list[Object] = []
        left: list[Object] = []
        for index, group in groupby(sorted(pods, key=completion_index), key=completion_index):
            members = pod_state.deletion_order(list(group))
            if index == UNKNOWN_INDEX or index >= self._spec["completions"]:
                removed += members
            else:
                removed += members[:-1]
                left.append(members[-1])
        return removed, left

    async def _delete(self, pods: Sequence[Object]) -> tuple[int, BaseException | None]:
        # upstream: deleteJobPods
        sync = self._sync
        sync.state.expectations.expect_deletions(sync.key, map(objects.uid, pods))
        failures = await gather_failures(map(self._delete_one, pods))
        removed = len(pods) - len(failures)
        sync.terminating += removed
        sync.ready -= sum(map(pod_state.is_ready, pods))
        return len(sync.active_pods) - removed, failures[0] if failures else None

    async def _delete_one(self, pod: Object) -> None:
        sync = self._sync
        try:
            await sync.remove_finalizer(pod)
            await sync.control.delete(self._job, objects.name(pod))
        except StatusError as error:
            sync.state.expectations.deletion_observed(sync.key, objects.uid(pod))
            if error.reason != "NotFound":
                raise

    # Creating

    async def _create(self, missing: int) -> tuple[int, BaseException | None]:
        sync = self._sync
        active = len(sync.active_pods)
        indexes: list[int] = []
        per_index = policies.has_backoff_limit_per_index(self._job)
        delay = 0.0 if per_index else sync.backoff.remaining()
        if delay <= 0 and policies.is_indexed(self._job):
            indexes = self._first_pending(missing)
            if per_index:
                indexes, delay = self._due(indexes)
            missing = len(indexes)
        if delay > 0:
            sync.check_again(max(delay, _BATCH_PERIOD))
            return active, None
        template = self._template()

        async def create(position: int) -> None:
            await self._create_one(template, indexes[position] if indexes else UNKNOWN_INDEX)

        sync.state.expectations.expect_creations(sync.key, missing)
        created, failures = await slow_start(missing, create)
        for _ in range(missing - created):
            sync.state.expectations.creation_observed(sync.key)
        return active + created, failures[0] if failures else None

    async def _create_one(self, template: Object, index: int) -> None:
        generate_name = ""
        if index != UNKNOWN_INDEX:
            template = self._indexed(template, index)
            generate_name = _generate_name(objects.name(self._job), index)
        try:
            await self._sync.control.create(self._job, template, generate_name)
        except StatusError as error:
            # Any other creation would fail as well, and nothing waits for these pods any more.
            if not is_namespace_terminating(error):
                raise

    def _template(self) -> Object:
        template: Object = objects.deep_copy(self._spec["template"])
        finalizers = template.setdefault("metadata", {}).setdefault("finalizers", [])
        if policies.TRACKING_FINALIZER not in finalizers:
            finalizers.append(policies.TRACKING_FINALIZER)
        if policies.is_indexed(self._job):
            spec = template["spec"]
            for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
                _add_index_variable(container)
        return template

    def _indexed(self, template: Object, index: int) -> Object:
        """A copy of the template for the pod of one index."""
        copy: Object = objects.deep_copy(template)
        meta = copy["metadata"]
        annotations: dict[str, str] = {**(meta.get("annotations") or {})}
        annotations[COMPLETION_INDEX] = str(index)
        meta["annotations"] = annotations
        meta["labels"] = {**(meta.get("labels") or {}), COMPLETION_INDEX: str(index)}
        copy["spec"]["hostname"] = f"{objects.name(self._job)}-{index}"
        if policies.has_backoff_limit_per_index(self._job):
            failures, ignored = self._failure_counts(self._sync.delayed.get(index))
            annotations[FAILURE_COUNT] = str(failures)
            if ignored:
                annotations[IGNORED_FAILURE_COUNT] = str(ignored)
        return copy

    def _failure_counts(self, replaced: Object | None) -> tuple[int, int]:
        """Failures of an index, counted and ignored, with that of the pod that is replaced."""
        if replaced is None:
            return 0, 0
        counts = policies.judge_failure(self._job, replaced).counts
        return failure_count(replaced) + counts, ignored_failure_count(replaced) + (not counts)

    def _first_pending(self, count: int) -> list[int]:
        # upstream: firstPendingIndexes
        sync = self._sync
        taken = sync.succeeded_indexes.union(indexes_of(sync.active_pods))
        if policies.only_replaces_failed(self._job):
            taken = taken.union(indexes_of(filter(pod_state.is_terminating, sync.pods)))
        taken = taken.union(sync.failed_indexes or Indexes())
        return list(islice(taken.missing(self._spec["completions"]), count))

    def _due(self, indexes: Iterable[int]) -> tuple[list[int], float]:
        """Indexes whose pod may be created now; else the seconds until the first may be."""
        # upstream: getPodCreationInfoForIndependentIndexes
        waits = {index: remaining_for_index(self._sync.delayed.get(index)) for index in indexes}
        due = [index for index, wait in waits.items() if wait <= 0]
        return due, 0.0 if due else min(waits.values(), default=0.0)

    def delayed_deletions(self) -> dict[int, Object]:
        """Index -> its last failed pod, kept until it is replaced since it holds the count."""
        # upstream: getPodsWithDelayedDeletionPerIndex
        sync = self._sync
        active = indexes_of(sync.active_pods)
        settled = sync.succeeded_indexes.union(active).union(sync.failed_indexes or Indexes())
        found: dict[int, Object] = {}
        for pod in sync.valid_pods(set(), succeeded=False):
            index = completion_index(pod)
            if index in settled:
                continue
            last = found.get(index)
            if last is None or _is_later(pod, last):
                found[index] = pod
        return found


def _is_later(pod: Object, last: Object) -> bool:
    return absolute_failure_count(last) <= absolute_failure_count(pod) and (
        finished_time(pod) >= finished_time(last)
    )


def _generate_name(job_name: str, index: int) -> str:
    suffix = f"-{index}-"
    return job_name[: _MAX_GENERATE_NAME - len(suffix)] + suffix


def _add_index_variable(container: Object) -> None:
    variables: list[Object] = container.get("env") or []
    if any(variable.get("name") == _INDEX_ENV for variable in variables):
        return
    path = f"metadata.labels['{COMPLETION_INDEX}']"
    source = {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}
    container["env"] = [*variables, {"name": _INDEX_ENV, "valueFrom": source}]
