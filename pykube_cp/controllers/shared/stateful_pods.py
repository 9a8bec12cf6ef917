"""Pods of StatefulSets: identity, storage, and who owns their claims."""

# upstream: pkg/controller/statefulset/stateful_set_utils.go

import re
from collections.abc import Callable, Iterable, Iterator

from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.controller_refs import new_controller_ref
from pykube_cp.controllers.shared.deployment_replica_sets import replicas
from pykube_cp.controllers.shared.kinds import POD, STATEFUL_SET
from pykube_cp.controllers.shared.templates import int_or_percent, pod_from_template
from pykube_cp.machinery import objects
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.objects import Object

POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name"
POD_INDEX_LABEL = "apps.kubernetes.io/pod-index"
REVISION_LABEL = "controller-revision-hash"
_NAME = re.compile(r"(.*)-([0-9]+)$", re.DOTALL)
_MAX_INT32 = 2**31 - 1


def parent_and_ordinal(pod: Object) -> tuple[str, int]:
    """The set's name and the ordinal in a pod's name; ``("", -1)`` for any other name."""
    match = _NAME.match(objects.name(pod))
    if match is None:
        return "", -1
    ordinal = int(match[2])
    return match[1], ordinal if ordinal <= _MAX_INT32 else -1


def ordinal_of(pod: Object) -> int:
    return parent_and_ordinal(pod)[1]


def is_member(stateful_set: Object, pod: Object) -> bool:
    return parent_and_ordinal(pod)[0] == objects.name(stateful_set)


def start_ordinal(stateful_set: Object) -> int:
    found: int = objects.nested(stateful_set, "spec", "ordinals", "start", default=0)
    return found


def in_ordinal_range(pod: Object, stateful_set: Object) -> bool:
    start = start_ordinal(stateful_set)
    return start <= ordinal_of(pod) < start + replicas(stateful_set)


def allows_burst(stateful_set: Object) -> bool:
    return bool(stateful_set["spec"].get("podManagementPolicy") == "Parallel")


def update_strategy(stateful_set: Object) -> str:
    found: str = objects.nested(
        stateful_set, "spec", "updateStrategy", "type", default="RollingUpdate"
    )
    return found


def rolling_update(stateful_set: Object) -> Object | None:
    found: Object | None = objects.nested(stateful_set, "spec", "updateStrategy", "rollingUpdate")
    return found


def partition(stateful_set: Object) -> int:
    found: int = (rolling_update(stateful_set) or {}).get("partition", 0)
    return found


def max_unavailable(stateful_set: Object) -> int:
    value = (rolling_update(stateful_set) or {}).get("maxUnavailable")
    if value is None:
        return 1
    return max(1, int_or_percent(value, replicas(stateful_set), round_up=False))


# States


def is_created(pod: Object) -> bool:
    return bool(pod_state.phase(pod))


def is_running_and_ready(pod: Object) -> bool:
    return pod_state.phase(pod) == "Running" and pod_state.is_ready(pod)


def is_unavailable(pod: Object, min_ready_seconds: int, now: float) -> bool:
    return objects.is_deleting(pod) or not pod_state.is_available(pod, min_ready_seconds, now)


def revision_of(pod: Object) -> str:
    return objects.labels(pod).get(REVISION_LABEL, "")


# Identity and storage


def new_pod(stateful_set: Object, ordinal: int, revision: str) -> Object:
    ref = new_controller_ref(stateful_set, STATEFUL_SET)
    pod = pod_from_template(stateful_set["spec"]["template"], stateful_set, ref)
    name = f"{objects.name(stateful_set)}-{ordinal}"
    del pod["metadata"]["generateName"]
    pod["metadata"]["name"] = name
    update_identity(stateful_set, pod)
    pod["metadata"]["labels"][REVISION_LABEL] = revision
    pod["spec"]["hostname"] = name
    if stateful_set["spec"].get("serviceName"):
        pod["spec"]["subdomain"] = stateful_set["spec"]["serviceName"]
    update_storage(stateful_set, pod)
    return pod


def new_versioned_pod(
    current: Object, update: Object, current_revision: str, update_revision: str, ordinal: int
) -> Object:
    """A new pod, of the old revision where the rollout has not come to its ordinal yet."""
    # upstream: stateful_set_utils.go newVersionedStatefulSetPod
    start = start_ordinal(current)
    if rolling_update(current) is not None:
        keeps_old = ordinal < start + partition(current)
    else:
        count = objects.nested(current, "status", "currentReplicas", default=0)
        keeps_old = update_strategy(current) == "RollingUpdate" and ordinal < start + count
    if keeps_old:
        return new_pod(current, ordinal, current_revision)
    return new_pod(update, ordinal, update_revision)


def identity_matches(stateful_set: Object, pod: Object) -> bool:
    parent, ordinal = parent_and_ordinal(pod)
    return (
        ordinal >= 0
        and parent == objects.name(stateful_set)
        and objects.name(pod) == f"{parent}-{ordinal}"
        and objects.namespace(pod) == objects.namespace(stateful_set)
        and objects.labels(pod).get(POD_NAME_LABEL) == objects.name(pod)
    )


def update_identity(stateful_set: Object, pod: Object) -> None:
    """Set name, namespace and labels of our own pod as its ordinal demands."""
    ordinal = ordinal_of(pod)
    meta = pod["metadata"]
    meta["name"] = f"{objects.name(stateful_set)}-{ordinal}"
    meta["namespace"] = objects.namespace(stateful_set)
    labels = {POD_NAME_LABEL: meta["name"], POD_INDEX_LABEL: str(ordinal)}
    meta["labels"] = {**(meta.get("labels") or {}), **labels}


def claim_templates(stateful_set: Object) -> list[Object]:
    found: list[Object] = stateful_set["spec"].get("volumeClaimTemplates") or []
    return found


def claim_name(stateful_set: Object, template: Object, ordinal: int) -> str:
    return f"{objects.name(template)}-{objects.name(stateful_set)}-{ordinal}"


def claim_names(stateful_set: Object, pod: Object) -> Iterator[str]:
    for template in claim_templates(stateful_set):
        yield claim_name(stateful_set, template, ordinal_of(pod))


def new_claims(stateful_set: Object, pod: Object) -> Iterator[Object]:
    """The claims the pod needs, as they would be created."""
    # upstream: stateful_set_utils.go getPersistentVolumeClaims
    selected = objects.nested(stateful_set, "spec", "selector", "matchLabels", default={})
    for template in claim_templates(stateful_set):
        claim: Object = objects.deep_copy(template)
        claim.pop("status", None)
        meta = claim["metadata"]
        meta["name"] = claim_name(stateful_set, template, ordinal_of(pod))
        meta["namespace"] = objects.namespace(stateful_set)
        meta["labels"] = {**(meta.get("labels") or {}), **selected}
        yield {"apiVersion": "v1", "kind": "PersistentVolumeClaim", **claim}


def _claim_volumes(stateful_set: Object, pod: Object) -> dict[str, str]:
    """Volume name -> claim name."""
    ordinal = ordinal_of(pod)
    return {
        objects.name(template): claim_name(stateful_set, template, ordinal)
        for template in claim_templates(stateful_set)
    }


def storage_matches(stateful_set: Object, pod: Object) -> bool:
    if ordinal_of(pod) < 0:
        return False
    volumes = {
        volume["name"]: objects.nested(volume, "persistentVolumeClaim", "claimName")
        for volume in objects.nested(pod, "spec", "volumes", default=[])
    }
    wanted = _claim_volumes(stateful_set, pod)
    return all(volumes.get(name) == claim for name, claim in wanted.items())


def update_storage(stateful_set: Object, pod: Object) -> None:
    """Give our own pod volumes for its claims, before those it has besides."""
    wanted = _claim_volumes(stateful_set, pod)
    volumes: list[Object] = [
        {"name": name, "persistentVolumeClaim": {"claimName": claim}}
        for name, claim in wanted.items()
    ]
    volumes += [v for v in pod["spec"].get("volumes") or [] if v["name"] not in wanted]
    if volumes:
        pod["spec"]["volumes"] = volumes


# Retention of claims


def retention_policy(stateful_set: Object) -> tuple[bool, bool]:
    """Whether claims go when the set is deleted, and when it is scaled down."""
    policy = stateful_set["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
    return policy.get("whenDeleted") == "Delete", policy.get("whenScaled") == "Delete"


def _means(ref: Object, owner: Object, kind: GVK) -> bool:
    return (
        ref.get("apiVersion") == kind.api_version
        and ref.get("kind") == kind.kind
        and ref.get("name") == objects.name(owner)
    )


def has_stale_owner(claim: Object, owner: Object, kind: GVK) -> bool:
    """Whether a claim is still owned by an earlier object of the owner's name."""
    ref = next((r for r in objects.owner_references(claim) if _means(r, owner, kind)), None)
    return ref is not None and ref.get("uid") != objects.uid(owner)


def has_unexpected_controller(claim: Object, stateful_set: Object, pod: Object) -> bool:
    """Whether someone else controls a claim that this set's policy would delete."""
    if not any(retention_policy(stateful_set)):
        return False
    ours = {objects.uid(stateful_set), objects.uid(pod)}
    for ref in objects.owner_references(claim):
        if _means(ref, stateful_set, STATEFUL_SET) or _means(ref, pod, POD):
            if ref.get("uid") not in ours:
                return True
        elif ref.get("controller"):
            return True
    return False


def _has_owner(claim: Object, owner: Object) -> bool:
    return any(ref.get("uid") == objects.uid(owner) for ref in objects.owner_references(claim))


def _wanted_owners(stateful_set: Object, pod: Object) -> tuple[bool, bool]:
    """Whether the set, and whether the pod, should own the pod's claims."""
    when_deleted, when_scaled = retention_policy(stateful_set)
    condemned = not in_ordinal_range(pod, stateful_set)
    by_pod = when_scaled and condemned
    return when_deleted and not by_pod, by_pod


def claim_owners_match(claim: Object, stateful_set: Object, pod: Object) -> bool:
    """Whether the owner references of a claim are as the retention policy wants them."""
    # upstream: stateful_set_utils.go isClaimOwnerUpToDate
    if has_stale_owner(claim, stateful_set, STATEFUL_SET) or has_stale_owner(claim, pod, POD):
        # The old owner is going, and the claim with it: leave that to the garbage collector.
        return True
    owned_by_set, owned_by_pod = _has_owner(claim, stateful_set), _has_owner(claim, pod)
    if has_unexpected_controller(claim, stateful_set, pod):
        return not owned_by_set and not owned_by_pod
    ours = {objects.uid(stateful_set), objects.uid(pod)}
    for ref in objects.owner_references(claim):
        if ref.get("uid") in ours and not ref.get("controller"):
            return False
    return (owned_by_set, owned_by_pod) == _wanted_owners(stateful_set, pod)


def update_claim_owners(claim: Object, stateful_set: Object, pod: Object) -> None:
    """Set the owner references of our own copy of a claim."""
    # upstream: stateful_set_utils.go updateClaimOwnerRefForSetAndPod
    conflict = has_unexpected_controller(claim, stateful_set, pod)
    refs = [
        ref
        for ref in objects.owner_references(claim)
        if not _means(ref, stateful_set, STATEFUL_SET) and not _means(ref, pod, POD)
    ]
    if not conflict:
        by_set, by_pod = _wanted_owners(stateful_set, pod)
        if by_pod:
            refs.append(new_controller_ref(pod, POD))
        if by_set:
            refs.append(new_controller_ref(stateful_set, STATEFUL_SET))
    claim["metadata"]["ownerReferences"] = refs


def count_pods(pods: Iterable[Object], matches: Callable[[Object], bool]) -> int:
    return sum(map(matches, pods))
