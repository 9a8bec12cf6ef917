"""How a Deployment and its ReplicaSets relate: revisions, sizes, proportions, annotations."""

# upstream: pkg/controller/deployment/util/deployment_util.go

import math
from collections.abc import Iterable

from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.templates import equal_ignoring_hash, int_or_percent
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object

REVISION = "deployment.kubernetes.io/revision"
REVISION_HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"
ROLLBACK_TO = "deprecated.deployment.rollback.to"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_NOT_COPIED = frozenset(
    (LAST_APPLIED, REVISION, REVISION_HISTORY, DESIRED_REPLICAS, MAX_REPLICAS, ROLLBACK_TO)
)
_MAX_HISTORY_CHARS = 2000
_MAX_INT32 = 2**31 - 1


def replicas(obj: Object) -> int:
    """``spec.replicas`` of any workload; 1 where nothing is said."""
    found: int = objects.nested(obj, "spec", "replicas", default=1)
    return found


def status_count(obj: Object, field: str) -> int:
    found: int = objects.nested(obj, "status", field, default=0)
    return found


def total_replicas(replica_sets: Iterable[Object]) -> int:
    return sum(map(replicas, replica_sets))


def total_status(replica_sets: Iterable[Object], field: str) -> int:
    return sum(status_count(replica_set, field) for replica_set in replica_sets)


def terminating_replicas(replica_sets: Iterable[Object]) -> int | None:
    """Their sum; None while one that has been observed does not report it."""
    total = 0
    for replica_set in replica_sets:
        status = replica_set.get("status") or {}
        count = status.get("terminatingReplicas")
        if count is None and status.get("observedGeneration"):
            return None
        total += count or 0
    return total


def active(replica_sets: Iterable[Object]) -> list[Object]:
    """Those that have, or ought to have, pods."""
    return [replica_set for replica_set in replica_sets if replicas(replica_set) > 0]


def find_new(deployment: Object, replica_sets: Iterable[Object]) -> Object | None:
    """The ReplicaSet with the Deployment's template; the oldest if there are several."""
    template = deployment["spec"]["template"]
    for replica_set in sorted(replica_sets, key=pod_state.by_age):
        if equal_ignoring_hash(replica_set["spec"]["template"], template):
            return replica_set
    return None


def find_old(new: Object | None, replica_sets: Iterable[Object]) -> list[Object]:
    if new is None:
        return list(replica_sets)
    uid = objects.uid(new)
    return [replica_set for replica_set in replica_sets if objects.uid(replica_set) != uid]


def is_rolling_update(deployment: Object) -> bool:
    return bool(objects.nested(deployment, "spec", "strategy", "type") == "RollingUpdate")


def fenceposts(deployment: Object) -> tuple[int, int]:
    """``(maxSurge, maxUnavailable)`` as numbers; at least one of them is not 0."""
    # upstream: deployment_util.go ResolveFenceposts
    rolling = objects.nested(deployment, "spec", "strategy", "rollingUpdate", default={})
    desired = replicas(deployment)
    surge = int_or_percent(rolling.get("maxSurge", 0), desired, round_up=True)
    unavailable = int_or_percent(rolling.get("maxUnavailable", 0), desired, round_up=False)
    return surge, 1 if surge == 0 and unavailable == 0 else unavailable


def max_surge(deployment: Object) -> int:
    return fenceposts(deployment)[0] if is_rolling_update(deployment) else 0


def max_unavailable(deployment: Object) -> int:
    if not is_rolling_update(deployment) or replicas(deployment) == 0:
        return 0
    return min(fenceposts(deployment)[1], replicas(deployment))


def new_replica_set_size(deployment: Object, all_sets: Iterable[Object], new: Object) -> int:
    """How many replicas the new ReplicaSet should have now."""
    # upstream: deployment_util.go NewRSNewReplicas
    if not is_rolling_update(deployment):
        return replicas(deployment)
    room = replicas(deployment) + max_surge(deployment) - total_replicas(all_sets)
    if room <= 0:
        return replicas(new)
    return replicas(new) + min(room, replicas(deployment) - replicas(new))


def is_saturated(deployment: Object, replica_set: Object | None) -> bool:
    """Whether the new ReplicaSet holds all replicas of the Deployment, and all are available."""
    if replica_set is None:
        return False
    desired = replicas(deployment)
    return (
        replicas(replica_set) == desired
        and objects.annotations(replica_set).get(DESIRED_REPLICAS) == str(desired)
        and status_count(replica_set, "availableReplicas") == desired
    )


def active_or_latest(new: Object | None, old: list[Object]) -> Object | None:
    """The only active ReplicaSet, or the latest if none is; None if several are active."""
    # upstream: deployment_util.go FindActiveOrLatest
    if new is None and not old:
        return None
    newest_first = sorted(old, key=pod_state.by_age, reverse=True)
    candidates = active([*newest_first, *([new] if new else [])])
    if len(candidates) > 1:
        return None
    return candidates[0] if candidates else new or newest_first[0]


def proportion(replica_set: Object, deployment: Object, to_add: int, added: int) -> int:
    """The share of ``to_add`` replicas that this ReplicaSet gets when ``added`` are given out."""
    # upstream: deployment_util.go GetReplicaSetProportion
    if replicas(replica_set) == 0 or to_add in {0, added}:
        return 0
    fraction = _fraction(replica_set, deployment)
    allowed = to_add - added
    return min(fraction, allowed) if to_add > 0 else max(fraction, allowed)


def _fraction(replica_set: Object, deployment: Object) -> int:
    size = replicas(replica_set)
    if replicas(deployment) == 0:
        return -size
    before = annotated_count(replica_set, MAX_REPLICAS) or status_count(deployment, "replicas")
    if before == 0:
        return 0
    scaled = size * (replicas(deployment) + max_surge(deployment)) / before
    return math.floor(scaled + 0.5) - size


def annotated_count(replica_set: Object, annotation: str) -> int | None:
    text = objects.annotations(replica_set).get(annotation, "")
    if not text.isascii() or not text.isdigit() or int(text) > _MAX_INT32:
        return None
    return int(text)


def set_replicas_annotations(replica_set: Object, deployment: Object) -> bool:
    """Note the Deployment's size on a ReplicaSet of our own; True if that changed it."""
    annotations = replica_set["metadata"].setdefault("annotations", {})
    wanted = wanted_replicas_annotations(deployment)
    changed = any(annotations.get(key) != value for key, value in wanted.items())
    annotations.update(wanted)
    return changed


def wanted_replicas_annotations(deployment: Object) -> dict[str, str]:
    desired = replicas(deployment)
    return {DESIRED_REPLICAS: str(desired), MAX_REPLICAS: str(desired + max_surge(deployment))}


def revision(obj: Object) -> int | None:
    """The revision number; 0 if there is none, None if it is not a number."""
    text = objects.annotations(obj).get(REVISION)
    if text is None:
        return 0
    try:
        return int(text)
    except ValueError:
        return None


def max_revision(replica_sets: Iterable[Object]) -> int:
    return max((revision(replica_set) or 0 for replica_set in replica_sets), default=0)


def last_revision(replica_sets: Iterable[Object]) -> int:
    """The second highest revision, 0 if there is none."""
    known = sorted((revision(replica_set) or 0 for replica_set in replica_sets), reverse=True)
    return known[1] if len(known) > 1 else 0


def by_revision(replica_set: Object) -> tuple[int, float, str]:
    """Sort key: lowest revision first, then age."""
    return (revision(replica_set) or 0, *pod_state.by_age(replica_set))


def set_new_annotations(
    deployment: Object, new: Object, new_revision: int, *, exists: bool
) -> bool:
    """Bring annotations of the new ReplicaSet (our own copy) up to date; True if they changed."""
    # upstream: deployment_util.go SetNewReplicaSetAnnotations
    annotations: dict[str, str] = new["metadata"].setdefault("annotations", {})
    changed = _copy_annotations(deployment, annotations)
    old_text = annotations.get(REVISION)
    old_revision = revision(new)
    if old_revision is None:
        return False
    if old_revision < new_revision:
        annotations[REVISION] = str(new_revision)
        changed = True
        if old_text is not None:
            _remember_revision(annotations, old_text)
    if not exists and set_replicas_annotations(new, deployment):
        changed = True
    return changed


def _remember_revision(annotations: dict[str, str], old: str) -> None:
    """Append a revision that a rollback replaces to the history, and drop the oldest."""
    history = [part for part in annotations.get(REVISION_HISTORY, "").split(",") if part]
    history.append(old)
    while len(history) > 1 and len(",".join(history)) > _MAX_HISTORY_CHARS:
        del history[0]
    annotations[REVISION_HISTORY] = ",".join(history)


def _copy_annotations(deployment: Object, annotations: dict[str, str]) -> bool:
    wanted = {
        key: value
        for key, value in objects.annotations(deployment).items()
        if key not in _NOT_COPIED and annotations.get(key) != value
    }
    annotations.update(wanted)
    return bool(wanted)


def restore_annotations(deployment: Object, replica_set: Object) -> None:
    """Give the Deployment (our own copy) the annotations of the ReplicaSet it rolls back to."""
    # upstream: deployment_util.go SetDeploymentAnnotationsTo
    kept = {k: v for k, v in objects.annotations(deployment).items() if k in _NOT_COPIED}
    restored = {k: v for k, v in objects.annotations(replica_set).items() if k not in _NOT_COPIED}
    deployment["metadata"]["annotations"] = {**kept, **restored}


def rollback_revision(deployment: Object) -> int | None:
    """The revision to roll back to, 0 for the last one; None when no rollback is asked for."""
    # upstream: pkg/controller/deployment/rollback.go getRollbackTo
    try:
        return int(objects.annotations(deployment).get(ROLLBACK_TO, ""))
    except ValueError:
        return None


def has_progress_deadline(deployment: Object) -> bool:
    return objects.nested(deployment, "spec", "progressDeadlineSeconds") not in {None, _MAX_INT32}


def has_revision_history_limit(deployment: Object) -> bool:
    return objects.nested(deployment, "spec", "revisionHistoryLimit") not in {None, _MAX_INT32}
