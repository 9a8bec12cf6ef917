"""Find out who asks."""
# upstream: apiserver pkg/endpoints/filters/authentication.go WithAuthentication

from pykube_cp.api.request import Handler, Outcome, Request
from pykube_cp.api.services import Services
from pykube_cp.authn.interface import Credentials
from pykube_cp.machinery import errors

CHALLENGE = ("WWW-Authenticate", 'Basic realm="kubernetes-master"')


def build(services: Services, following: Handler) -> Handler:
    """A filter; see the package. Local requests carry an asserted identity and pass."""
    chain = services.authentication

    async def handle(request: Request) -> Outcome:
        if not request.is_local:
            credentials = Credentials(
                request.headers, request.peer_certificate, request.remote_address
            )
            identity = await chain.authenticate(credentials)
            if identity is None:
                raise errors.unauthorized("Unauthorized")
            request.user = identity.user
            request.warnings.extend(identity.warnings)
        return await following(request)

    return handle
