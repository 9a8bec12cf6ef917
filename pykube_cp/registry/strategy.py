"""The hooks where a kind may differ, and the order in which they run.

create: prepare_for_create, validate, warnings_on_create, canonicalize; then validating admission,
then storage. update: prepare_for_update, validate_update, warnings_on_update, canonicalize. A kind
without peculiarities uses ``Strategy`` as it is. A status strategy is the same with other answers.
"""
# upstream: apiserver pkg/registry/rest/create.go BeforeCreate, update.go BeforeUpdate

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec

from pykube_cp.client.interface import Client
from pykube_cp.machinery.field_errors import FieldError
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import ANONYMOUS, UserInfo

Rollback = Callable[[], Awaitable[None]]


class WriteContext(msgspec.Struct, kw_only=True):
    """What a hook may know about the request it serves.

    Attributes:
        client: the API as its own administrator, for hooks that look at or keep other objects.
        refused: errors that hooks which wait for something have found; they come before the others.
        refused_last: errors of such hooks that count only where nothing else is wrong by hand.
        warnings: texts that become ``Warning`` headers; hooks append.
        api_version: what the client speaks, where that matters to a hook (events).
        to_served: a fresh object of the stored version as the client speaks of it.
        services: what the composition root offers to strategies (allocators), by name.
    """

    client: Client
    user: UserInfo = ANONYMOUS
    verb: str = ""
    namespace: str = ""
    subresource: str = ""
    dry_run: bool = False
    field_manager: str = ""
    api_version: str = ""
    to_served: Callable[[Object], Object] | None = None
    refused: list[FieldError] = []
    refused_last: list[FieldError] = []
    warnings: list[str] = []
    services: dict[str, Any] = {}


@dataclass(slots=True, kw_only=True)
class Deletion:
    """What a delete asks for; ``check_graceful_delete`` may settle the grace period."""

    grace_period_seconds: int | None = None
    options: Object = field(default_factory=dict)


class Strategy:
    """Hooks with upstream's defaults. Subclasses override what differs; they keep no state.

    ``prepare_*`` and ``canonicalize`` change ``obj`` in place; ``old`` is read-only. The system has
    already set or checked metadata (uid, creationTimestamp, generation as ``bumps_generation``).
    """

    allow_create_on_update = False
    allow_unconditional_update = True
    has_generation = False
    """Whether metadata.generation is 1 at first and grows with ``spec_changed``."""
    returns_deleted_object = False
    """Whether an immediate delete answers with the object instead of a Status."""
    name_origin = ""
    """How errors about the name are told from others where a declared rule takes their place."""
    judges_metadata_last = False
    """Whether a new object's metadata are only judged when ``validate`` finds nothing."""
    judges_updates = True
    """Whether an update is judged at all."""
    judges_name_again = False
    """Whether an update's name, and what it says of making names, are judged as a new object's."""
    garbage_collection_default = "Background"
    """Propagation when the client says nothing: Background, Orphan or Unsupported."""
    precondition_text = ""
    """How a delete says that its preconditions fail, for kinds that check them on their own."""
    reset_fields: ClassVar[Object] = {}
    """Fields that this endpoint does not store, as managedFields name them: nobody comes to own them."""

    def prepare_for_create(self, ctx: WriteContext, obj: Object) -> None:
        """Drop what clients may not set: status, disabled fields."""

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        """Carry over what this endpoint may not change."""

    def spec_changed(self, obj: Object, old: Object) -> bool:
        """Whether the generation grows."""
        return any(
            obj.get(key) != old.get(key)
            for key in obj.keys() | old.keys()
            if key not in {"metadata", "status", "apiVersion", "kind"}
        )

    def validate(self, ctx: WriteContext, obj: Object) -> list[FieldError]:
        """Errors beyond those of the rules of its types, which ran before."""
        return []

    def validate_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[FieldError]:
        """Immutable fields and the like; the rules of the new object's types ran before."""
        return []

    def validate_name(self, name: str, *, prefix: bool) -> list[str]:
        """What is wrong with the object's name; ``prefix`` when it is a generateName."""
        from pykube_cp.machinery import names  # noqa: PLC0415 - keeps this page light

        return names.is_dns1123_subdomain(name, prefix=prefix)

    def name_check(self, obj: Object) -> Callable[..., list[str]]:
        """``validate_name``, or what takes its place where the rest of the object has a say."""
        return self.validate_name

    def warnings_on_create(self, ctx: WriteContext, obj: Object) -> list[str]:
        return []

    def warnings_on_update(self, ctx: WriteContext, obj: Object, old: Object) -> list[str]:
        return []

    def canonicalize(self, obj: Object) -> None:
        """Bring into the one form that is stored."""

    async def begin_create(self, ctx: WriteContext, obj: Object) -> Rollback | None:
        """Take what lies outside the object (addresses, ports); the answer gives it back."""
        return None

    async def begin_update(self, ctx: WriteContext, obj: Object, old: Object) -> Rollback | None:
        """As ``begin_create``, for an update."""
        return None

    async def after_delete(self, ctx: WriteContext, obj: Object) -> None:
        """Give back what ``begin_create`` took."""

    def check_graceful_delete(self, obj: Object, deletion: Deletion) -> bool:
        """Whether a delete first marks the object and waits; settles ``grace_period_seconds``."""
        return False

    def begin_deletion(self, obj: Object, deletion: Deletion) -> bool:
        """Mark an object that a first delete only announces; whether this kind has such a step."""
        return False

    def holds_on(self, obj: Object) -> bool:
        """Whether a deleted object waits for more than its finalizers."""
        return False

    def refuse_deletion(self, name: str) -> None:
        """Raise for an object that may never go."""

    def warnings_on_delete(self, deletion: Deletion) -> list[str]:
        return []


class StatusStrategy(Strategy):
    """The status endpoint: takes the new status, keeps all else.

    Metadata follows the request only in labels, annotations, finalizers, owner references and
    managed fields, as upstream's status strategies leave it.
    """

    has_generation = False
    reset_fields: ClassVar[Object] = {"f:spec": {}}

    def prepare_for_update(self, ctx: WriteContext, obj: Object, old: Object) -> None:
        for key in [key for key in obj if key not in {"apiVersion", "kind", "metadata", "status"}]:
            del obj[key]
        for key, value in old.items():
            if key not in {"metadata", "status"}:
                obj[key] = value
