"""What a Job makes of failed pods and of the indexes that succeeded."""

# upstream: pkg/controller/job/pod_failure_policy.go, success_policy.go

from collections.abc import Iterable
from typing import NamedTuple

from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.job_indexes import (
    UNKNOWN_INDEX,
    Indexes,
    completion_index,
    failure_count,
)
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object

TRACKING_FINALIZER = "batch.kubernetes.io/job-tracking"


class FailureVerdict(NamedTuple):
    """What the failure policy says of a failed pod.

    Attributes:
        message: why the whole Job fails; empty when it does not.
        counts: whether the failure counts against the backoff limit.
        action: of the rule that matched; empty when none did.
    """

    message: str = ""
    counts: bool = True
    action: str = ""


def is_indexed(job: Object) -> bool:
    return bool(job["spec"].get("completionMode") == "Indexed")


def is_suspended(job: Object) -> bool:
    return bool(job["spec"].get("suspend"))


def only_replaces_failed(job: Object) -> bool:
    return bool(job["spec"].get("podReplacementPolicy") == "Failed")


def has_backoff_limit_per_index(job: Object) -> bool:
    return job["spec"].get("backoffLimitPerIndex") is not None


def has_tracking_finalizer(pod: Object) -> bool:
    return TRACKING_FINALIZER in objects.finalizers(pod)


def is_pod_failed(pod: Object, job: Object) -> bool:
    """Failed, or on its way out where the Job replaces terminating pods at once."""
    if pod_state.phase(pod) == "Failed":
        return True
    if only_replaces_failed(job):
        return False
    return objects.is_deleting(pod) and pod_state.phase(pod) != "Succeeded"


def valid_index(pod: Object, job: Object) -> bool:
    """Whether the pod has an index that the Job still asks for."""
    completions: int = job["spec"]["completions"]
    return UNKNOWN_INDEX < completion_index(pod) < completions


def judge_failure(job: Object, pod: Object) -> FailureVerdict:
    """Apply the first matching rule of the pod failure policy."""
    rules = objects.nested(job, "spec", "podFailurePolicy", "rules", default=[])
    for index, rule in enumerate(rules):
        matched = _matched_text(rule, pod)
        if not matched:
            continue
        action = rule["action"]
        if action == "Ignore":
            return FailureVerdict(counts=False, action=action)
        if action == "FailJob":
            message = f"{matched} matching {action} rule at index {index}"
            return FailureVerdict(message=message, action=action)
        if action in {"FailIndex", "Count"}:
            return FailureVerdict(action=action)
    return FailureVerdict()


def _matched_text(rule: Object, pod: Object) -> str:
    """What of the pod a rule matches, as messages put it; empty when it does not match."""
    where = f"{objects.namespace(pod)}/{objects.name(pod)}"
    if rule.get("onExitCodes"):
        container = _matching_container(pod, rule["onExitCodes"])
        if container is None:
            return ""
        code = container["state"]["terminated"]["exitCode"]
        return f"Container {container['name']} for pod {where} failed with exit code {code}"
    for condition in objects.nested(pod, "status", "conditions", default=[]):
        for pattern in rule.get("onPodConditions") or []:
            same_status = condition.get("status") == pattern.get("status", "True")
            if condition.get("type") == pattern.get("type") and same_status:
                return f"Pod {where} has condition {condition['type']}"
    return ""


def _matching_container(pod: Object, requirement: Object) -> Object | None:
    status = pod.get("status") or {}
    containers: list[Object] = [
        *(status.get("containerStatuses") or []),
        *(status.get("initContainerStatuses") or []),
    ]
    for container in containers:
        wanted = requirement.get("containerName")
        if wanted is not None and wanted != container.get("name"):
            continue
        code = objects.nested(container, "state", "terminated", "exitCode", default=0)
        if code != 0 and _code_matches(code, requirement):
            return container
    return None


def _code_matches(code: int, requirement: Object) -> bool:
    listed = code in (requirement.get("values") or [])
    operator = requirement.get("operator")
    return listed if operator == "In" else operator == "NotIn" and not listed


def is_index_failed(job: Object, pod: Object) -> bool:
    """Whether the pod's failure makes its index fail for good."""
    if not is_pod_failed(pod, job):
        return False
    verdict = judge_failure(job, pod)
    if verdict.action == "FailIndex":
        return True
    limit: int = job["spec"]["backoffLimitPerIndex"]
    return verdict.counts and failure_count(pod) >= limit


def calculate_indexes(job: Object, pods: Iterable[Object]) -> tuple[Indexes, Indexes]:
    """Indexes counted as succeeded before, and those with the pods that succeeded since."""
    completions = job["spec"]["completions"]
    before = Indexes.parse(job["status"].get("completedIndexes", ""), completions)
    succeeded = [
        pod for pod in pods if pod_state.phase(pod) == "Succeeded" and _is_tracked_index(job, pod)
    ]
    return before, before.union(_indexes(succeeded))


def calculate_failed_indexes(job: Object, pods: Iterable[Object]) -> Indexes:
    before = Indexes.parse(job["status"].get("failedIndexes") or "", job["spec"]["completions"])
    failed = [pod for pod in pods if _is_tracked_index(job, pod) and is_index_failed(job, pod)]
    return before.union(_indexes(failed))


def _is_tracked_index(job: Object, pod: Object) -> bool:
    return valid_index(pod, job) and has_tracking_finalizer(pod)


def _indexes(pods: Iterable[Object]) -> Indexes:
    return Indexes.of({completion_index(pod) for pod in pods})


def match_success_policy(job: Object, succeeded: Indexes) -> str:
    """Which rule of the success policy is met, as a message; empty when none is."""
    rules = objects.nested(job, "spec", "successPolicy", "rules", default=[])
    if not succeeded:
        return ""
    for index, rule in enumerate(rules):
        count = rule.get("succeededCount")
        listed = rule.get("succeededIndexes")
        if listed is None:
            met = count is not None and len(succeeded) >= count
        else:
            required = Indexes.parse(listed, job["spec"]["completions"])
            found = required.overlap(succeeded)
            enough = count is not None and found >= count
            met = bool(required) and (found == len(required) or enough)
        if met:
            return f"Matched rules at index {index}"
    return ""
