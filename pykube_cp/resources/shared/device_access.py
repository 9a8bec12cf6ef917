"""Who may have devices as an administrator, bind claims, and report on devices.

Errors are left in ``ctx.refused``: to find them out takes a look at other objects.
"""
# upstream: pkg/registry/resource/utils.go

from collections.abc import Sequence

from pykube_cp.authz.interface import Attributes, Decision
from pykube_cp.authz.refusal import forbidden
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.field_errors import FieldError, Path
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.strategy import WriteContext
from pykube_cp.resources.shared import device_status

_LABEL = "resource.kubernetes.io/admin-access"
_NODE_NAME = "authentication.kubernetes.io/node-name"
_NAMESPACES = GVR("", "v1", "namespaces")
_ACCOUNT = "system:serviceaccount:"
_BY_NAME = ("metadata.name", "In")


async def check_requests(ctx: WriteContext, claim: Object) -> None:
    """``claim`` is the ``devices`` of a claim's spec."""
    # upstream: AuthorizedForAdmin
    for position, request in enumerate(claim.get("requests") or ()):
        if (request.get("exactly") or {}).get("adminAccess"):
            where = Path("spec", "devices", "requests").index(position)
            await _check_namespace(ctx, where.child("adminAccess"))
            return


async def check_status(ctx: WriteContext, status: Object, old: Object) -> None:
    # upstream: AuthorizedForAdminStatus, resourceclaimStatusStrategy.ValidateUpdate
    if not any(result.get("adminAccess") for result in device_status.results(old)):
        for position, result in enumerate(device_status.results(status)):
            if result.get("adminAccess"):
                where = Path("status", "allocation", "devices", "results").index(position)
                await _check_namespace(ctx, where.child("adminAccess"))
                break
    await _check_binding(ctx, status, old)
    if status.get("allocation") is not None:
        await _check_drivers(ctx, status, old)


async def _check_namespace(ctx: WriteContext, path: Path) -> None:
    try:
        namespace = await ctx.client.get(_NAMESPACES, ctx.namespace)
    except StatusError as error:
        text = f"could not retrieve namespace to verify admin access: {error}"
        ctx.refused.append(FieldError.internal(path, text))
        return
    if objects.labels(namespace).get(_LABEL) != "true":
        text = f"admin access to devices requires the `{_LABEL}: true` label on the containing namespace"
        ctx.refused.append(FieldError.forbidden(path, text))


async def _check_binding(ctx: WriteContext, status: Object, old: Object) -> None:
    # upstream: AuthorizedForBinding
    if all(status.get(field) == old.get(field) for field in ("allocation", "reservedFor")):
        return
    refusal = await _refusal(ctx, ctx.verb, "binding", namespace="", name="")
    if refusal:
        text = (
            "changing status.allocation or status.reservedFor requires "
            f'resource="resourceclaims/binding", verb="{ctx.verb}" permission: {refusal}'
        )
        ctx.refused.append(FieldError.forbidden(Path("status", "allocation"), text))


async def _check_drivers(ctx: WriteContext, status: Object, old: Object) -> None:
    # upstream: AuthorizedForDeviceStatus
    verbs = [f"arbitrary-node:{ctx.verb}"]
    node = _node_of(status.get("allocation") or {})
    if node and _own_node(ctx) == node:
        verbs.insert(0, f"associated-node:{ctx.verb}")
    for driver in _changed_drivers(status, old):
        refusals = []
        for verb in verbs:
            refusals.append(await _refusal(ctx, verb, "driver", ctx.namespace, driver))
            if not refusals[-1]:
                break
        else:
            text = (
                'changing status.devices requires resource="resourceclaims/driver", '
                f'verb="[{" ".join(verbs)}]" permission: {refusals[0]}'
            )
            ctx.refused.append(FieldError.forbidden(Path("status", "devices"), text))


def _changed_drivers(status: Object, old: Object) -> Sequence[str]:
    now = {device_status.id_of(device): device for device in status.get("devices") or ()}
    before = {device_status.id_of(device): device for device in old.get("devices") or ()}
    return sorted({key[0] for key in now.keys() | before.keys() if now.get(key) != before.get(key)})


def _node_of(allocation: Object) -> str:
    """The one node where the devices are, if that is all that the selector says."""
    # upstream: nodeNameFromAllocation
    terms = objects.nested(allocation, "nodeSelector", "nodeSelectorTerms") or []
    if len(terms) != 1 or terms[0].get("matchExpressions"):
        return ""
    fields = terms[0].get("matchFields") or []
    if len(fields) != 1 or (fields[0].get("key"), fields[0].get("operator")) != _BY_NAME:
        return ""
    values = fields[0].get("values") or []
    return str(values[0]) if len(values) == 1 else ""


def _own_node(ctx: WriteContext) -> str:
    """The node of the pod whose service account asks."""
    nodes = ctx.user.extra.get(_NODE_NAME, ())
    is_account = ctx.user.name.startswith(_ACCOUNT)
    return nodes[0] if is_account and len(nodes) == 1 else ""


async def _refusal(
    ctx: WriteContext, verb: str, subresource: str, namespace: str, name: str
) -> str:
    """Empty when the user may."""
    attributes = Attributes(
        user=ctx.user,
        verb=verb,
        group="resource.k8s.io",
        version=ctx.api_version.rpartition("/")[2],
        resource="resourceclaims",
        subresource=subresource,
        namespace=namespace,
        name=name,
    )
    decision, reason = await ctx.services["authorizer"].authorize(attributes)
    return "" if decision is Decision.ALLOW else str(forbidden(attributes, reason))
