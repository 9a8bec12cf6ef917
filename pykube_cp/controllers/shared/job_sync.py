"""One reconciliation of a Job: judge its pods, create and delete some, count those that finished.

A finished pod is counted exactly once: its uid is first written to ``uncountedTerminatedPods``,
then the tracking finalizer is taken off the pod, then the uid becomes part of the counter.
"""

# upstream: pkg/controller/job/job_controller.go

from collections.abc import Sequence

from pykube_cp.controllers.shared import job_policies as policies
from pykube_cp.controllers.shared import job_status as statuses
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.batches import gather_failures
from pykube_cp.controllers.shared.errors import raise_all
from pykube_cp.controllers.shared.job_backoff import BackoffRecord
from pykube_cp.controllers.shared.job_indexes import Indexes, completion_index
from pykube_cp.controllers.shared.job_pods import JobPods
from pykube_cp.controllers.shared.job_round import JobRound
from pykube_cp.controllers.shared.kinds import JOBS
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

_MAX_UNCOUNTED = 500


class JobSync(JobRound):
    """The steps of one reconciliation, in ``run``."""

    async def run(self) -> float | None:
        """Reconcile; seconds until the Job has to be looked at again."""
        satisfied = self.state.expectations.satisfied(self.key)
        self._count()
        if not self.status.get("startTime") and not policies.is_suspended(self.job):
            self.status["startTime"] = clock.timestamp()
        self.finish = self._finish_already_decided() or self._finish_by_limits()
        if policies.is_indexed(self.job):
            self._judge_indexes()
        active = len(self.active_pods)
        suspension_changed = False
        failure: BaseException | None = None
        if self.finish is not None:
            active, failure = await self._delete_active(satisfied=satisfied)
        else:
            managed = satisfied and not objects.is_deleting(self.job)
            if managed:
                active, failure = await JobPods(self).manage()
            if self._is_complete(active):
                self.finish = statuses.new_job_condition(
                    statuses.SUCCESS_CRITERIA_MET,
                    "CompletionsReached",
                    "Reached expected number of succeeded pods",
                )
            elif managed:
                suspension_changed = self._note_suspension()
        flush = self._set_counters(active) or suspension_changed
        await self._track(flush=flush)
        if failure is not None:
            raise failure
        return self.requeue_after

    # Counting

    def _count(self) -> None:
        job = self.job
        succeeded = self.valid_pods(self.uncounted_succeeded, succeeded=True)
        failed = self.valid_pods(self.uncounted_failed, succeeded=False)
        self.succeeded = (
            self.status.get("succeeded", 0) + len(succeeded) + len(self.uncounted_succeeded)
        )
        counted = sum(policies.judge_failure(job, pod).counts for pod in failed)
        self.failed = self.status.get("failed", 0) + counted + len(self.uncounted_failed)
        record = self.state.backoffs.get(self.key, BackoffRecord())
        self.backoff = record.updated(succeeded, failed)

    def _set_counters(self, active: int) -> bool:
        wanted = {"active": active, "ready": self.ready, "terminating": self.terminating}
        before = {"active": self.status.get("active", 0)}
        before |= {name: self.status.get(name) for name in ("ready", "terminating")}
        self.status.update(wanted)
        return wanted != before

    # Whether it ends

    def _finish_already_decided(self) -> Object | None:
        """What an earlier reconciliation, or the failure policy, has decided."""
        conditions = statuses.conditions(self.job)
        for condition in conditions:
            decided = condition.get("type") == statuses.SUCCESS_CRITERIA_MET
            if decided and condition.get("status") == "True":
                return condition
        for condition in conditions:
            decided = condition.get("type") == statuses.FAILURE_TARGET
            if decided and condition.get("status") == "True":
                return statuses.new_job_condition(
                    statuses.FAILED, condition.get("reason", ""), condition.get("message", "")
                )
        if self.job["spec"].get("podFailurePolicy"):
            for pod in self.pods:
                if policies.is_pod_failed(pod, self.job):
                    message = policies.judge_failure(self.job, pod).message
                    if message:
                        return self._failure("PodFailurePolicy", message)
        return None

    def _failure(self, reason: str, message: str) -> Object:
        return statuses.new_job_condition(statuses.FAILURE_TARGET, reason, message)

    def _finish_by_limits(self) -> Object | None:
        spec = self.job["spec"]
        if self.failed > spec.get("backoffLimit", 6) or self._past_limit_on_failure():
            return self._failure(
                "BackoffLimitExceeded", "Job has reached the specified backoff limit"
            )
        deadline = spec.get("activeDeadlineSeconds")
        started = self.status.get("startTime")
        if deadline is None or not started or policies.is_suspended(self.job):
            return None
        left = clock.parse_time(started) + deadline - clock.now()
        if left <= 0:
            return self._failure(
                "DeadlineExceeded", "Job was active longer than specified deadline"
            )
        self.check_again(left)
        return None

    def _past_limit_on_failure(self) -> bool:
        """With restartPolicy OnFailure, restarts of containers count as failures."""
        # upstream: pastBackoffLimitOnFailure
        template = self.job["spec"]["template"]
        if objects.nested(template, "spec", "restartPolicy") != "OnFailure":
            return False
        restarts = 0
        for pod in self.pods:
            if pod_state.phase(pod) in {"Running", "Pending"}:
                status = pod["status"]
                for field_name in ("initContainerStatuses", "containerStatuses"):
                    found = status.get(field_name) or []
                    restarts += sum(container.get("restartCount", 0) for container in found)
        limit: int = self.job["spec"].get("backoffLimit", 6)
        return restarts > 0 if limit == 0 else restarts >= limit

    def _judge_indexes(self) -> None:
        job, spec = self.job, self.job["spec"]
        self.previous_indexes, self.succeeded_indexes = policies.calculate_indexes(job, self.pods)
        self.succeeded = len(self.succeeded_indexes)
        if policies.has_backoff_limit_per_index(job):
            self.failed_indexes = policies.calculate_failed_indexes(job, self.pods)
            if self.finish is None:
                self.finish = self._finish_by_failed_indexes(len(self.failed_indexes))
            self.delayed = JobPods(self).delayed_deletions()
        if self.finish is None and spec.get("successPolicy"):
            message = policies.match_success_policy(job, self.succeeded_indexes)
            if message:
                self.finish = statuses.new_job_condition(
                    statuses.SUCCESS_CRITERIA_MET, "SuccessPolicy", message
                )

    def _finish_by_failed_indexes(self, failed: int) -> Object | None:
        spec = self.job["spec"]
        limit = spec.get("maxFailedIndexes")
        if limit is not None and failed > limit:
            return self._failure(
                "MaxFailedIndexesExceeded",
                "Job has exceeded the specified maximal number of failed indexes",
            )
        if failed and failed + len(self.succeeded_indexes) >= spec["completions"]:
            return self._failure("FailedIndexes", "Job has failed indexes")
        return None

    def _is_complete(self, active: int) -> bool:
        completions = self.job["spec"].get("completions")
        if completions is None:
            return self.succeeded > 0 and active == 0
        return self.succeeded >= completions and active == 0

    async def _delete_active(self, *, satisfied: bool) -> tuple[int, BaseException | None]:
        """Delete all active pods of a Job that ends; it has to wait while some cannot be."""
        failures = await gather_failures(map(self._delete_pod, self.active_pods))
        deleted = len(self.active_pods) - len(failures)
        if failures or not satisfied:
            self.finish = None
        self.terminating += deleted
        self.ready -= sum(map(pod_state.is_ready, self.active_pods))
        return len(failures), failures[0] if failures else None

    async def _delete_pod(self, pod: Object) -> None:
        try:
            await self.control.delete(self.job, objects.name(pod))
        except StatusError as error:
            if error.reason != "NotFound":
                raise

    def _note_suspension(self) -> bool:
        if policies.is_suspended(self.job):
            condition = statuses.new_job_condition(
                statuses.SUSPENDED, "JobSuspended", "Job suspended"
            )
            changed = statuses.ensure_condition(self.status, condition)
            if changed:
                self._event("Normal", "Suspended", "Job suspended")
                self.status["startTime"] = None
            return changed
        condition = statuses.new_job_condition(
            statuses.SUSPENDED, "JobResumed", "Job resumed", "False"
        )
        changed = statuses.ensure_condition(self.status, condition)
        if changed:
            self._event("Normal", "Resumed", "Job resumed")
            self.status["startTime"] = clock.timestamp()
        return changed

    def _event(self, kind: str, reason: str, message: str) -> None:
        self.recorder.event(self.job, kind, reason, message)

    # Tracking with finalizers

    async def _track(self, *, flush: bool) -> None:
        # upstream: trackJobStatusAndRemoveFinalizers
        if policies.is_indexed(self.job):
            self.pods.sort(key=completion_index)
        tracked = {objects.uid(pod) for pod in self.pods if self.is_tracked(pod)}
        flush = statuses.count_uncounted(self.status, tracked) or flush
        released, added, full = self._note_finished()
        flush = self._set_indexes() or added or flush
        flush = self._announce_finish() or flush
        flush = await self._flush_and_release(released, tracked, flush=flush)
        finished = not full and self._enact_finish()
        if flush or finished:
            await self._write_status()
        if finished:
            self._report_finish()
            self.state.finished.add(objects.uid(self.job))

    def _note_finished(self) -> tuple[list[Object], bool, bool]:
        """Note pods to count; ``(pods to release, anything noted, more than fit)``."""
        uncounted = self.status["uncountedTerminatedPods"]
        succeeded: list[str] = uncounted.setdefault("succeeded", [])
        failed: list[str] = uncounted.setdefault("failed", [])
        indexes: set[int] = set()
        released: list[Object] = []
        before = len(succeeded) + len(failed)
        for pod in self.pods:
            if not self.is_tracked(pod) or not self._may_release(pod):
                continue
            released.append(pod)
            self._note_one(pod, succeeded, failed, indexes)
            if len(indexes) + len(succeeded) + len(failed) >= _MAX_UNCOUNTED:
                break
        total = len(succeeded) + len(failed)
        if policies.is_indexed(self.job):
            self.succeeded_indexes = self.succeeded_indexes.union(Indexes.of(indexes))
        full = total + len(indexes) >= _MAX_UNCOUNTED
        return released, total > before or bool(indexes), full

    def _note_one(
        self, pod: Object, succeeded: list[str], failed: list[str], indexes: set[int]
    ) -> None:
        indexed, uid = policies.is_indexed(self.job), objects.uid(pod)
        if pod_state.phase(pod) == "Succeeded" and uid not in self.uncounted_failed:
            if not indexed:
                if uid not in self.uncounted_succeeded:
                    succeeded.append(uid)
            elif policies.valid_index(pod, self.job):
                index = completion_index(pod)
                if index not in self.previous_indexes:
                    indexes.add(index)
        elif policies.is_pod_failed(pod, self.job) or self._is_failing():
            known = uid in self.uncounted_failed
            if known or (indexed and not policies.valid_index(pod, self.job)):
                return
            if policies.judge_failure(self.job, pod).counts:
                failed.append(uid)

    def _is_failing(self) -> bool:
        return self.finish is not None and self.finish["type"] != statuses.SUCCESS_CRITERIA_MET

    def _may_release(self, pod: Object) -> bool:
        # upstream: canRemoveFinalizer
        if objects.is_deleting(self.job) or self.finish is not None:
            return True
        if pod_state.phase(pod) == "Succeeded":
            return True
        if not policies.is_pod_failed(pod, self.job):
            return False
        delayed = self.delayed.get(completion_index(pod))
        return delayed is None or objects.uid(delayed) != objects.uid(pod)

    def _set_indexes(self) -> bool:
        if not policies.is_indexed(self.job):
            return False
        status = self.status
        failed = None if self.failed_indexes is None else str(self.failed_indexes)
        completed = str(self.succeeded_indexes)
        changed = completed != status.get("completedIndexes", "") or failed != status.get(
            "failedIndexes"
        )
        status["succeeded"] = len(self.succeeded_indexes)
        status["completedIndexes"] = completed
        status["failedIndexes"] = failed
        return changed

    def _announce_finish(self) -> bool:
        """Write the interim condition, and turn ``finish`` into the final one."""
        finish = self.finish
        if finish is None or finish["type"] == statuses.FAILED:
            return False
        found = self.status.setdefault("conditions", [])
        known = any(condition is finish or condition == finish for condition in found)
        if not known:
            found.append(finish)
        failing = finish["type"] == statuses.FAILURE_TARGET
        kind = statuses.FAILED if failing else statuses.COMPLETE
        self.finish = statuses.new_job_condition(
            kind, finish.get("reason", ""), finish.get("message", "")
        )
        return not known

    async def _flush_and_release(
        self, released: Sequence[Object], tracked: set[str], *, flush: bool
    ) -> bool:
        # upstream: flushUncountedAndRemoveFinalizers
        if flush:
            await self._write_status()
            self.state.backoffs[self.key] = self.backoff
        removed, failures = await self._release(released)
        flush = statuses.count_uncounted(self.status, tracked - removed)
        if failures and flush:
            await self._write_status()
        raise_all(failures[:1])
        return flush

    async def _release(self, pods: Sequence[Object]) -> tuple[set[str], list[BaseException]]:
        if not pods:
            return set(), []
        self.state.removals.setdefault(self.key, set()).update(map(objects.uid, pods))
        removed: set[str] = set()

        async def release(pod: Object) -> None:
            try:
                await self.remove_finalizer(pod)
            except StatusError as error:
                self.state.removal_observed(self.key, objects.uid(pod))
                if error.reason != "NotFound":
                    raise
            removed.add(objects.uid(pod))

        return removed, await gather_failures(map(release, pods))

    async def _write_status(self) -> None:
        written = {**self.job, "status": statuses.written(self.status)}
        updated = await self.client.update(JOBS, objects.deep_copy(written), subresource="status")
        self.job = objects.deep_copy(updated)
        self.job.setdefault("status", {}).setdefault("uncountedTerminatedPods", {})

    def _enact_finish(self) -> bool:
        """End the Job if nothing is left to count or to wait for."""
        # upstream: enactJobFinished
        uncounted = self.status["uncountedTerminatedPods"]
        waiting = uncounted.get("succeeded") or uncounted.get("failed") or self.terminating > 0
        if self.finish is None or waiting:
            return False
        statuses.ensure_condition(self.status, dict(self.finish))
        if self.finish["type"] == statuses.COMPLETE:
            self.status["completionTime"] = self.finish["lastTransitionTime"]
        return True

    def _report_finish(self) -> None:
        finish = self.finish
        if finish is None:
            return
        if finish["type"] != statuses.COMPLETE:
            self._event("Warning", finish["reason"], finish["message"])
            return
        completions = self.job["spec"].get("completions")
        if completions is not None and self.status.get("succeeded", 0) > completions:
            message = "Too many succeeded pods running after completion count reached"
            self._event("Warning", "TooManySucceededPods", message)
        self._event("Normal", "Completed", "Job completed")
