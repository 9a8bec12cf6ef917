"""Keeps PersistentVolumeClaims from vanishing while Pods use them, and says which are unused."""
# upstream: pkg/controller/volume/pvcprotection/pvc_protection_controller.go Controller

from collections.abc import Callable, Iterable

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.conditions import find_condition, new_condition
from pykube_cp.controllers.shared.kinds import PERSISTENT_VOLUME_CLAIMS, PODS
from pykube_cp.controllers.shared.protection import is_deletion_candidate, needs_finalizer, set_held
from pykube_cp.controllers.shared.volume_claims import (
    PODS_BY_CLAIM,
    claim_index,
    has_ended,
    uses_claim,
)
from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object

FINALIZER = "kubernetes.io/pvc-protection"


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    claim = ctx.lister(PERSISTENT_VOLUME_CLAIMS).get(key)
    if claim is None:
        return None
    if not objects.is_deleting(claim) and _phase(claim) == "Bound":
        claim = await _tell_use(ctx, claim)
    if is_deletion_candidate(claim, FINALIZER):
        if not await _is_used(ctx, claim, _holds):
            await set_held(ctx.client, PERSISTENT_VOLUME_CLAIMS, claim, FINALIZER, held=False)
    elif needs_finalizer(claim, FINALIZER):
        await set_held(ctx.client, PERSISTENT_VOLUME_CLAIMS, claim, FINALIZER, held=True)
    return None


def _phase(claim: Object) -> str:
    found: str = objects.nested(claim, "status", "phase", default="")
    return found


async def _is_used(
    ctx: ControllerContext, claim: Object, uses: Callable[[Object, Object], bool]
) -> bool:
    """Whether a Pod uses the claim; a no is checked on the server, as it cannot be taken back."""
    known = ctx.lister(PODS).by_index(PODS_BY_CLAIM, objects.key(claim))
    if any(uses(pod, claim) for pod in known):
        return True
    live = await ctx.client.list(PODS, objects.namespace(claim))
    return any(uses(pod, claim) for pod in live.items)


def _holds(pod: Object, claim: Object) -> bool:
    """Whether the Pod keeps a claim from going: only one that a kubelet has does."""
    # upstream: pkg/controller/volume/pvcprotection/pvc_protection_controller.go
    # podUsesPVCForDeletion
    if not pod["spec"].get("nodeName") or not uses_claim(pod, claim):
        return False
    volumes = pod["spec"]["volumes"]
    named = {objects.nested(item, "persistentVolumeClaim", "claimName") for item in volumes}
    return objects.name(claim) in named or not _is_shut_down(pod)


def _is_shut_down(pod: Object) -> bool:
    """Whether the kubelet is done with the Pod, which only waits to be collected.

    Its own claims may go then, or the two could wait for one another.
    """
    return objects.is_deleting(pod) and objects.metadata(pod).get("deletionGracePeriodSeconds") == 0


def _refers(pod: Object, claim: Object) -> bool:
    return not has_ended(pod) and uses_claim(pod, claim)


async def _tell_use(ctx: ControllerContext, claim: Object) -> Object:
    """Keep the condition Unused; answers with the claim as it is afterwards."""
    # upstream: pkg/controller/volume/pvcprotection/pvc_protection_controller.go
    # updateUnusedCondition
    found = find_condition(objects.nested(claim, "status", "conditions", default=[]), "Unused")
    current = found["status"] if found else ""
    if await _is_used(ctx, claim, _refers):
        text = "A pod is currently referencing this PVC"
        wanted = new_condition("Unused", "False", "PodUsingPVC", text)
        is_told = current in {"False", "Unknown"}
    else:
        text = "No pods are currently referencing this PVC"
        wanted = new_condition("Unused", "True", "NoPodsUsingPVC", text)
        is_told = current == "True"
    if is_told:
        return claim
    copy = objects.deep_copy(claim)
    others = [item for item in copy["status"].get("conditions") or () if item["type"] != "Unused"]
    copy["status"]["conditions"] = [*others, wanted]
    return await ctx.client.update(PERSISTENT_VOLUME_CLAIMS, copy, subresource="status")


def _claim_changed(
    _ctx: ControllerContext, _old: Object | None, new: Object | None
) -> Iterable[str]:
    if new is None:
        return ()
    conditions = objects.nested(new, "status", "conditions", default=[])
    concerns = (
        find_condition(conditions, "Unused") is None
        or needs_finalizer(new, FINALIZER)
        or is_deletion_candidate(new, FINALIZER)
    )
    return (objects.key(new),) if concerns else ()


CONTROLLER = Controller(
    name="persistentvolumeclaim-protection-controller",
    aliases=("pvc-protection",),
    identity="pvc-protection-controller",
    watches=(
        Watch(PERSISTENT_VOLUME_CLAIMS, changed=_claim_changed),
        Watch(PODS, keys=claim_index, indexes={PODS_BY_CLAIM: claim_index}),
    ),
    reconcile=reconcile,
)
