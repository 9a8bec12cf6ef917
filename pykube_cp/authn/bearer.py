"""Bearer tokens in a request's headers."""
# upstream: apiserver pkg/authentication/request/bearertoken, request/websocket/protocol.go

import base64
import binascii

from pykube_cp.authn.interface import Credentials

SPACE = (
    "the provided Authorization header contains extra space before the bearer token, and is ignored"
)
"""A warning."""
_PROTOCOL = "base64url.bearer.authorization.k8s.io."


def is_spaced_out(credentials: Credentials) -> bool:
    """Whether there would be a token, were it not for one space too many before it."""
    words = credentials.headers.get("authorization", "").strip().split(" ", 2)
    return len(words) == 3 and words[0].lower() == "bearer" and not words[1]


def token_of(credentials: Credentials) -> str:
    """The token, empty when there is none."""
    words = credentials.headers.get("authorization", "").strip().split(" ")
    if len(words) > 1 and words[0].lower() == "bearer" and words[1]:
        return words[1]
    for each in credentials.headers.get("sec-websocket-protocol", "").split(","):
        text = each.strip()
        if text.startswith(_PROTOCOL):
            encoded = text[len(_PROTOCOL) :]
            try:
                padded = encoded + "=" * (-len(encoded) % 4)
                return base64.urlsafe_b64decode(padded).decode()
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return ""
