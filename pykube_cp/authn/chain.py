"""Authenticators in order: the first that recognises the sender decides."""
# upstream: pkg/kubeapiserver/authenticator/config.go Config.New

from msgspec.structs import replace

from pykube_cp.authn.bearer import token_of
from pykube_cp.authn.interface import AuthenticationError, Authenticator, Credentials, Identity
from pykube_cp.machinery.field_errors import aggregate_texts
from pykube_cp.machinery.user import UserInfo

AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"
_INVALID = "invalid bearer token"


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
    ) -> Identity:
        """Only by bearer token, which must be good for one of ``audiences``; for TokenReview."""
        # upstream: pkg/registry/authentication/tokenreview/storage.go REST.Create
        found = []
        for authenticator in self._authenticators:
            if not authenticator.takes_tokens:
                continue
            checked = replace(credentials, audiences=audiences)
            try:
                identity = await authenticator.authenticate(checked)
            except AuthenticationError as error:
                found.append(str(error))
                continue
            if identity is not None:
                return _with_group(identity)
        raise AuthenticationError(aggregate_texts([_INVALID, *found]))


def _with_group(identity: Identity) -> Identity:
    user = identity.user
    if AUTHENTICATED in user.groups or UNAUTHENTICATED in user.groups:
        return identity
    return replace(
        identity, user=UserInfo(user.name, user.uid, (*user.groups, AUTHENTICATED), user.extra)
    )
