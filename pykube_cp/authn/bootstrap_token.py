"""Bootstrap tokens: how a new node introduces itself (``kubeadm join``)."""
# upstream: plugin/pkg/auth/authenticator/token/bootstrap/bootstrap.go

import base64
import hmac
import re

from pykube_cp.authn.bearer import token_of
from pykube_cp.authn.interface import Credentials, Identity
from pykube_cp.client.interface import Client
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.user import UserInfo

_SECRETS = GVR("", "v1", "secrets")
_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")
_TYPE = "bootstrap.kubernetes.io/token"


class BootstrapToken:
    """Recognises tokens kept in ``kube-system`` Secrets of their type."""

    name = "bootstrap_token"
    takes_tokens = True

    def __init__(self, client: Client) -> None:
        self._client = client

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        match = _TOKEN.fullmatch(token_of(credentials))
        if match is None:
            return None
        token_id, secret = match.groups()
        try:
            found = await self._client.get(_SECRETS, f"bootstrap-token-{token_id}", "kube-system")
        except errors.StatusError:
            return None
        if found.get("type") != _TYPE or found["metadata"].get("deletionTimestamp"):
            return None
        data = {
            key: base64.b64decode(value).decode("utf-8", "replace")
            for key, value in (found.get("data") or {}).items()
        }
        if not _is_good(data, token_id, secret):
            return None
        groups = [each.strip() for each in data.get("auth-extra-groups", "").split(",")]
        extra = tuple(group for group in groups if _GROUP.fullmatch(group))
        return Identity(
            UserInfo(f"system:bootstrap:{token_id}", "", ("system:bootstrappers", *extra))
        )


def _is_good(data: dict[str, str], token_id: str, secret: str) -> bool:
    same = hmac.compare_digest(data.get("token-secret", "").encode(), secret.encode())
    if not same or data.get("token-id") != token_id:
        return False
    if data.get("usage-bootstrap-authentication") != "true":
        return False
    expires = data.get("expiration")
    try:
        return not expires or clock.parse_time(expires) > clock.now()
    except ValueError:
        return False
