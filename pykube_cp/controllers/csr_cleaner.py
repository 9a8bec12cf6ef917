"""Deletes certificate requests that are done with, or that nobody has decided on for a day."""
# upstream: pkg/controller/certificates/cleaner/cleaner.go CSRCleanerController

import asyncio
import base64
import logging

from pykube_cp.controllers.interface import Controller, ControllerContext
from pykube_cp.controllers.shared import certificate_requests as requests
from pykube_cp.controllers.shared.cluster_kinds import CERTIFICATE_REQUESTS
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.objects import Object
from pykube_cp.pki import PKIError, expires_at

log = logging.getLogger(__name__)

_PERIOD = 3600.0
_SETTLED = 3600.0
_PENDING = 24 * 3600.0


async def run(ctx: ControllerContext) -> None:
    """Look through all requests every hour."""
    while True:
        for csr in ctx.lister(CERTIFICATE_REQUESTS).list():
            if is_outdated(csr):
                await _delete(ctx, objects.name(csr))
        await asyncio.sleep(_PERIOD)


async def _delete(ctx: ControllerContext, name: str) -> None:
    log.info("deleting the outdated certificate request %s", name)
    try:
        await ctx.client.delete(CERTIFICATE_REQUESTS, name)
    except StatusError as err:
        log.warning("unable to delete CSR %s: %s", name, err)


def is_outdated(csr: Object) -> bool:
    """Whether a request is of no more use to anybody."""
    conditions = requests.conditions(csr)
    if not conditions:
        return _is_older(objects.metadata(csr).get("creationTimestamp"), _PENDING)
    return any(_is_settled(csr, condition) for condition in conditions)


def _is_settled(csr: Object, condition: Object) -> bool:
    since = condition.get("lastUpdateTime")
    match condition["type"]:
        case "Denied" | "Failed":
            return _is_older(since, _SETTLED)
        case "Approved" if requests.is_issued(csr):
            return _is_older(since, _SETTLED) or _has_expired(csr)
        case "Approved":
            return _is_older(since, _PENDING)
        case _:
            return False


def _is_older(time: str | None, period: float) -> bool:
    return bool(time) and clock.now() - clock.parse_time(str(time)) > period


def _has_expired(csr: Object) -> bool:
    try:
        return expires_at(base64.b64decode(csr["status"]["certificate"])) < clock.now()
    except PKIError:
        return False


CONTROLLER = Controller(
    name="certificatesigningrequest-cleaner-controller",
    aliases=("csrcleaner",),
    identity="certificate-controller",
    reads=(CERTIFICATE_REQUESTS,),
    run=run,
)
