"""Deletes bootstrap tokens that have expired."""
# upstream: pkg/controller/bootstrap/tokencleaner.go TokenCleaner

from collections.abc import Iterable

from pykube_cp.client.interface import DeleteOptions
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.bootstrap_tokens import (
    NAMESPACE,
    is_bootstrap_token,
    seconds_left,
)
from pykube_cp.controllers.shared.kinds import SECRETS
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError, is_conflict, is_not_found
from pykube_cp.machinery.objects import Object


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    secret = ctx.lister(SECRETS).get(key)
    if secret is None or not is_bootstrap_token(secret):
        return None
    left = seconds_left(secret)
    if left is None:
        return None
    if left > 0:
        return Result(requeue_after=left)
    options = DeleteOptions(uid=objects.uid(secret))
    try:
        await ctx.client.delete(SECRETS, objects.name(secret), NAMESPACE, options=options)
    except StatusError as err:
        if not (is_not_found(err) or is_conflict(err)):
            raise
    return None


def _key(secret: Object) -> Iterable[str]:
    return (objects.key(secret),) if is_bootstrap_token(secret) else ()


CONTROLLER = Controller(
    name="token-cleaner-controller",
    aliases=("tokencleaner",),
    identity="token-cleaner",
    watches=(Watch(SECRETS, keys=_key),),
    reconcile=reconcile,
    on_by_default=False,
)
