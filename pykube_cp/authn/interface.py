"""What an authenticator is."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from pykube_cp.machinery.user import UserInfo


class Credentials(msgspec.Struct, frozen=True):
    """What a request shows of its sender.

    Attributes:
        headers: the first value of each, by lower-case name; ``repeated`` has all values of those
            that came more than once.
        peer_certificate: DER of the client certificate, if any; not verified yet.
        audiences: what a token must be good for; empty for the API server itself.
    """

    headers: Mapping[str, str]
    peer_certificate: bytes | None = None
    remote_address: str = ""
    audiences: tuple[str, ...] = ()
    repeated: Mapping[str, Sequence[str]] = {}

    def values(self, name: str) -> Sequence[str]:
        """All values of a header."""
        if name in self.repeated:
            return self.repeated[name]
        return (self.headers[name],) if name in self.headers else ()


class Identity(msgspec.Struct, frozen=True):
    """An authenticated user; ``audiences`` are those the credential is good for, if it says so."""

    user: UserInfo
    audiences: tuple[str, ...] = ()
    expires_at: float = 0.0
    warnings: tuple[str, ...] = ()


class Authenticator(Protocol):
    """One way to recognise a user. ``takes_tokens``: whether bearer tokens are its business."""

    name: str
    takes_tokens: bool

    async def authenticate(self, credentials: Credentials) -> Identity | None:
        """The user, None when this way does not apply; ``AuthenticationError`` for bad credentials."""
        ...


class AuthenticationError(Exception):
    """The credentials are of this authenticator's kind, and they are wrong."""
