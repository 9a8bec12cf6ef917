"""Who shows nothing is anonymous."""

from pykube_cp.authn.bearer import SPACE, is_spaced_out
from pykube_cp.authn.interface import Credentials, Identity
from pykube_cp.machinery.user import ANONYMOUS


class Anonymous:
    """The last in the chain."""

    name = "anonymous"
    takes_tokens = False

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        return Identity(ANONYMOUS, warnings=(SPACE,) if is_spaced_out(credentials) else ())
