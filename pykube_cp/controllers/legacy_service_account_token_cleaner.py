"""Retires token Secrets that were once made for every ServiceAccount and are used no more."""
# upstream: pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go
# LegacySATokenCleaner

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pykube_cp.client.interface import DeleteOptions, PatchType
from pykube_cp.controllers.interface import Controller, ControllerContext
from pykube_cp.controllers.shared.kinds import CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError, is_conflict, is_not_found
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

_PERIOD = 24 * 3600.0
_DAY = 24 * 3600.0
_TOKEN_TYPE = "kubernetes.io/service-account-token"  # noqa: S105 - a type, not a token
_LAST_USED_LABEL = "kubernetes.io/legacy-token-last-used"
_INVALID_SINCE_LABEL = "kubernetes.io/legacy-token-invalid-since"
_TRACKING = "kube-apiserver-legacy-service-account-token-tracking"
_SECRET_REFERENCES = frozenset({"secretRef", "secretKeyRef", "nodePublishSecretRef"})


@dataclass(frozen=True, slots=True)
class _Limits:
    """Secrets from ``moment`` on, or used on ``day`` or later, stay. Days are ``2006-01-02``."""

    moment: float
    day: str
    today: str


async def run(ctx: ControllerContext) -> None:
    """Look through all Secrets once a day."""
    while True:
        try:
            await clean(ctx)
        except StatusError as err:
            log.warning("cannot clean legacy tokens: %s", err)
        await asyncio.sleep(_PERIOD)


async def clean(ctx: ControllerContext) -> None:
    """Mark unused Secrets invalid, and delete those marked long ago."""
    now, period = clock.now(), ctx.config.legacy_token_clean_up_period
    tracked = await ctx.client.get(CONFIG_MAPS, _TRACKING, "kube-system")
    since = _day_start(objects.nested(tracked, "data", "since", default=""))
    if since is None or now < since + _DAY + period:
        return
    limits = _Limits(now - period, _day(now - period), _day(now))
    for secret in ctx.lister(SECRETS).list():
        if _is_unused(ctx, secret, limits):
            await _retire(ctx, secret, limits)


def _day(seconds: float) -> str:
    return clock.format_time(seconds)[:10]


def _day_start(text: str) -> float | None:
    """Seconds since 1970 of the beginning of a day; None for what is no day."""
    try:
        return clock.parse_time(f"{text}T00:00:00Z")
    except ValueError:
        return None


def _is_unused(ctx: ControllerContext, secret: Object, limits: _Limits) -> bool:
    if secret.get("type") != _TOKEN_TYPE or objects.is_deleting(secret):
        return False
    created = objects.metadata(secret).get("creationTimestamp")
    if created and clock.parse_time(created) >= limits.moment:
        return False
    last_used = objects.labels(secret).get(_LAST_USED_LABEL)
    if last_used is not None and (_day_start(last_used) is None or last_used >= limits.day):
        return False
    return _is_generated(ctx, secret) and objects.name(secret) not in _mounted(ctx, secret)


def _is_generated(ctx: ControllerContext, secret: Object) -> bool:
    """Whether the Secret was made by the system: its ServiceAccount lists it then."""
    annotations = objects.annotations(secret)
    name = annotations.get("kubernetes.io/service-account.name", "")
    account = ctx.lister(SERVICE_ACCOUNTS).named(name, objects.namespace(secret))
    if not name or account is None:
        return False
    if annotations.get("kubernetes.io/service-account.uid", "") not in {"", objects.uid(account)}:
        return False
    listed = account.get("secrets") or ()
    return any(item.get("name") == objects.name(secret) for item in listed)


def _mounted(ctx: ControllerContext, secret: Object) -> set[str]:
    pods = ctx.lister(PODS).list(objects.namespace(secret))
    return {name for pod in pods for name in secret_names(pod["spec"])}


def secret_names(part: Any) -> Iterator[str]:
    """Names of all Secrets that a part of a Pod's spec refers to."""
    # upstream: pkg/api/v1/pod/util.go VisitPodSecretNames
    if isinstance(part, list):
        for item in part:
            yield from secret_names(item)
    if not isinstance(part, dict):
        return
    for name, value in part.items():
        if name == "imagePullSecrets":
            yield from (item.get("name", "") for item in value or ())
        elif name in _SECRET_REFERENCES and isinstance(value, dict):
            yield value.get("name", "")
        elif name == "secret" and isinstance(value, dict):
            yield value.get("secretName") or value.get("name", "")
        elif name == "azureFile" and isinstance(value, dict):
            yield value.get("secretName", "")
        else:
            yield from secret_names(value)


async def _retire(ctx: ControllerContext, secret: Object, limits: _Limits) -> None:
    name, namespace = objects.name(secret), objects.namespace(secret)
    invalid_since = objects.labels(secret).get(_INVALID_SINCE_LABEL, "")
    try:
        if _day_start(invalid_since) is None:
            patch = {
                "metadata": {
                    "uid": objects.uid(secret),
                    "labels": {_INVALID_SINCE_LABEL: limits.today},
                }
            }
            await ctx.client.patch(SECRETS, name, patch, PatchType.MERGE, namespace)
        elif invalid_since < limits.day:
            options = DeleteOptions(resource_version=objects.resource_version(secret))
            await ctx.client.delete(SECRETS, name, namespace, options=options)
    except StatusError as err:
        if not (is_not_found(err) or is_conflict(err)):
            log.warning("cannot retire the legacy token %s/%s: %s", namespace, name, err)


CONTROLLER = Controller(
    name="legacy-serviceaccount-token-cleaner-controller",
    aliases=("legacy-service-account-token-cleaner",),
    identity="legacy-service-account-token-cleaner",
    reads=(SECRETS, SERVICE_ACCOUNTS, PODS),
    run=run,
)
