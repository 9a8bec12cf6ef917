"""What an authorizer is."""
# upstream: apiserver pkg/authorization/authorizer/interfaces.go

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol

import msgspec

from pykube_cp.machinery.user import UserInfo


class Decision(Enum):
    """Allow and deny decide; no opinion passes on, and the last no opinion is a no."""

    ALLOW = auto()
    DENY = auto()
    NO_OPINION = auto()


class Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. ``path`` is set for requests that are not about a resource."""

    user: UserInfo
    verb: str
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    is_resource: bool = True
    field_selector: str = ""
    label_selector: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a user may do in a namespace, for SelfSubjectRulesReview."""

    resource_rules: list[dict[str, list[str]]] = field(default_factory=list)
    non_resource_rules: list[dict[str, list[str]]] = field(default_factory=list)
    incomplete: bool = False
    error: str = ""


class Authorizer(Protocol):
    """One source of permissions."""

    name: str

    async def authorize(self, attributes: Attributes) -> tuple[Decision, str]:
        """The decision and its reason."""
        ...

    async def rules_for(self, user: UserInfo, namespace: str) -> Rules:
        """All that the user may do there."""
        ...
