"""Who a request acts as: shared vocabulary of authentication, authorization, admission and hooks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

CREDENTIAL_ID = "authentication.kubernetes.io/credential-id"
"""The key of a user's ``extra`` that says which token or certificate he has shown."""


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user as ``authentication.k8s.io/v1`` UserInfo knows it."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


ANONYMOUS = UserInfo("system:anonymous", groups=("system:unauthenticated",))
API_SERVER = UserInfo("system:apiserver", groups=("system:masters", "system:authenticated"))
