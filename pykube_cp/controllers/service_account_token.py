"""Fills Secrets that hold a service account token, and deletes them with their account."""

# upstream: pkg/controller/serviceaccount/tokens_controller.go

import base64
from collections.abc import Iterable

from pykube_cp.client.interface import DeleteOptions
from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.interface import Controller, ControllerContext, Queue, Watch
from pykube_cp.controllers.shared.kinds import SECRETS, SERVICE_ACCOUNTS
from pykube_cp.controllers.shared.legacy_tokens import TokenSigner, legacy_claims
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object

TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105 - the type of a Secret
_NAME = "kubernetes.io/service-account.name"
_UID = "kubernetes.io/service-account.uid"
_ACCOUNT_QUEUE = "service-account"
_BY_ACCOUNT = "service-account-token"
_REMOVE_RETRIES = 5


def _by_account(secret: Object) -> Iterable[str]:
    """Index of token secrets by the account they name."""
    name = objects.annotations(secret).get(_NAME)
    if secret.get("type") != TOKEN_TYPE or not name:
        return ()
    return (objects.join_key(objects.namespace(secret), name),)


def _secret_changed(
    ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    secret = new if new is not None else old
    if secret is None or not _by_account(secret):
        return ()
    if new is None:
        ctx.state.deleted[objects.key(secret)] = secret
    return (objects.key(secret),)


def _account_changed(
    _ctx: ControllerContext, old: Object | None, new: Object | None
) -> Iterable[str]:
    """A deleted account, or one replaced by another of its name, leaves its tokens behind."""
    account = new if new is not None else old
    return (objects.key(account),) if account is not None and old is not None else ()


class _State:
    """The signer, made on first use, and secrets whose deletion has to be dealt with."""

    def __init__(self, ctx: ControllerContext) -> None:
        self._key_pem = ctx.config.service_account_key_pem
        self._signer: TokenSigner | None = None
        self.deleted: dict[str, Object] = {}

    @property
    def signer(self) -> TokenSigner:
        if self._signer is None:
            self._signer = TokenSigner(self._key_pem)
        return self._signer


async def _account_of(ctx: ControllerContext, secret: Object, *, ask: bool) -> Object | None:
    """The account that a secret is for; with ``ask`` not only as far as the informer knows."""
    namespace, annotations = objects.namespace(secret), objects.annotations(secret)
    name, uid = annotations[_NAME], annotations.get(_UID, "")
    account = ctx.lister(SERVICE_ACCOUNTS).named(name, namespace)
    if account is not None and uid in {"", objects.uid(account)}:
        return account
    if not ask:
        return None
    try:
        account = await ctx.client.get(SERVICE_ACCOUNTS, name, namespace)
    except StatusError as error:
        if errors.is_not_found(error):
            return None
        raise
    return account if uid in {"", objects.uid(account)} else None


async def _reconcile_secret(ctx: ControllerContext, key: str) -> None:
    secret = ctx.lister(SECRETS).get(key)
    deleted = ctx.state.deleted.pop(key, None)
    if secret is None:
        if deleted is not None and await _account_of(ctx, deleted, ask=False) is not None:
            await _remove_reference(ctx, deleted)
        return
    if not _by_account(secret):
        return
    account = await _account_of(ctx, secret, ask=True)
    if account is None:
        await _delete(ctx, secret)
    elif _missing(ctx.config, secret):
        await _fill(ctx, account, secret)


async def _reconcile_account(ctx: ControllerContext, key: str) -> None:
    account = ctx.lister(SERVICE_ACCOUNTS).get(key)
    for secret in ctx.lister(SECRETS).by_index(_BY_ACCOUNT, key):
        uid = objects.annotations(secret).get(_UID, "")
        if account is None or uid not in {"", objects.uid(account)}:
            await _delete(ctx, secret)


async def _delete(ctx: ControllerContext, secret: Object) -> None:
    name, namespace = objects.name(secret), objects.namespace(secret)
    options = DeleteOptions(uid=objects.uid(secret))
    try:
        await ctx.client.delete(SECRETS, name, namespace, options=options)
    except StatusError as error:
        if not errors.is_not_found(error) and not errors.is_conflict(error):
            raise


def _missing(config: ControllerManagerConfig, secret: Object) -> dict[str, bytes | None]:
    """Keys that have to be written; None for the token, which has yet to be made."""
    # upstream: tokens_controller.go secretUpdateNeeded
    data = secret.get("data") or {}
    missing: dict[str, bytes | None] = {}
    ca = config.root_ca_pem.encode()
    if ca and base64.b64decode(data.get("ca.crt", "")) != ca:
        missing["ca.crt"] = ca
    if not data.get("namespace"):
        missing["namespace"] = objects.namespace(secret).encode()
    if not data.get("token"):
        missing["token"] = None
    return missing


async def _fill(ctx: ControllerContext, account: Object, cached: Object) -> None:
    # upstream: tokens_controller.go generateTokenIfNeeded
    name, namespace = objects.name(cached), objects.namespace(cached)
    try:
        live = await ctx.client.get(SECRETS, name, namespace)
        if objects.resource_version(live) != objects.resource_version(cached):
            # The informer is about to show it, and then it is looked at again.
            return
        secret = objects.deep_copy(live)
        data = secret["data"] = secret.get("data") or {}
        for key, value in _missing(ctx.config, live).items():
            made = value or ctx.state.signer.sign(legacy_claims(account, live)).encode()
            data[key] = base64.b64encode(made).decode()
        annotations = secret["metadata"].setdefault("annotations", {})
        annotations |= {_NAME: objects.name(account), _UID: objects.uid(account)}
        await ctx.client.update(SECRETS, secret)
    except StatusError as error:
        if not errors.is_not_found(error) and not errors.is_conflict(error):
            raise


async def _remove_reference(ctx: ControllerContext, secret: Object) -> None:
    """Take a deleted secret off the list of its account."""
    namespace, name = objects.namespace(secret), objects.annotations(secret)[_NAME]
    for attempt in range(_REMOVE_RETRIES):
        try:
            account = await ctx.client.get(SERVICE_ACCOUNTS, name, namespace)
            refs = account.get("secrets") or []
            kept = [ref for ref in refs if ref.get("name") != objects.name(secret)]
            if len(kept) != len(refs):
                await ctx.client.update(
                    SERVICE_ACCOUNTS, objects.deep_copy({**account, "secrets": kept})
                )
        except StatusError as error:
            if errors.is_not_found(error):
                return
            if not errors.is_conflict(error) or attempt == _REMOVE_RETRIES - 1:
                raise
        else:
            return


CONTROLLER = Controller(
    name="serviceaccount-token-controller",
    identity="",
    aliases=("serviceaccount-token",),
    watches=(
        Watch(SECRETS, changed=_secret_changed, indexes={_BY_ACCOUNT: _by_account}),
        Watch(SERVICE_ACCOUNTS, changed=_account_changed, queue=_ACCOUNT_QUEUE),
    ),
    setup=_State,
    reconcile=_reconcile_secret,
    workers=5,
    queues=(Queue(_ACCOUNT_QUEUE, _reconcile_account, workers=5),),
    wanted=lambda config: bool(config.service_account_key_pem),
)
