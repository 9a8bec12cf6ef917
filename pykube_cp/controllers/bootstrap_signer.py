"""Signs the public ConfigMap ``cluster-info`` with every bootstrap token, for joining nodes."""
# upstream: pkg/controller/bootstrap/bootstrapsigner.go Signer

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable

from pykube_cp.controllers.interface import Controller, ControllerContext, Result, Watch
from pykube_cp.controllers.shared.bootstrap_tokens import (
    NAMESPACE,
    is_bootstrap_token,
    signing_token,
)
from pykube_cp.controllers.shared.kinds import CONFIG_MAPS, SECRETS
from pykube_cp.machinery import objects
from pykube_cp.machinery.errors import StatusError, is_not_found
from pykube_cp.machinery.objects import Object

_CLUSTER_INFO = "kube-public/cluster-info"
_KUBECONFIG = "kubeconfig"
_SIGNATURE_PREFIX = "jws-kubeconfig-"


async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
    config_map = ctx.lister(CONFIG_MAPS).get(key)
    data: dict[str, str] = (config_map or {}).get("data") or {}
    if config_map is None or _KUBECONFIG not in data:
        return None
    tokens = [
        token
        for secret in ctx.lister(SECRETS).list(NAMESPACE)
        if is_bootstrap_token(secret) and (token := signing_token(secret))
    ]
    signed = {name: value for name, value in data.items() if not name.startswith(_SIGNATURE_PREFIX)}
    for token_id, token_secret in tokens:
        signed[_SIGNATURE_PREFIX + token_id] = signature(data[_KUBECONFIG], token_id, token_secret)
    if signed != data:
        await _write(ctx, {**objects.deep_copy(config_map), "data": signed})
    return None


async def _write(ctx: ControllerContext, config_map: Object) -> None:
    try:
        await ctx.client.update(CONFIG_MAPS, config_map)
    except StatusError as err:
        if not is_not_found(err):
            raise


def signature(content: str, token_id: str, token_secret: str) -> str:
    """A JSON Web Signature of ``content`` that does not contain it."""
    # upstream: cluster-bootstrap token/jws/jws.go ComputeDetachedSignature
    header = json.dumps({"alg": "HS256", "kid": token_id}, separators=(",", ":"))
    protected, payload = _encode(header.encode()), _encode(content.encode())
    digest = hmac.digest(token_secret.encode(), protected + b"." + payload, hashlib.sha256)
    return f"{protected.decode()}..{_encode(digest).decode()}"


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _config_map_key(config_map: Object) -> Iterable[str]:
    return (_CLUSTER_INFO,) if objects.key(config_map) == _CLUSTER_INFO else ()


def _secret_key(secret: Object) -> Iterable[str]:
    return (_CLUSTER_INFO,) if is_bootstrap_token(secret) else ()


CONTROLLER = Controller(
    name="bootstrap-signer-controller",
    aliases=("bootstrapsigner",),
    identity="bootstrap-signer",
    watches=(Watch(CONFIG_MAPS, keys=_config_map_key), Watch(SECRETS, keys=_secret_key)),
    reconcile=reconcile,
    on_by_default=False,
)
