"""Users that a trusted front proxy vouches for."""
# upstream: apiserver pkg/authentication/request/headerrequest/requestheader.go

from pykube_cp.authn.extra import extra_of
from pykube_cp.authn.interface import AuthenticationError, Credentials, Identity
from pykube_cp.authn.x509 import X509
from pykube_cp.machinery.user import UserInfo

_EXTRA = "x-remote-extra-"


class RequestHeader:
    """Takes the user from headers when the connection is a front proxy's."""

    name = "request_header"
    takes_tokens = False

    def __init__(self, authorities_pem: bytes, allowed_names: tuple[str, ...]) -> None:
        self._proxies = X509(authorities_pem)
        self._allowed = allowed_names

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        headers = credentials.headers
        user = headers.get("x-remote-user", "")
        if not user or credentials.peer_certificate is None:
            return None
        try:
            proxy = await self._proxies.authenticate(credentials)
        except AuthenticationError:
            return None
        if proxy is None or (self._allowed and proxy.user.name not in self._allowed):
            return None
        lines = ((name, value) for name in headers for value in credentials.values(name))
        groups = tuple(credentials.values("x-remote-group"))
        uid = headers.get("x-remote-uid", "")
        return Identity(UserInfo(user, uid, groups, extra_of(lines, _EXTRA)))
