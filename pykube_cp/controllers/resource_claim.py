"""Makes ResourceClaims for Pods from templates, and ends reservations of Pods that are done."""
# upstream: pkg/controller/resourceclaim/controller.go Controller

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pykube_cp.client.interface import PatchType, WriteOptions
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import pods as pod_states
from pykube_cp.controllers.shared.cluster_kinds import RESOURCE_CLAIM_TEMPLATES, RESOURCE_CLAIMS
from pykube_cp.controllers.shared.kinds import PODS
from pykube_cp.controllers.shared.written import WrittenObjects
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object

_MANAGER = "ResourceClaimController"
_POD, _CLAIM = "pod:", "claim:"
_BY_CLAIM = "resource-claim-claim"
_BY_TEMPLATE = "resource-claim-template"
_POD_CLAIM_ANNOTATION = "resource.kubernetes.io/pod-claim-name"
_FINALIZER = "resource.kubernetes.io/delete-protection"
# With the hyphen and five random characters behind it a name has 63 characters.
_LONGEST_BASE = 57
_MOST_CONSUMERS = 256


class ClaimError(Exception):
    """A claim of a Pod cannot be had; the text says why."""


@dataclass(slots=True)
class State:
    """``claims``: as the informer shows them, or as they were written here."""

    claims: WrittenObjects


def _set_up(ctx: ControllerContext) -> State:
    lister = ctx.lister(RESOURCE_CLAIMS)
    return State(WrittenObjects(lister.get, lister.list))


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    kind, _, name = key.partition(":")
    if f"{kind}:" == _POD:
        pod = ctx.lister(PODS).get(name)
        if pod is not None and not objects.is_deleting(pod) and not _is_done(pod):
            await _sync_pod(ctx, pod)
        return None
    claim = ctx.lister(RESOURCE_CLAIMS).get(name)
    if claim is not None:
        await _sync_claim(ctx, claim)
    return None


# --- what Pods say of claims


def _pod_claims(pod: Object) -> list[Object]:
    found: list[Object] = pod["spec"].get("resourceClaims") or []
    return found


def _generated_names(pod: Object) -> dict[str, str | None]:
    """Pod claim -> name of the ResourceClaim made for it; None where none is needed."""
    statuses = objects.nested(pod, "status", "resourceClaimStatuses", default=())
    return {item["name"]: item.get("resourceClaimName") for item in statuses}


def claim_names(pod: Object) -> Iterator[str]:
    """Names of the ResourceClaims that a Pod uses, as far as they are known."""
    generated = _generated_names(pod)
    for pod_claim in _pod_claims(pod):
        name = pod_claim.get("resourceClaimName") or generated.get(pod_claim["name"])
        if name:
            yield name
    extended = objects.nested(pod, "status", "extendedResourceClaimStatus", "resourceClaimName")
    if extended:
        yield extended


def _is_done(pod: Object) -> bool:
    unscheduled = not pod_states.node_name(pod)
    return pod_states.is_terminal(pod) or (objects.is_deleting(pod) and unscheduled)


# --- Pods


async def _sync_pod(ctx: ControllerContext, pod: Object) -> None:
    made: dict[str, str] = {}
    for pod_claim in _pod_claims(pod):
        try:
            name = await _ensure_claim(ctx, pod, pod_claim)
        except (ClaimError, StatusError) as err:
            text = f"PodResourceClaim {pod_claim['name']}: {err}"
            ctx.recorder.event(pod, "Warning", "FailedResourceClaimCreation", text)
            raise ClaimError(f"pod {objects.key(pod)}, {text}") from err
        if name:
            made[pod_claim["name"]] = name
    if made:
        await _tell_names(ctx, pod, made)
    if pod_states.node_name(pod):
        await _reserve_all(ctx, pod)


async def _ensure_claim(ctx: ControllerContext, pod: Object, pod_claim: Object) -> str:
    """Name of a ResourceClaim that the Pod's status does not tell of yet, or empty."""
    # upstream: pkg/controller/resourceclaim/controller.go handleClaim
    state: State = ctx.state
    template_name = pod_claim.get("resourceClaimTemplateName")
    if not template_name:
        return ""
    generated = _generated_names(pod)
    if pod_claim["name"] in generated:
        known = generated[pod_claim["name"]]
        if known is None:
            return ""
        claim = state.claims.get(objects.join_key(objects.namespace(pod), known))
        if claim is not None and _is_owned_by(claim, pod):
            return ""
    found = _find_made_for(ctx, pod, pod_claim["name"])
    if found is not None:
        return objects.name(found)
    template_key = objects.join_key(objects.namespace(pod), template_name)
    template = ctx.lister(RESOURCE_CLAIM_TEMPLATES).get(template_key)
    if template is None:
        raise ClaimError(
            f'resource claim template "{template_name}": '
            f'resourceclaimtemplate.resource.k8s.io "{template_name}" not found'
        )
    made = _new_claim(pod, pod_claim["name"], template)
    created = await ctx.client.create(RESOURCE_CLAIMS, made, objects.namespace(pod))
    return objects.name(state.claims.remember(created))


def _is_owned_by(claim: Object, pod: Object) -> bool:
    owner = objects.controller_of(claim)
    return owner is not None and owner.get("uid") == objects.uid(pod)


def _find_made_for(ctx: ControllerContext, pod: Object, pod_claim: str) -> Object | None:
    """A claim made before, whose name could not be told."""
    state: State = ctx.state
    seen = ctx.lister(RESOURCE_CLAIMS).controlled_by(objects.uid(pod))
    for claim in (*seen, *state.claims.unseen()):
        made_for = objects.annotations(claim).get(_POD_CLAIM_ANNOTATION)
        if made_for == pod_claim and _is_owned_by(claim, pod):
            return claim
    return None


def _new_claim(pod: Object, pod_claim: str, template: Object) -> Object:
    spec = objects.deep_copy(template["spec"])
    metadata = objects.metadata(spec)
    return {
        "apiVersion": RESOURCE_CLAIMS.api_version,
        "kind": "ResourceClaim",
        "metadata": {
            "generateName": generate_name(objects.name(pod), pod_claim),
            "namespace": objects.namespace(pod),
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": objects.name(pod),
                    "uid": objects.uid(pod),
                    "controller": True,
                }
            ],
            "annotations": {
                **(metadata.get("annotations") or {}),
                _POD_CLAIM_ANNOTATION: pod_claim,
            },
            "labels": metadata.get("labels") or {},
        },
        "spec": spec["spec"],
    }


def generate_name(pod: str, pod_claim: str) -> str:
    """Where it would be too long, both parts are cut in proportion."""
    name = f"{pod}-{pod_claim}-"
    if len(name) <= _LONGEST_BASE:
        return name
    first = pod[: len(pod) * _LONGEST_BASE // len(name)]
    return f"{first}-{pod_claim[: len(pod_claim) * _LONGEST_BASE // len(name)]}"


async def _tell_names(ctx: ControllerContext, pod: Object, made: dict[str, str]) -> None:
    known = {name: claim for name, claim in _generated_names(pod).items() if claim}
    names = {**known, **made}
    statuses = [{"name": name, "resourceClaimName": names[name]} for name in sorted(names)]
    apply = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": objects.name(pod), "namespace": objects.namespace(pod)},
        "status": {"resourceClaimStatuses": statuses},
    }
    await ctx.client.patch(
        PODS,
        objects.name(pod),
        apply,
        PatchType.APPLY,
        objects.namespace(pod),
        subresource="status",
        options=WriteOptions(field_manager=_MANAGER, force=True),
    )


async def _reserve_all(ctx: ControllerContext, pod: Object) -> None:
    """Reserve what a Pod needs that came to its node without the scheduler's doing."""
    state: State = ctx.state
    for name in claim_names(pod):
        claim = state.claims.get(objects.join_key(objects.namespace(pod), name))
        if claim is None:
            return
        status = claim.get("status") or {}
        consumers = status.get("reservedFor") or []
        reserved = any(item.get("uid") == objects.uid(pod) for item in consumers)
        if not status.get("allocation") or reserved or len(consumers) >= _MOST_CONSUMERS:
            continue
        changed = objects.deep_copy(claim)
        consumer = {"resource": "pods", "name": objects.name(pod), "uid": objects.uid(pod)}
        changed["status"]["reservedFor"] = [*consumers, consumer]
        written = await ctx.client.update(RESOURCE_CLAIMS, changed, subresource="status")
        state.claims.remember(written)


# --- claims


async def _sync_claim(ctx: ControllerContext, claim: Object) -> None:
    # upstream: pkg/controller/resourceclaim/controller.go syncClaim
    consumers = objects.nested(claim, "status", "reservedFor", default=[])
    remaining = [item for item in consumers if await _is_consumer(ctx, claim, item)]
    is_ours = _FINALIZER in objects.finalizers(claim)
    ended = len(remaining) < len(consumers)
    if ended or (is_ours and objects.is_deleting(claim) and not remaining):
        claim = await _release(ctx, claim, remaining, deallocate=is_ours and not remaining)
    if not remaining:
        await _delete_if_done(ctx, claim)


async def _is_consumer(ctx: ControllerContext, claim: Object, consumer: Object) -> bool:
    """Whether a reservation still holds; that a Pod is gone is for the server to say."""
    if consumer.get("apiGroup") or consumer.get("resource") != "pods":
        return True
    namespace = objects.namespace(claim)
    pod = ctx.lister(PODS).named(consumer["name"], namespace)
    if pod is None:
        try:
            pod = await ctx.client.get(PODS, consumer["name"], namespace)
        except StatusError as err:
            if is_not_found(err):
                return False
            raise
        return objects.uid(pod) == consumer.get("uid")
    return objects.uid(pod) == consumer.get("uid") and not _is_done(pod)


async def _release(
    ctx: ControllerContext, claim: Object, remaining: list[Object], *, deallocate: bool
) -> Object:
    state: State = ctx.state
    changed = objects.deep_copy(claim)
    status = changed.setdefault("status", {})
    status["reservedFor"] = remaining
    if deallocate:
        status.pop("allocation", None)
    if changed != claim:
        claim = await ctx.client.update(RESOURCE_CLAIMS, changed, subresource="status")
    if deallocate and _FINALIZER in objects.finalizers(claim):
        changed = objects.deep_copy(claim)
        kept = [name for name in objects.finalizers(claim) if name != _FINALIZER]
        changed["metadata"]["finalizers"] = kept
        claim = await ctx.client.update(RESOURCE_CLAIMS, changed)
    return state.claims.remember(claim)


async def _delete_if_done(ctx: ControllerContext, claim: Object) -> None:
    """A claim made for a Pod goes when the Pod is done, even before the Pod goes."""
    owner = objects.controller_of(claim)
    if owner is None or owner.get("kind") != "Pod" or objects.is_deleting(claim):
        return
    pod = ctx.lister(PODS).named(owner["name"], objects.namespace(claim))
    if pod is None or objects.uid(pod) != owner.get("uid") or not _is_done(pod):
        return
    try:
        await ctx.client.delete(RESOURCE_CLAIMS, objects.name(claim), objects.namespace(claim))
    except StatusError as err:
        if not is_not_found(err):
            raise


# --- what wakes it


def _pod_changed(_ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    item = new or old
    if item is None or not (_pod_claims(item) or any(claim_names(item))):
        return ()
    namespace = objects.namespace(item)
    keys = [_POD + objects.key(item)] if new is not None else []
    if new is None or _is_done(new):
        keys += [_CLAIM + objects.join_key(namespace, name) for name in claim_names(item)]
    return keys


def _claim_changed(ctx: ControllerContext, old: Object | None, new: Object | None) -> Iterable[str]:
    state: State = ctx.state
    item = new or old
    if item is None:
        return ()
    if new is None:
        state.claims.forget(objects.key(item))
    pods = ctx.lister(PODS).by_index(_BY_CLAIM, objects.key(item))
    return [_CLAIM + objects.key(item), *(_POD + objects.key(pod) for pod in pods)]


def _template_changed(
    ctx: ControllerContext, _old: Object | None, new: Object | None
) -> Iterable[str]:
    if new is None:
        return ()
    pods = ctx.lister(PODS).by_index(_BY_TEMPLATE, objects.key(new))
    return [_POD + objects.key(pod) for pod in pods]


def _claim_index(pod: Object) -> list[str]:
    return [objects.join_key(objects.namespace(pod), name) for name in claim_names(pod)]


def _template_index(pod: Object) -> list[str]:
    names = (item.get("resourceClaimTemplateName") for item in _pod_claims(pod))
    return [objects.join_key(objects.namespace(pod), name) for name in names if name]


CONTROLLER = Controller(
    name="resourceclaim-controller",
    aliases=("resource-claim-controller",),
    identity="resource-claim-controller",
    event_source="resource_claim",
    watches=(
        Watch(
            PODS,
            changed=_pod_changed,
            indexes={_BY_CLAIM: _claim_index, _BY_TEMPLATE: _template_index},
        ),
        Watch(RESOURCE_CLAIMS, changed=_claim_changed),
        Watch(RESOURCE_CLAIM_TEMPLATES, changed=_template_changed),
    ),
    reconcile=reconcile,
    workers=10,
    setup=_set_up,
)
