"""Writing pods and claims of a StatefulSet, with the events that tell of it."""

# upstream: pkg/controller/statefulset/stateful_pod_control.go

from collections.abc import Callable

from pykube_cp.client.interface import Client
from pykube_cp.client.recorder import Recorder
from pykube_cp.controllers.shared import stateful_pods
from pykube_cp.controllers.shared.errors import raise_all
from pykube_cp.controllers.shared.kinds import PERSISTENT_VOLUME_CLAIMS, POD, PODS
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

_CONFLICT_RETRIES = 4


class ClaimError(Exception):
    """A claim could not be created or is being deleted."""


class StatefulPodControl:
    """``find_claim`` looks a claim up by namespace and name in the informer."""

    def __init__(
        self,
        client: Client,
        recorder: Recorder,
        find_claim: Callable[[str, str], Object | None],
    ) -> None:
        self._client = client
        self._recorder = recorder
        self._find_claim = find_claim

    # Pods

    async def create(self, stateful_set: Object, pod: Object) -> None:
        try:
            await self._create_claims(stateful_set, pod)
        except ClaimError as error:
            self._record_pod("Create", stateful_set, pod, error)
            raise
        try:
            created = await self._client.create(PODS, pod, objects.namespace(stateful_set))
        except StatusError as error:
            if not errors.is_already_exists(error):
                self._record_pod("Create", stateful_set, pod, error)
            raise
        await self._retain_or_record(stateful_set, created)
        self._record_pod("Create", stateful_set, pod, None)

    async def create_missing_claims(self, stateful_set: Object, pod: Object) -> None:
        await self._create_claims(stateful_set, pod)
        await self._retain_or_record(stateful_set, pod)

    async def _retain_or_record(self, stateful_set: Object, pod: Object) -> None:
        try:
            await self.update_claim_owners(stateful_set, pod)
        except StatusError as error:
            self._record_pod("Update", stateful_set, pod, error)
            raise

    async def update(self, stateful_set: Object, pod: Object) -> None:
        """Bring identity, storage and claims of a pod in line; retried on conflict."""
        attempted = False
        failure: Exception | None = None
        current: Object = objects.deep_copy(pod)
        try:
            for attempt in range(_CONFLICT_RETRIES):
                if not await self._correct(stateful_set, current):
                    break
                attempted = True
                try:
                    await self._client.update(PODS, current)
                    break
                except StatusError as error:
                    if not errors.is_conflict(error) or attempt == _CONFLICT_RETRIES - 1:
                        raise
                name, namespace = objects.name(pod), objects.namespace(pod)
                current = objects.deep_copy(await self._client.get(PODS, name, namespace))
        except (StatusError, ClaimError) as error:
            failure = error
        if attempted or failure is not None:
            self._record_pod("Update", stateful_set, pod, failure)
        if failure is not None:
            raise failure

    async def _correct(self, stateful_set: Object, pod: Object) -> bool:
        """Correct our own copy of the pod, and its claims; True if the pod has to be written."""
        wrong = False
        if not stateful_pods.identity_matches(stateful_set, pod):
            stateful_pods.update_identity(stateful_set, pod)
            wrong = True
        if not stateful_pods.storage_matches(stateful_set, pod):
            stateful_pods.update_storage(stateful_set, pod)
            await self._create_claims(stateful_set, pod)
            wrong = True
        if not self.claim_owners_match(stateful_set, pod):
            await self.update_claim_owners(stateful_set, pod)
            wrong = True
        return wrong

    async def delete(self, stateful_set: Object, pod: Object) -> None:
        try:
            await self._client.delete(PODS, objects.name(pod), objects.namespace(pod))
        except StatusError as error:
            if not errors.is_not_found(error):
                self._record_pod("Delete", stateful_set, pod, error)
                raise
        self._record_pod("Delete", stateful_set, pod, None)

    # Claims

    def _claims(self, stateful_set: Object, pod: Object) -> list[Object]:
        """Claims of the pod that exist."""
        namespace = objects.namespace(stateful_set)
        names = stateful_pods.claim_names(stateful_set, pod)
        found = (self._find_claim(namespace, name) for name in names)
        return [claim for claim in found if claim is not None]

    async def _create_claims(self, stateful_set: Object, pod: Object) -> None:
        failures: list[BaseException] = []
        namespace = objects.namespace(stateful_set)
        for claim in stateful_pods.new_claims(stateful_set, pod):
            name = objects.name(claim)
            existing = self._find_claim(namespace, name)
            if existing is None:
                try:
                    await self._create_claim(stateful_set, pod, claim)
                except StatusError as error:
                    failures.append(ClaimError(f"failed to create PVC {name}: {error}"))
            elif objects.is_deleting(existing):
                failures.append(ClaimError(f"pvc {name} is being deleted"))
        if failures:
            try:
                raise_all(failures)
            except Exception as error:
                raise ClaimError(str(error)) from error

    async def _create_claim(self, stateful_set: Object, pod: Object, claim: Object) -> None:
        name, namespace = objects.name(claim), objects.namespace(stateful_set)
        where = f"Pod {objects.name(pod)} in StatefulSet {objects.name(stateful_set)}"
        try:
            await self._client.create(PERSISTENT_VOLUME_CLAIMS, claim, namespace)
        except StatusError as error:
            if not errors.is_already_exists(error):
                message = f"Create Claim {name} for {where} failed error: {error}"
                self._recorder.event(stateful_set, "Warning", "FailedCreate", message)
            raise
        message = f"Create Claim {name} {where} success"
        self._recorder.event(stateful_set, "Normal", "SuccessfulCreate", message)

    def is_claim_stale(self, stateful_set: Object, pod: Object) -> bool:
        """Whether a claim still belongs to an earlier pod and is about to go with it."""
        # upstream: stateful_pod_control.go PodClaimIsStale
        _, when_scaled = stateful_pods.retention_policy(stateful_set)
        return when_scaled and any(
            stateful_pods.has_stale_owner(claim, pod, POD)
            for claim in self._claims(stateful_set, pod)
        )

    def claim_owners_match(self, stateful_set: Object, pod: Object) -> bool:
        return all(
            stateful_pods.claim_owners_match(claim, stateful_set, pod)
            for claim in self._claims(stateful_set, pod)
        )

    async def update_claim_owners(self, stateful_set: Object, pod: Object) -> None:
        # upstream: stateful_pod_control.go UpdatePodClaimForRetentionPolicy
        for claim in self._claims(stateful_set, pod):
            if stateful_pods.has_unexpected_controller(claim, stateful_set, pod):
                message = (
                    f"PersistentVolumeClaim {objects.name(claim)} has a conflicting "
                    "OwnerReference that acts as a manging controller, the retention policy is "
                    "ignored for this claim"
                )
                self._recorder.event(stateful_set, "Warning", "ConflictingController", message)
            if not stateful_pods.claim_owners_match(claim, stateful_set, pod):
                updated = objects.deep_copy(claim)
                stateful_pods.update_claim_owners(updated, stateful_set, pod)
                await self._client.update(PERSISTENT_VOLUME_CLAIMS, updated)

    # Events

    def _record_pod(
        self, verb: str, stateful_set: Object, pod: Object, error: Exception | None
    ) -> None:
        where = f"Pod {objects.name(pod)} in StatefulSet {objects.name(stateful_set)}"
        if error is None:
            message = f"{verb} {where} successful"
            self._recorder.event(stateful_set, "Normal", f"Successful{verb}", message)
        else:
            message = f"{verb} {where} failed error: {error}"
            self._recorder.event(stateful_set, "Warning", f"Failed{verb}", message)
