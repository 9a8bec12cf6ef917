"""Sees to it that every namespace has a ``default`` ServiceAccount."""

# upstream: pkg/controller/serviceaccount/serviceaccounts_controller.go

from collections.abc import Iterable

from pykube_cp.controllers.interface import Controller, ControllerContext, Watch
from pykube_cp.controllers.shared.errors import is_namespace_terminating
from pykube_cp.controllers.shared.kinds import NAMESPACES, SERVICE_ACCOUNTS
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

_DEFAULT = "default"


def _account_changed(
    _ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    return (objects.namespace(old),) if new is None and old is not None else ()


async def _reconcile(ctx: ControllerContext, key: str) -> None:
    namespace = ctx.lister(NAMESPACES).get(key)
    if namespace is None or objects.nested(namespace, "status", "phase") != "Active":
        return
    if ctx.lister(SERVICE_ACCOUNTS).named(_DEFAULT, key) is not None:
        return
    account: Object = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": _DEFAULT, "namespace": key},
    }
    try:
        await ctx.client.create(SERVICE_ACCOUNTS, account, key)
    except StatusError as error:
        if not errors.is_already_exists(error) and not is_namespace_terminating(error):
            raise


CONTROLLER = Controller(
    name="serviceaccount-controller",
    identity="service-account-controller",
    aliases=("serviceaccount",),
    watches=(Watch(NAMESPACES), Watch(SERVICE_ACCOUNTS, changed=_account_changed)),
    reconcile=_reconcile,
)
