"""Bootstrap tokens, as the Secrets in ``kube-system`` hold them."""
# upstream: cluster-bootstrap util/secrets/secrets.go

import base64
import binascii
import re

from pykube_cp.machinery import clock, objects
from pykube_cp.machinery.objects import Object

NAMESPACE = "kube-system"
TYPE = "bootstrap.kubernetes.io/token"
_NAME = re.compile(r"bootstrap-token-([a-z0-9]{6})")


def is_bootstrap_token(secret: Object) -> bool:
    return secret.get("type") == TYPE and objects.namespace(secret) == NAMESPACE


def data(secret: Object, key: str) -> str:
    """A value of the Secret as text; empty where there is none."""
    try:
        return base64.b64decode((secret.get("data") or {}).get(key) or "").decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def seconds_left(secret: Object) -> float | None:
    """How long the token is still good, 0 for no longer; None for ever."""
    text = data(secret, "expiration")
    if not text:
        return None
    try:
        return max(0.0, clock.parse_time(text) - clock.now())
    except ValueError:
        return 0.0


def signing_token(secret: Object) -> tuple[str, str] | None:
    """Id and secret of a token that may sign, if it is one."""
    # upstream: pkg/controller/bootstrap/util.go validateSecretForSigning
    name = _NAME.fullmatch(objects.name(secret))
    token_id, token_secret = data(secret, "token-id"), data(secret, "token-secret")
    if name is None or name[1] != token_id or not token_secret:
        return None
    if seconds_left(secret) == 0 or data(secret, "usage-bootstrap-signing") != "true":
        return None
    return token_id, token_secret
