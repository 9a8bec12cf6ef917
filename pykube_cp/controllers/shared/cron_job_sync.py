"""One reconciliation of a CronJob: look after its Jobs, start the next one if it is due."""

# upstream: pkg/controller/cronjob/cronjob_controllerv2.go syncCronJob

from collections.abc import Sequence
from datetime import datetime

from pykube_cp.client.interface import Client, DeleteOptions, Propagation
from pykube_cp.client.recorder import Recorder
from pykube_cp.controllers.shared import cron_job_times as times
from pykube_cp.controllers.shared import job_status as statuses
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.controller_refs import is_controlled_by, new_controller_ref
from pykube_cp.controllers.shared.kinds import CRON_JOB, CRON_JOBS, JOBS
from pykube_cp.controllers.shared.templates import drop_zeros
from pykube_cp.machinery import clock, cron, errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

SCHEDULED_TIMESTAMP = "batch.kubernetes.io/cronjob-scheduled-timestamp"
_BACKGROUND = DeleteOptions(propagation=Propagation.BACKGROUND)


class ReplaceError(Exception):
    """A Job could not be deleted to make room for the next one."""


class CronJobSync:
    """Works on a copy of the CronJob and on the Jobs it controls."""

    def __init__(
        self, client: Client, recorder: Recorder, cron_job: Object, jobs: Sequence[Object]
    ) -> None:
        self.client = client
        self.recorder = recorder
        self.cron_job = cron_job
        self.jobs = jobs
        self.status: Object = cron_job.setdefault("status", {})
        self.changed = False

    @property
    def _spec(self) -> Object:
        spec: Object = self.cron_job["spec"]
        return spec

    def _event(self, kind: str, reason: str, message: str) -> None:
        self.recorder.event(self.cron_job, kind, reason, message)

    async def run(self) -> float | None:
        """Reconcile; seconds until the next start. The status is written whatever happens."""
        await self._remove_old_jobs()
        try:
            return await self._sync()
        finally:
            if self.changed:
                written = {**self.cron_job, "status": drop_zeros(self.status)}
                await self.client.update(
                    CRON_JOBS, objects.deep_copy(written), subresource="status"
                )

    # Active Jobs

    def _active(self) -> list[Object]:
        found: list[Object] = self.status.get("active") or []
        return found

    def _is_active(self, uid: str) -> bool:
        return any(ref.get("uid") == uid for ref in self._active())

    def _drop_active(self, uid: str) -> None:
        self.status["active"] = [ref for ref in self._active() if ref.get("uid") != uid]
        self.changed = True

    async def _update_active(self) -> None:
        for job in self.jobs:
            uid = objects.uid(job)
            active = self._is_active(uid)
            finish = statuses.finished_condition(job)
            if finish is None:
                if not active and not await self._is_active_by_now(uid):
                    name = objects.name(job)
                    message = f"Saw a job that the controller did not create or forgot: {name}"
                    self._event("Warning", "UnexpectedJob", message)
                continue
            if active:
                self._drop_active(uid)
                message = f"Saw completed job: {objects.name(job)}, condition: {finish['type']}"
                self._event("Normal", "SawCompletedJob", message)
            if finish["type"] == statuses.COMPLETE:
                self._note_success(objects.nested(job, "status", "completionTime"))
        await self._drop_missing()

    async def _is_active_by_now(self, uid: str) -> bool:
        """Our copy may be older than the Job."""
        name, namespace = objects.name(self.cron_job), objects.namespace(self.cron_job)
        fresh = await self.client.get(CRON_JOBS, name, namespace)
        refs = objects.nested(fresh, "status", "active", default=[])
        return any(ref.get("uid") == uid for ref in refs)

    def _note_success(self, completed: str | None) -> None:
        last = pod_state.parse_optional(self.status.get("lastSuccessfulTime"))
        at = pod_state.parse_optional(completed)
        if at is not None and (last is None or at > last):
            self.status["lastSuccessfulTime"] = completed
            self.changed = True

    async def _drop_missing(self) -> None:
        present = set(map(objects.uid, self.jobs))
        for ref in self._active():
            if ref.get("uid") in present:
                continue
            try:
                await self.client.get(JOBS, ref["name"], ref["namespace"])
            except StatusError as error:
                if not errors.is_not_found(error):
                    raise
                self._event("Normal", "MissingJob", f"Active job went missing: {ref['name']}")
                self._drop_active(ref["uid"])

    async def _remove_old_jobs(self) -> None:
        # upstream: cleanupFinishedJobs
        limits = (
            (statuses.COMPLETE, "successfulJobsHistoryLimit"),
            (statuses.FAILED, "failedJobsHistoryLimit"),
        )
        for kind, field in limits:
            limit = self._spec.get(field)
            if limit is None:
                continue
            ended = [
                job
                for job in self.jobs
                if (finish := statuses.finished_condition(job)) and finish["type"] == kind
            ]
            excess = len(ended) - limit
            for job in sorted(ended, key=_by_start)[: max(0, excess)]:
                await self._delete(job)

    async def _delete(self, job: Object) -> bool:
        name, namespace = objects.name(job), objects.namespace(job)
        try:
            await self.client.delete(JOBS, name, namespace, options=_BACKGROUND)
        except StatusError as error:
            self._event("Warning", "FailedDelete", f"Deleted job: {error}")
            return False
        self._drop_active(objects.uid(job))
        self._event("Normal", "SuccessfulDelete", f"Deleted job {name}")
        return True

    # Starting

    async def _sync(self) -> float | None:
        now = clock.now()
        await self._update_active()
        if objects.is_deleting(self.cron_job) or not self._zone_is_known():
            return None
        if self._spec.get("suspend"):
            return None
        schedule = self._schedule()
        if schedule is None:
            return None
        try:
            due = times.most_recent(self.cron_job, schedule, now, with_deadline=True)
        except times.ScheduleError as error:
            text = f"invalid schedule: {self._spec['schedule']} : {error}"
            self._event("Warning", "InvalidSchedule", text)
            return None
        if due.at is not None:
            if due.missed is times.Missed.MANY:
                message = (
                    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds "
                    "or check clock skew"
                )
                self._event("Warning", "TooManyMissedTimes", message)
            if self._may_start(due.at, now):
                started = await self._start(due.at)
                if not started:
                    return None
        return times.until_next(self.cron_job, schedule, now)

    def _zone_is_known(self) -> bool:
        zone = self._spec.get("timeZone")
        if zone is None:
            return True
        try:
            cron.load_zone(zone)
        except ValueError as error:
            self._event("Warning", "UnknownTimeZone", f'invalid timeZone: "{zone}": {error}')
            return False
        return True

    def _schedule(self) -> cron.Schedule | None:
        text = self._spec["schedule"]
        if "TZ" in text:
            message = (
                f'CRON_TZ or TZ used in schedule "{text}" is not officially supported, see '
                "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more "
                "details"
            )
            self._event("Warning", "UnsupportedSchedule", message)
        try:
            return cron.parse(times.schedule_text(self.cron_job))
        except ValueError as error:
            self._event(
                "Warning", "UnparseableSchedule", f'unparseable schedule: "{text}" : {error}'
            )
            return None

    def _may_start(self, at: float, now: float) -> bool:
        deadline = self._spec.get("startingDeadlineSeconds")
        if deadline is not None and at + deadline < now:
            message = f"Missed scheduled time to start a job: {times.rfc1123(at)}"
            self._event("Warning", "MissSchedule", message)
            return False
        started = any(ref.get("name") == self._job_name(at) for ref in self._active())
        if started or times.last_scheduled(self.cron_job) == at:
            return False
        if self._spec.get("concurrencyPolicy") == "Forbid" and self._active():
            message = (
                "Not starting job because prior execution is running and concurrency policy is "
                "Forbid"
            )
            self._event("Normal", "JobAlreadyActive", message)
            return False
        return True

    def _job_name(self, at: float) -> str:
        return f"{objects.name(self.cron_job)}-{int(at) // 60}"

    async def _start(self, at: float) -> bool:
        """Create the Job for a scheduled time; False if somebody else's Job has its name."""
        if self._spec.get("concurrencyPolicy") == "Replace":
            await self._replace_active()
        namespace = objects.namespace(self.cron_job)
        existed = False
        try:
            job = await self.client.create(JOBS, self._new_job(at), namespace)
        except StatusError as error:
            if not errors.is_already_exists(error):
                if not errors.has_cause(error, "NamespaceTerminating"):
                    self._event("Warning", "FailedCreate", f"Error creating job: {error}")
                raise
            existed = True
            job = await self.client.get(JOBS, self._job_name(at), namespace)
            if not is_controlled_by(job, self.cron_job) or self._is_active(objects.uid(job)):
                return False
        if not existed:
            self._event("Normal", "SuccessfulCreate", f"Created job {objects.name(job)}")
        self.status["active"] = [*self._active(), _reference(job)]
        self.status["lastScheduleTime"] = clock.format_time(at)
        self.changed = True
        return True

    async def _replace_active(self) -> None:
        for ref in self._active():
            try:
                job = await self.client.get(JOBS, ref["name"], ref["namespace"])
            except StatusError as error:
                self._event("Warning", "FailedGet", f"Get job: {error}")
                raise
            if not await self._delete(job):
                raise ReplaceError(f"could not replace job {objects.key(job)}")

    def _new_job(self, at: float) -> Object:
        # upstream: utils.go getJobFromTemplate2
        template = self._spec["jobTemplate"]
        zone = cron.load_zone(self._spec.get("timeZone") or "")
        scheduled = datetime.fromtimestamp(at, zone).isoformat().replace("+00:00", "Z")
        meta: Object = {
            "name": self._job_name(at),
            "namespace": objects.namespace(self.cron_job),
            "annotations": {**objects.annotations(template), SCHEDULED_TIMESTAMP: scheduled},
            "ownerReferences": [new_controller_ref(self.cron_job, CRON_JOB)],
        }
        if objects.labels(template):
            meta["labels"] = dict(objects.labels(template))
        return {
            "apiVersion": JOBS.api_version,
            "kind": "Job",
            "metadata": meta,
            "spec": objects.deep_copy(template["spec"]),
        }


def _reference(job: Object) -> Object:
    return {
        "apiVersion": JOBS.api_version,
        "kind": "Job",
        "name": objects.name(job),
        "namespace": objects.namespace(job),
        "uid": objects.uid(job),
        "resourceVersion": objects.resource_version(job),
    }


def _by_start(job: Object) -> tuple[bool, float, str]:
    """Sort key: the one that started first, then those that never started."""
    started = pod_state.parse_optional(objects.nested(job, "status", "startTime"))
    return started is None, started or 0, objects.name(job)
