"""Signs approved certificate requests of the kubernetes.io signers with the cluster's authority."""
# upstream: pkg/controller/certificates/signer/signer.go signer

import base64
from datetime import timedelta

from pykube_cp.config import ControllerManagerConfig
from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared import certificate_requests as requests
from pykube_cp.controllers.shared.cluster_kinds import CERTIFICATE_REQUESTS
from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.objects import Object
from pykube_cp.pki import KeyPair, sign_csr

SIGNERS = frozenset(
    {
        requests.CLIENT_SIGNER,
        requests.KUBELET_CLIENT_SIGNER,
        requests.KUBELET_SERVING_SIGNER,
        requests.LEGACY_UNKNOWN_SIGNER,
    }
)
# Twice the time by which certificates are backdated.
_SHORTEST = timedelta(minutes=10)


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    csr = ctx.lister(CERTIFICATE_REQUESTS).get(key)
    if csr is None or requests.is_issued(csr):
        return None
    if not requests.is_approved(csr) or requests.has_failed(csr):
        return None
    signer = csr["spec"].get("signerName")
    if signer not in SIGNERS:
        return None
    request = requests.parse(csr)
    usages = requests.usages(csr)
    copy = objects.deep_copy(csr)
    status = copy.setdefault("status", {})
    try:
        requests.check(request, usages, signer)
    except requests.UnacceptableRequestError as err:
        status.setdefault("conditions", []).append(_failure(str(err)))
    else:
        pem = sign_csr(request, _authority(ctx.config), usages, duration(ctx.config, csr))
        status["certificate"] = base64.b64encode(pem).decode()
    await ctx.client.update(CERTIFICATE_REQUESTS, copy, subresource="status")
    return None


def _failure(message: str) -> Object:
    return {
        "type": "Failed",
        "status": "True",
        "reason": "SignerValidationFailure",
        "message": message,
        "lastUpdateTime": clock.timestamp(),
    }


def _authority(config: ControllerManagerConfig) -> KeyPair:
    return KeyPair(config.signing_cert_pem.encode(), config.signing_key_pem.encode())


def duration(config: ControllerManagerConfig, csr: Object) -> timedelta:
    """As long as was asked for, within limits."""
    longest = timedelta(seconds=config.signing_duration)
    seconds = csr["spec"].get("expirationSeconds")
    if seconds is None:
        return longest
    asked = timedelta(seconds=seconds)
    return longest if asked > longest else max(asked, _SHORTEST)


def _is_wanted(config: ControllerManagerConfig) -> bool:
    return bool(config.signing_cert_pem and config.signing_key_pem)


CONTROLLER = Controller(
    name="certificatesigningrequest-signing-controller",
    aliases=("csrsigning",),
    identity="certificate-controller",
    watches=(Watch(CERTIFICATE_REQUESTS),),
    reconcile=reconcile,
    workers=5,
    wanted=_is_wanted,
)
