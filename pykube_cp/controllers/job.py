"""Runs Jobs: pods until enough of them have succeeded, or too many have failed."""

# upstream: pkg/controller/job/job_controller.go

from collections.abc import Iterable
from dataclasses import dataclass

from pykube_cp.controllers.interface import Controller, ControllerContext, Queue, Result, Watch
from pykube_cp.controllers.shared import job_policies as policies
from pykube_cp.controllers.shared import job_status as statuses
from pykube_cp.controllers.shared.controller_refs import ControllerRefManager
from pykube_cp.controllers.shared.job_round import JobState, removal_patch
from pykube_cp.controllers.shared.job_sync import JobSync
from pykube_cp.controllers.shared.kinds import JOB, JOBS, PODS
from pykube_cp.controllers.shared.owned import ORPHAN_INDEX, Owners, owned_and_orphans
from pykube_cp.controllers.shared.pod_control import PodControl
from pykube_cp.controllers.shared.selection import selector_of
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

CONTROLLER_NAME = "kubernetes.io/job-controller"
_ORPHAN_QUEUE = "orphan-pods"
_COMPLETION_MODES = {None, "NonIndexed", "Indexed"}
# Changes of pods come in bursts: one look a second later sees them all.
_BATCH_SECONDS = 1.0
_OWNERS = Owners(JOBS, JOB, expects=True)


@dataclass(slots=True)
class _State:
    memory: JobState
    control: PodControl


def _set_up(ctx: ControllerContext) -> _State:
    return _State(JobState(ctx.expectations), PodControl(ctx.client, ctx.recorder, JOB))


def _is_managed_elsewhere(job: Object) -> bool:
    manager = job["spec"].get("managedBy")
    return manager is not None and manager != CONTROLLER_NAME


def _job_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    job = new if new is not None else old
    if job is None:
        return ()
    key = objects.key(job)
    if new is None:
        ctx.state.memory.finished.discard(objects.uid(job))
        ctx.state.memory.forget(key)
        return _release_pods(ctx, job, key)
    if old is None:
        return (key,)
    if statuses.is_finished(new):
        return _release_pods(ctx, new, key)
    if old["metadata"].get("generation") == new["metadata"].get("generation"):
        ctx.queue.add_after(key, _BATCH_SECONDS)
        return ()
    return (key,)


def _release_pods(ctx: ControllerContext, job: Object, key: str) -> Iterable[str]:
    """Pods of a Job that ended or is gone must not keep their finalizer."""
    for pod in ctx.lister(PODS).controlled_by(objects.uid(job)):
        if policies.has_tracking_finalizer(pod):
            ctx.queues[_ORPHAN_QUEUE].add(objects.key(pod))
    return (key,)


def _pod_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    pod = new if new is not None else old
    if pod is None:
        return ()
    job = _OWNERS.resolve(ctx, pod)
    if policies.has_tracking_finalizer(pod):
        if new is not None and (job is None or statuses.is_finished(job)):
            ctx.queues[_ORPHAN_QUEUE].add(objects.key(pod))
    elif job is not None:
        ctx.state.memory.removal_observed(objects.key(job), objects.uid(pod))
    if new is None and job is not None:
        ctx.state.memory.removal_observed(objects.key(job), objects.uid(pod))
    for key in _OWNERS.changed(ctx, old, new):
        ctx.queue.add_after(key, _BATCH_SECONDS)
    return ()


async def _claim_pods(ctx: ControllerContext, job: Object) -> list[Object]:
    selector = selector_of(job)
    manager = ControllerRefManager(
        ctx.client,
        job,
        JOBS,
        JOB,
        PODS,
        "Pod",
        lambda pod: selector.matches(objects.labels(pod)),
        finalizers=(policies.TRACKING_FINALIZER,),
    )
    claimed = await manager.claim(owned_and_orphans(ctx.lister(PODS), job))
    return [_as_adopted(pod) for pod in claimed]


def _as_adopted(pod: Object) -> Object:
    """A pod adopted just now has the finalizer already, though the informer does not show it."""
    if objects.controller_of(pod) is not None or policies.has_tracking_finalizer(pod):
        return pod
    meta = {
        **pod["metadata"],
        "finalizers": [*objects.finalizers(pod), policies.TRACKING_FINALIZER],
    }
    return {**pod, "metadata": meta}


async def _reconcile(ctx: ControllerContext, key: str) -> Result | None:
    memory: JobState = ctx.state.memory
    found = ctx.lister(JOBS).get(key)
    if found is None:
        memory.forget(key)
        return None
    if _is_managed_elsewhere(found):
        return None
    if statuses.is_finished(found):
        memory.backoffs.pop(key, None)
        memory.finished.discard(objects.uid(found))
        return None
    if objects.uid(found) in memory.finished:
        # Its end is written; the informer is about to show it.
        return None
    if found["spec"].get("completionMode") not in _COMPLETION_MODES:
        message = "Skipped Job sync because completion mode is unknown"
        ctx.recorder.event(found, "Warning", "UnknownCompletionMode", message)
        return None
    job: Object = objects.deep_copy(found)
    pods = await _claim_pods(ctx, job)
    sync = JobSync(ctx.client, ctx.recorder, ctx.state.control, memory, job, pods)
    after = await sync.run()
    return None if after is None else Result(requeue_after=max(after, 0.001))


async def _reconcile_orphan(ctx: ControllerContext, key: str) -> None:
    """Take the tracking finalizer off a pod that no Job counts any more."""
    # upstream: job_controller.go handleSingleOrphanPod
    pod = ctx.lister(PODS).get(key)
    if pod is None or not policies.has_tracking_finalizer(pod):
        return
    ref = objects.controller_of(pod)
    if ref is not None:
        if ref.get("kind") != JOB.kind or ref.get("apiVersion") != JOB.api_version:
            return
        job = _OWNERS.resolve(ctx, pod)
        if job is not None and (_is_managed_elsewhere(job) or not statuses.is_finished(job)):
            return
    try:
        await ctx.state.control.patch(pod, removal_patch())
    except StatusError as error:
        if not errors.is_not_found(error):
            raise


CONTROLLER = Controller(
    name="job-controller",
    identity="job-controller",
    aliases=("job",),
    watches=(
        Watch(JOBS, changed=_job_changed),
        Watch(PODS, changed=_pod_changed, indexes=ORPHAN_INDEX),
    ),
    setup=_set_up,
    reconcile=_reconcile,
    workers=5,
    queues=(Queue(_ORPHAN_QUEUE, _reconcile_orphan, workers=5),),
)
