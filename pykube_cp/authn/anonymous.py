"""Who shows nothing is anonymous."""

from pykube_cp.authn.interface import Credentials, Identity
from pykube_cp.machinery.user import ANONYMOUS


class Anonymous:
    """The last in the chain."""

    name = "anonymous"
    takes_tokens = False

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        del credentials
        return Identity(ANONYMOUS)
