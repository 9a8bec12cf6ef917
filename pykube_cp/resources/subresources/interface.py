"""What a subresource with behaviour of its own is, and what a review kind is: a page of verbs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from pykube_cp.authn.interface import Authenticator
from pykube_cp.authz.interface import Authorizer
from pykube_cp.machinery.gvk import GVK, GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import UserInfo
from pykube_cp.registry.resource import Resource
from pykube_cp.registry.store import Admit, Store
from pykube_cp.registry.strategy import WriteContext


class Signer(Protocol):
    """Makes service-account tokens."""

    issuer: str
    audiences: tuple[str, ...]

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT with these claims."""
        ...


@dataclass(slots=True, kw_only=True)
class Call:
    """One call of a page.

    Attributes:
        store: of the resource that the subresource belongs to.
        stores: the store of any resource.
        body: the decoded object, None for reads.
        admit: validating admission of the parent object, for the store to call.
        wanted: what an update or a patch makes of the object that ``get`` shows, with managedFields,
            after mutating admission.
        validate: the validating half for ``body`` where it is created; after the page's own checks.
        record: managedFields of a change of the parent: (obj, live) -> obj.
    """

    resource: Resource
    name: str
    namespace: str
    verb: str
    user: UserInfo
    store: Store
    stores: Callable[[GVR], Store]
    context: WriteContext
    body: Object | None
    admit: Admit
    wanted: Callable[[Object], Awaitable[Object]]
    validate: Callable[[Object | None], Awaitable[None]]
    record: Callable[[Object, Object | None], Object]
    authorizer: Authorizer
    authenticator: Authenticator
    signer: Signer | None = None
    query: Any = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A page's answer: an object of ``kind`` (or whatever it says it is), and the status code."""

    obj: Object
    status: int = 200


Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one (resource, subresource) does. ``resource`` is (group, plural); verb ``*`` is any.

    ``accepts`` is the kind of bodies, by verb ``create``/``update``; patches are applied to the
    answer of ``get``. ``keeps_system_fields``: whether what is created may say its UID, which is that
    of the object that it is about.
    """

    resource: tuple[str, str]
    subresource: str
    accepts: GVK
    verbs: dict[str, Handler]
    accepts_also: tuple[GVK, ...] = ()
    keeps_system_fields: bool = False
