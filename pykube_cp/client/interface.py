"""The contract between the API and everything above it.

Controllers, the scheduler, authorizers and admission readers see this and nothing else. The local
client answers it from the same process, the remote client over TLS; a suite of tests holds both to
the same behaviour. Failures are ``machinery.errors.StatusError``.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object


class EventType(StrEnum):
    """Types of watch events."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"


class PatchType(StrEnum):
    """Media types of patches."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


class Propagation(StrEnum):
    """What becomes of dependents when an owner is deleted."""

    ORPHAN = "Orphan"
    BACKGROUND = "Background"
    FOREGROUND = "Foreground"


class WatchEvent(msgspec.Struct, frozen=True):
    """One change. ``object`` is read-only and may be shared with other watchers."""

    type: EventType
    object: Object


class ObjectList(msgspec.Struct, frozen=True):
    """Objects as of ``resource_version``; ``continue_`` is empty on the last page."""

    items: list[Object]
    resource_version: str
    continue_: str = ""
    remaining: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """``metav1.DeleteOptions`` as far as components use it."""

    grace_period_seconds: int | None = None
    propagation: Propagation | None = None
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """What may go with a create, update or patch."""

    field_manager: str = ""
    dry_run: bool = False
    force: bool = False


NO_OPTIONS = WriteOptions()
NO_DELETE_OPTIONS = DeleteOptions()


@dataclass(frozen=True, slots=True)
class RawResponse:
    """Answer to a request that is not about an object: discovery, health, a proxied path."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Client(Protocol):
    """The API as seen by its users. Objects that come out are read-only, those that go in are kept."""

    async def get(
        self, gvr: GVR, name: str, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        """The object as it is now."""
        ...

    async def list(
        self,
        gvr: GVR,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        limit: int = 0,
        continue_: str = "",
    ) -> ObjectList:
        """Objects of one namespace, or of all with ``namespace=""``."""
        ...

    async def create(
        self,
        gvr: GVR,
        obj: Object,
        namespace: str = "",
        *,
        name: str = "",
        subresource: str = "",
        options: WriteOptions = NO_OPTIONS,
    ) -> Object:
        """Create; ``name`` and ``subresource`` for binding, eviction, token and the like."""
        ...

    async def update(
        self,
        gvr: GVR,
        obj: Object,
        *,
        subresource: str = "",
        options: WriteOptions = NO_OPTIONS,
    ) -> Object:
        """Replace; name and namespace are those of the object."""
        ...

    async def patch(
        self,
        gvr: GVR,
        name: str,
        patch: Any,
        patch_type: PatchType,
        namespace: str = "",
        *,
        subresource: str = "",
        options: WriteOptions = NO_OPTIONS,
    ) -> Object:
        """Patch with a dict (merge, strategic, apply) or a list (JSON patch)."""
        ...

    async def delete(
        self,
        gvr: GVR,
        name: str,
        namespace: str = "",
        *,
        options: DeleteOptions = NO_DELETE_OPTIONS,
    ) -> Object:
        """Delete; the answer is the object, or a Status when it is gone at once."""
        ...

    async def delete_collection(
        self,
        gvr: GVR,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        options: DeleteOptions = NO_DELETE_OPTIONS,
    ) -> None:
        """Delete all that match."""
        ...

    def watch(
        self,
        gvr: GVR,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        send_initial_events: bool | None = None,
        timeout_seconds: int | None = None,
    ) -> AbstractAsyncContextManager[AsyncIterator[WatchEvent]]:
        """Changes after ``resource_version``, with bookmarks.

        Used as ``async with client.watch(...) as events: async for event in events``. A Status event
        (410 and the like) is raised as ``StatusError``; the iterator ends when the server ends it.
        """
        ...

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> RawResponse:
        """Any other request; ``path`` with its query."""
        ...
