"""What one reconciliation of a Job works on, and what is remembered between two."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pykube_cp.client.expectations import Expectations
from pykube_cp.client.interface import Client
from pykube_cp.client.recorder import Recorder
from pykube_cp.controllers.shared import job_policies as policies
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.job_backoff import BackoffRecord
from pykube_cp.controllers.shared.job_indexes import Indexes
from pykube_cp.controllers.shared.pod_control import PodControl
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object


@dataclass(slots=True)
class JobState:
    """What the controller remembers of its Jobs between reconciliations.

    Attributes:
        removals: job key -> uids of pods whose finalizer was taken off, until that is observed.
        backoffs: job key -> failures since the last success.
        finished: uids of Jobs whose end is written, until that is observed.
    """

    expectations: Expectations
    removals: dict[str, set[str]] = field(default_factory=dict)
    backoffs: dict[str, BackoffRecord] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)

    def forget(self, key: str) -> None:
        self.expectations.forget(key)
        self.removals.pop(key, None)
        self.backoffs.pop(key, None)

    def removal_observed(self, key: str, uid: str) -> None:
        if key in self.removals:
            self.removals[key].discard(uid)


class JobRound:
    """A copy of the Job, the pods that are its own, and what is found out about them."""

    def __init__(
        self,
        client: Client,
        recorder: Recorder,
        control: PodControl,
        state: JobState,
        job: Object,
        pods: Sequence[Object],
    ) -> None:
        self.client = client
        self.recorder = recorder
        self.control = control
        self.state = state
        self.job = job
        self.key = objects.key(job)
        job.setdefault("status", {}).setdefault("uncountedTerminatedPods", {})
        self.pods = list(pods)
        self.active_pods = [pod for pod in pods if pod_state.is_active(pod)]
        self.expected_removals = set(state.removals.get(self.key, ()))
        self.ready = sum(map(pod_state.is_ready, self.active_pods))
        self.terminating = sum(map(pod_state.is_terminating, pods))
        uncounted = job["status"]["uncountedTerminatedPods"]
        self.uncounted_succeeded = set(uncounted.get("succeeded") or ())
        self.uncounted_failed = set(uncounted.get("failed") or ())
        self.succeeded = 0
        self.failed = 0
        self.previous_indexes = Indexes()
        self.succeeded_indexes = Indexes()
        self.failed_indexes: Indexes | None = None
        self.delayed: dict[int, Object] = {}
        self.backoff = BackoffRecord()
        self.finish: Object | None = None
        self.requeue_after: float | None = None

    @property
    def status(self) -> Object:
        status: Object = self.job["status"]
        return status

    def check_again(self, seconds: float) -> None:
        if self.requeue_after is None or seconds < self.requeue_after:
            self.requeue_after = seconds

    def valid_pods(self, uncounted: set[str], *, succeeded: bool) -> list[Object]:
        """Tracked pods that succeeded or failed and that no counter knows of yet."""
        # upstream: getValidPodsWithFilter
        indexed = policies.is_indexed(self.job)
        return [
            pod
            for pod in self.pods
            if self.is_tracked(pod)
            and objects.uid(pod) not in uncounted
            and (not indexed or policies.valid_index(pod, self.job))
            and (
                pod_state.phase(pod) == "Succeeded"
                if succeeded
                else policies.is_pod_failed(pod, self.job)
            )
        ]

    def is_tracked(self, pod: Object) -> bool:
        return (
            policies.has_tracking_finalizer(pod) and objects.uid(pod) not in self.expected_removals
        )

    async def remove_finalizer(self, pod: Object) -> None:
        if policies.has_tracking_finalizer(pod):
            await self.control.patch(pod, removal_patch())


def removal_patch() -> Object:
    """Strategic merge patch that takes the tracking finalizer off a pod."""
    return {"metadata": {"$deleteFromPrimitiveList/finalizers": [policies.TRACKING_FINALIZER]}}
