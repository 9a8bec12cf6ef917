"""Starts Jobs by the clock."""

# upstream: pkg/controller/cronjob/cronjob_controllerv2.go

from collections.abc import Iterable

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import cron_job_times as times
from pykube_cp.controllers.shared.cron_job_sync import CronJobSync
from pykube_cp.controllers.shared.kinds import CRON_JOB, CRON_JOBS, JOBS
from pykube_cp.controllers.shared.owned import Owners
from pykube_cp.machinery import clock, cron, objects
from pykube_cp.machinery.objects import Object

_OWNERS = Owners(CRON_JOBS, CRON_JOB, adopts=False)


def _cron_job_changed(
    ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    changed = new if new is not None else old
    if changed is None:
        return ()
    if old is None or new is None or not _is_rescheduled(old, new):
        return (objects.key(changed),)
    try:
        schedule = cron.parse(times.schedule_text(new))
    except ValueError:
        message = f"unparseable schedule for cronjob: {new['spec']['schedule']}"
        ctx.recorder.event(new, "Warning", "UnParseableCronJobSchedule", message)
        return ()
    # What the new schedule makes of the past does not count as missed.
    after = times.until_next(new, schedule, clock.now())
    if after is not None:
        ctx.queue.add_after(objects.key(new), after)
    return ()


def _is_rescheduled(old: Object, new: Object) -> bool:
    return any(old["spec"].get(f) != new["spec"].get(f) for f in ("schedule", "timeZone"))


async def _reconcile(ctx: ControllerContext, key: str) -> Result | None:
    found = ctx.lister(CRON_JOBS).get(key)
    if found is None:
        return None
    jobs = ctx.lister(JOBS).controlled_by(objects.uid(found))
    sync = CronJobSync(ctx.client, ctx.recorder, objects.deep_copy(found), jobs)
    after = await sync.run()
    return None if after is None else Result(requeue_after=max(after, 0.001))


CONTROLLER = Controller(
    name="cronjob-controller",
    identity="cronjob-controller",
    aliases=("cronjob",),
    watches=(
        Watch(CRON_JOBS, changed=_cron_job_changed),
        Watch(JOBS, changed=_OWNERS.changed),
    ),
    reconcile=_reconcile,
    workers=5,
)
