"""Find out who asks."""
# upstream: apiserver pkg/endpoints/filters/authentication.go WithAuthentication

from pykube_cp.api.request import Handler, Outcome, Request
from pykube_cp.api.services import Services
from pykube_cp.authn.chain import AuthenticationChain
from pykube_cp.authn.interface import Credentials, Identity
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.metrics import POWERS_OF_TWO, Counter, Histogram

ATTEMPTS = Counter(
    "authentication_attempts", "[ALPHA] Counter of authenticated attempts.", ("result",)
)
USERS = Counter(
    "authenticated_user_requests",
    "[ALPHA] Counter of authenticated requests broken out by username.",
    ("username",),
)
SECONDS = Histogram(
    "authentication_duration_seconds",
    "[ALPHA] Authentication duration in seconds broken out by result.",
    POWERS_OF_TWO,
    ("result",),
)
METRICS = (ATTEMPTS, USERS, SECONDS)
_NAMED = frozenset(
    {"admin", "client", "kube_proxy", "kubelet", "system:serviceaccount:kube-system:default"}
)


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package."""
    chain = services.authentication

    async def handle(request: Request) -> Outcome:
        credentials = Credentials(
            request.headers,
            request.peer_certificate,
            request.remote_address,
            repeated=request.repeated,
        )
        identity = await _measured(chain, credentials)
        if identity is None:
            raise errors.unauthorized("Unauthorized")
        request.user = identity.user
        request.warnings.extend(identity.warnings)
        return await following(request)

    return handle


async def _measured(chain: AuthenticationChain, credentials: Credentials) -> Identity | None:
    # upstream: apiserver pkg/endpoints/filters/metrics.go recordAuthenticationMetrics
    begin, result = clock.monotonic(), "error"
    try:
        identity = await chain.authenticate(credentials)
        result = "failure" if identity is None else "success"
    finally:
        ATTEMPTS.add(result)
        SECONDS.observe(clock.monotonic() - begin, result)
    if identity is not None:
        USERS.add(_compressed(identity.user.name))
    return identity


def _compressed(user: str) -> str:
    """Few names only: every one is a sample for ever."""
    # upstream: as above, compressUsername
    if user in _NAMED:
        return user
    return "email_id" if "@" in user else "other"
