"""Authenticators in order: the first that recognises the sender decides."""
# upstream: pkg/kubeapiserver/authenticator/config.go Config.New

from msgspec.structs import replace

from pykube_cp.authn.bearer import token_of
from pykube_cp.authn.interface import AuthenticationError, Authenticator, Credentials, Identity
from pykube_cp.machinery.user import UserInfo

AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"


class AuthenticationChain:
    """All authenticators of a server."""

    name = "chain"
    takes_tokens = True

    def __init__(self, authenticators: tuple[Authenticator, ...]) -> None:
        self._authenticators = authenticators

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        """The sender with the groups everyone has; None when nobody recognises him."""
        # upstream: apiserver pkg/authentication/request/bearertoken/bearertoken.go invalidToken
        refused = bool(token_of(credentials))
        for authenticator in self._authenticators:
            if refused and authenticator.name == "anonymous":
                return None
            try:
                identity = await authenticator.authenticate(credentials)
            except AuthenticationError:
                refused = True
                continue
            if identity is not None:
                return _with_group(identity)
        return None

    async def authenticate_token(
        self, credentials: Credentials, audiences: tuple[str, ...]
    ) -> Identity | None:
        """Only by bearer token, which must be good for one of ``audiences``; for TokenReview."""
        failure: AuthenticationError | None = None
        for authenticator in self._authenticators:
            if not getattr(authenticator, "takes_tokens", False):
                continue
            checked = replace(credentials, audiences=audiences)
            try:
                identity = await authenticator.authenticate(checked)
            except AuthenticationError as error:
                failure = error
                continue
            if identity is not None:
                return _with_group(identity)
        if failure is not None:
            raise failure
        return None


def _with_group(identity: Identity) -> Identity:
    user = identity.user
    if AUTHENTICATED in user.groups or UNAUTHENTICATED in user.groups:
        return identity
    return replace(
        identity, user=UserInfo(user.name, user.uid, (*user.groups, AUTHENTICATED), user.extra)
    )
