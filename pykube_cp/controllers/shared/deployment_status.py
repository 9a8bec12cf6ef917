"""The status of a Deployment: counters, conditions, and whether a rollout gets anywhere."""

# upstream: pkg/controller/deployment/progress.go, sync.go calculateStatus

from collections.abc import Sequence

from pykube_cp.controllers.shared import deployment_replica_sets as sets
from pykube_cp.controllers.shared.conditions import find_condition, new_condition, without_condition
from pykube_cp.controllers.shared.templates import drop_zeros
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.objects import Object

PROGRESSING = "Progressing"
AVAILABLE = "Available"
REPLICA_FAILURE = "ReplicaFailure"

NEW_REPLICA_SET_AVAILABLE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
PAUSED = "DeploymentPaused"
_KEEP_ZEROS = ("terminatingReplicas", "collisionCount")


def deployment_condition(kind: str, status: str, reason: str, message: str) -> Object:
    condition = new_condition(kind, status, reason, message)
    condition["lastUpdateTime"] = condition["lastTransitionTime"]
    return condition


def progressing(deployment: Object) -> Object | None:
    return find_condition(
        objects.nested(deployment, "status", "conditions", default=[]), PROGRESSING
    )


def set_condition(status: Object, condition: Object) -> None:
    """Set in place, unless status and reason stay as they are."""
    # upstream: deployment_util.go SetDeploymentCondition
    conditions = status.get("conditions") or []
    current = find_condition(conditions, condition["type"])
    if current is not None and current.get("status") == condition["status"]:
        if current.get("reason") == condition.get("reason"):
            return
        condition["lastTransitionTime"] = current.get("lastTransitionTime")
    status["conditions"] = [*without_condition(conditions, condition["type"]), condition]


def remove_condition(status: Object, kind: str) -> None:
    status["conditions"] = without_condition(status.get("conditions") or [], kind)


def calculate(deployment: Object, all_sets: Sequence[Object], new: Object | None) -> Object:
    """Counters and the Available condition; other conditions are carried over."""
    available = sets.total_status(all_sets, "availableReplicas")
    status: Object = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": sets.total_status(all_sets, "replicas"),
        "updatedReplicas": sets.status_count(new, "replicas") if new else 0,
        "readyReplicas": sets.total_status(all_sets, "readyReplicas"),
        "availableReplicas": available,
        "unavailableReplicas": max(0, sets.total_replicas(all_sets) - available),
        "terminatingReplicas": sets.terminating_replicas(all_sets),
        "collisionCount": objects.nested(deployment, "status", "collisionCount"),
        "conditions": list(objects.nested(deployment, "status", "conditions", default=[])),
    }
    if available >= sets.replicas(deployment) - sets.max_unavailable(deployment):
        condition = deployment_condition(
            AVAILABLE, "True", "MinimumReplicasAvailable", "Deployment has minimum availability."
        )
    else:
        condition = deployment_condition(
            AVAILABLE,
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    set_condition(status, condition)
    return status


def written(status: Object) -> Object:
    """The form in which a status is stored and compared."""
    kept = {key: value for key, value in status.items() if value is not None}
    return drop_zeros(kept, keep=_KEEP_ZEROS)


def is_complete(deployment: Object, status: Object) -> bool:
    """All replicas updated and available, none of the old ones left."""
    desired = sets.replicas(deployment)
    counts = ("updatedReplicas", "replicas", "availableReplicas")
    observed: int = status.get("observedGeneration", 0)
    return all(status.get(count, 0) == desired for count in counts) and (
        observed >= deployment["metadata"].get("generation", 0)
    )


def judge_progress(deployment: Object, status: Object, new: Object | None) -> None:
    """Set the Progressing condition of ``status`` for a rollout under way."""
    current = progressing(deployment)
    if not sets.has_progress_deadline(deployment):
        remove_condition(status, PROGRESSING)
        return
    all_updated = status["replicas"] == status["updatedReplicas"]
    if all_updated and current and current.get("reason") == NEW_REPLICA_SET_AVAILABLE:
        return
    who = f'ReplicaSet "{objects.name(new)}"' if new else f'Deployment "{objects.name(deployment)}"'
    if is_complete(deployment, status):
        message = f"{who} has successfully progressed."
        set_condition(
            status, deployment_condition(PROGRESSING, "True", NEW_REPLICA_SET_AVAILABLE, message)
        )
    elif _made_progress(deployment, status):
        _note_progress(status, current, f"{who} is progressing.")
    elif _timed_out(deployment, status):
        message = f"{who} has timed out progressing."
        set_condition(status, deployment_condition(PROGRESSING, "False", TIMED_OUT, message))


def _note_progress(status: Object, current: Object | None, message: str) -> None:
    """Progress renews ``lastUpdateTime`` even where status and reason stay."""
    condition = deployment_condition(PROGRESSING, "True", "ReplicaSetUpdated", message)
    if current is not None:
        if current.get("status") == "True":
            condition["lastTransitionTime"] = current.get("lastTransitionTime")
        remove_condition(status, PROGRESSING)
    set_condition(status, condition)


def _made_progress(deployment: Object, status: Object) -> bool:
    # upstream: deployment_util.go DeploymentProgressing
    def before(field: str) -> int:
        return sets.status_count(deployment, field)

    growing = ("updatedReplicas", "readyReplicas", "availableReplicas")
    if any(status[field] > before(field) for field in growing):
        return True
    old_before = before("replicas") - before("updatedReplicas")
    return bool(status["replicas"] - status["updatedReplicas"] < old_before)


def _timed_out(deployment: Object, status: Object) -> bool:
    # upstream: deployment_util.go DeploymentTimedOut
    condition = find_condition(status["conditions"], PROGRESSING)
    if condition is None or condition.get("reason") == NEW_REPLICA_SET_AVAILABLE:
        return False
    if condition.get("reason") == TIMED_OUT:
        return True
    return _deadline(deployment, condition) < clock.now()


def _deadline(deployment: Object, condition: Object) -> float:
    since = clock.parse_time(condition["lastUpdateTime"])
    seconds: int = deployment["spec"]["progressDeadlineSeconds"]
    return since + seconds


def progress_check_after(deployment: Object, status: Object) -> float | None:
    """Seconds until a rollout that does not move has to be looked at again."""
    # upstream: progress.go requeueStuckDeployment
    current = progressing(deployment)
    if current is None or not sets.has_progress_deadline(deployment):
        return None
    if is_complete(deployment, status) or current.get("reason") == TIMED_OUT:
        return None
    # A second more, since stored times have no fractions.
    return max(0.0, _deadline(deployment, current) - clock.now()) + 1


def replica_failure(all_sets: Sequence[Object], new: Object | None) -> Object | None:
    """The failure that a ReplicaSet reports, as a condition of the Deployment."""
    for replica_set in [*([new] if new else []), *all_sets]:
        conditions = objects.nested(replica_set, "status", "conditions", default=[])
        found = find_condition(conditions, REPLICA_FAILURE)
        if found is not None:
            return {**found, "lastUpdateTime": found.get("lastTransitionTime")}
    return None
