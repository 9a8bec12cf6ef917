"""Empties namespaces that are being deleted, and then lets them go."""

# upstream: pkg/controller/namespace/deletion/namespaced_resources_deleter.go

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pykube_cp.client.interface import DeleteOptions, Propagation
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import namespace_conditions
from pykube_cp.controllers.shared import pods as pod_state
from pykube_cp.controllers.shared.discovery import ApiResource, DiscoveryError, discover
from pykube_cp.controllers.shared.errors import raise_all
from pykube_cp.controllers.shared.kinds import NAMESPACES, PODS
from pykube_cp.machinery import clock, errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

# Other API servers must have seen that the namespace is terminating before it is emptied.
_GRACE_SECONDS = 5
_FINALIZER_ESTIMATE = 15
_FINALIZER = "kubernetes"
_BACKGROUND = DeleteOptions(propagation=Propagation.BACKGROUND)


class ContentRemainsError(Exception):
    """Objects are left although nothing holds them."""


@dataclass(slots=True)
class _Remaining:
    """What is left of a namespace after an attempt to empty it."""

    estimate: float = 0
    by_resource: Counter[GVR] = field(default_factory=Counter)
    by_finalizer: Counter[str] = field(default_factory=Counter)
    failures: list[BaseException] = field(default_factory=list)


def _changed(ctx: ControllerContext, _old: Object | None, new: Object | None) -> Iterable[str]:
    if new is not None and objects.is_deleting(new):
        ctx.queue.add_after(objects.key(new), _GRACE_SECONDS)
    return ()


async def _reconcile(ctx: ControllerContext, key: str) -> Result | None:
    try:
        namespace = await ctx.client.get(NAMESPACES, key)
        namespace = await _mark_terminating(ctx, namespace)
        if not objects.is_deleting(namespace) or not _finalizers(namespace):
            return None
        estimate = await _delete_content(ctx, objects.deep_copy(namespace))
        if estimate > 0:
            return Result(requeue_after=int(estimate) // 2 + 1)
        await _finalize(ctx, namespace)
    except StatusError as error:
        if not errors.is_not_found(error):
            raise
    return None


def _finalizers(namespace: Object) -> list[str]:
    found: list[str] = objects.nested(namespace, "spec", "finalizers", default=[])
    return found


async def _mark_terminating(ctx: ControllerContext, namespace: Object) -> Object:
    phase = objects.nested(namespace, "status", "phase")
    if not objects.is_deleting(namespace) or phase == "Terminating":
        return namespace
    updated = objects.deep_copy(namespace)
    updated.setdefault("status", {})["phase"] = "Terminating"
    return await ctx.client.update(NAMESPACES, updated, subresource="status")


async def _finalize(ctx: ControllerContext, namespace: Object) -> None:
    """Take our finalizer off, on the newest version: conditions may just have been written."""
    current = await ctx.client.get(NAMESPACES, objects.name(namespace))
    if objects.uid(current) != objects.uid(namespace):
        return
    current = objects.deep_copy(current)
    kept = sorted(name for name in _finalizers(current) if name != _FINALIZER)
    current["spec"]["finalizers"] = kept
    await ctx.client.update(NAMESPACES, current, subresource="finalize")


async def _delete_content(ctx: ControllerContext, namespace: Object) -> float:
    """Delete what can be deleted; seconds until the rest may be gone, 0 when nothing is left."""
    # upstream: namespaced_resources_deleter.go deleteAllContent
    left = _Remaining()
    conditions: list[Object] = []
    resources = await _deletable(ctx, left, conditions)
    pods = [resource for resource in resources if resource.gvr == PODS]
    others = [resource for resource in resources if resource.gvr != PODS]
    await _empty_all(ctx, namespace, pods, left)
    # Pods may need other objects of the namespace to end well, so those go afterwards.
    pods_left = bool(left.by_resource)
    if not pods_left:
        await _empty_all(ctx, namespace, others, left)
        if left.by_resource:
            conditions.append(namespace_conditions.content_remains(left.by_resource))
        if left.by_finalizer:
            conditions.append(namespace_conditions.finalizers_remain(left.by_finalizer))
    deletion_failures = [f for f in left.failures if not isinstance(f, DiscoveryError)]
    if deletion_failures:
        conditions.append(namespace_conditions.deletion_failed(deletion_failures))
    await _write_conditions(ctx, namespace, conditions)
    raise_all(left.failures)
    return left.estimate


async def _deletable(
    ctx: ControllerContext, left: _Remaining, conditions: list[Object]
) -> list[ApiResource]:
    try:
        discovery = await discover(ctx.client)
    except (DiscoveryError, StatusError) as error:
        left.failures.append(DiscoveryError(str(error)))
        conditions.append(namespace_conditions.discovery_failed(str(error)))
        return []
    if discovery.failures:
        message = discovery.failure_message()
        left.failures.append(DiscoveryError(message))
        conditions.append(
            namespace_conditions.discovery_failed(
                f"Discovery failed for some groups, {len(discovery.failures)} failing: {message}"
            )
        )
    return [
        resource
        for resource in discovery.preferred()
        if resource.namespaced and resource.supports("delete")
    ]


async def _empty_all(
    ctx: ControllerContext, namespace: Object, resources: Iterable[ApiResource], left: _Remaining
) -> None:
    for resource in resources:
        try:
            await _empty(ctx, namespace, resource, left)
        except (StatusError, ContentRemainsError) as error:
            left.failures.append(error)


async def _empty(
    ctx: ControllerContext, namespace: Object, resource: ApiResource, left: _Remaining
) -> None:
    # upstream: namespaced_resources_deleter.go deleteAllContentForGroupVersionResource
    name, gvr = objects.name(namespace), resource.gvr
    items = await _list(ctx, resource, name)
    if not items:
        return
    estimate = _grace_left(items, namespace) if gvr == PODS else 0
    await _delete_items(ctx, resource, name, items)
    items = await _list(ctx, resource, name)
    if not items:
        return
    left.by_resource[gvr] += len(items)
    for item in items:
        left.by_finalizer.update(objects.finalizers(item))
    if not estimate and any(map(objects.finalizers, items)):
        estimate = _FINALIZER_ESTIMATE
    left.estimate = max(left.estimate, estimate)
    if not estimate:
        where = f"{gvr.group}/{gvr.version}, Resource={gvr.resource}"
        raise ContentRemainsError(
            f"unexpected items still remain in namespace: {name} for gvr: {where}"
        )


async def _list(ctx: ControllerContext, resource: ApiResource, namespace: str) -> list[Object]:
    if not resource.supports("list"):
        return []
    try:
        return (await ctx.client.list(resource.gvr, namespace)).items
    except StatusError as error:
        if error.reason in {"NotFound", "MethodNotAllowed"}:
            return []
        raise


async def _delete_items(
    ctx: ControllerContext, resource: ApiResource, namespace: str, items: Iterable[Object]
) -> None:
    try:
        if resource.supports("deletecollection"):
            await ctx.client.delete_collection(resource.gvr, namespace, options=_BACKGROUND)
            return
    except StatusError as error:
        if error.reason not in {"NotFound", "MethodNotAllowed"}:
            raise
    for item in items:
        try:
            name = objects.name(item)
            await ctx.client.delete(resource.gvr, name, namespace, options=_BACKGROUND)
        except StatusError as error:
            if error.reason not in {"NotFound", "MethodNotAllowed"}:
                raise


def _grace_left(pods: Iterable[Object], namespace: Object) -> float:
    """The longest grace period of running pods, 0 once all of that has passed."""
    # upstream: namespaced_resources_deleter.go estimateGracefulTermination
    longest = max(
        (
            objects.nested(pod, "spec", "terminationGracePeriodSeconds", default=0)
            for pod in pods
            if not pod_state.is_terminal(pod)
        ),
        default=0,
    )
    deleted = clock.parse_time(namespace["metadata"]["deletionTimestamp"])
    return 0 if clock.now() - deleted >= longest else float(longest)


async def _write_conditions(
    ctx: ControllerContext, namespace: Object, conditions: list[Object]
) -> None:
    status = namespace.setdefault("status", {})
    if namespace_conditions.update_conditions(status, conditions):
        await ctx.client.update(NAMESPACES, namespace, subresource="status")


CONTROLLER = Controller(
    name="namespace-controller",
    identity="namespace-controller",
    aliases=("namespace",),
    watches=(Watch(NAMESPACES, changed=_changed),),
    reconcile=_reconcile,
    workers=10,
)
