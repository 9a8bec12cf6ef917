"""What an admission plugin is."""
# upstream: apiserver pkg/admission/interfaces.go

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from pykube_cp.authz.interface import Authorizer
from pykube_cp.client.interface import Client
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo


class Operation(StrEnum):
    """What a request does to the object."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    DELETE = "DELETE"
    CONNECT = "CONNECT"


class Attributes(msgspec.Struct, kw_only=True):
    """A write on its way.

    ``object`` may be changed in place by ``admit``, never by ``validate``; it is None on delete,
    ``old_object`` is None on create. For a binding, eviction and the like ``object`` is that request.
    """

    operation: Operation
    resource: GVR
    kind: GVK
    name: str
    namespace: str
    user: UserInfo
    subresource: str = ""
    object: Object | None = None
    old_object: Object | None = None
    options: Object = {}
    dry_run: bool = False
    warnings: list[str] = []
    annotations: dict[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What plugins may use: reads come from the API server's own cache."""

    client: Client
    authorizer: Authorizer | None = None


class Plugin(Protocol):
    """One plugin. A plugin that only mutates or only validates leaves the other as it is.

    ``operations`` and ``resources`` (group, resource; ``("*", "*")`` for all) say what it wants to see, so
    that the chain calls it for nothing else. Refusals are ``StatusError``.
    """

    name: str
    operations: frozenset[Operation]
    resources: frozenset[tuple[str, str]]

    def start(self, services: Services) -> None:
        """Called once before the first request."""
        ...

    async def admit(self, attributes: Attributes) -> None:
        """May change ``attributes.object``."""
        ...

    async def validate(self, attributes: Attributes) -> None:
        """Judges only."""
        ...
