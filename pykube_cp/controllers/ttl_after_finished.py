"""Deletes Jobs some time after they ended, where they ask for it."""

# upstream: pkg/controller/ttlafterfinished/ttlafterfinished_controller.go

from collections.abc import Iterable

from pykube_cp.client.interface import DeleteOptions, Propagation
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import job_status as statuses
from pykube_cp.controllers.shared.kinds import JOBS
from pykube_cp.machinery import clock, errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object


def _time_left(job: Object) -> float | None:
    """Seconds until the Job is to be deleted, None if it is not."""
    ttl = job["spec"].get("ttlSecondsAfterFinished")
    finish = statuses.finished_condition(job)
    if ttl is None or finish is None or objects.is_deleting(job):
        return None
    ended = clock.parse_time(finish["lastTransitionTime"])
    return float(ended + ttl - clock.now())


def _changed(_ctx: ControllerContext, _old: Object | None, new: Object | None) -> Iterable[str]:
    if new is None or _time_left(new) is None:
        return ()
    return (objects.key(new),)


async def _reconcile(ctx: ControllerContext, key: str) -> Result | None:
    job = ctx.lister(JOBS).get(key)
    left = _time_left(job) if job is not None else None
    if left is None:
        return None
    if left > 0:
        return Result(requeue_after=left)
    namespace, name = objects.split_key(key)
    try:
        # The informer may be behind, and the time may have been prolonged.
        fresh = await ctx.client.get(JOBS, name, namespace)
        left = _time_left(fresh)
        if left is None:
            return None
        if left > 0:
            return Result(requeue_after=left)
        options = DeleteOptions(propagation=Propagation.FOREGROUND, uid=objects.uid(fresh))
        await ctx.client.delete(JOBS, name, namespace, options=options)
    except StatusError as error:
        if not errors.is_not_found(error):
            raise
    return None


CONTROLLER = Controller(
    name="ttl-after-finished-controller",
    identity="ttl-after-finished-controller",
    aliases=("ttl-after-finished",),
    watches=(Watch(JOBS, changed=_changed),),
    reconcile=_reconcile,
    workers=5,
)
