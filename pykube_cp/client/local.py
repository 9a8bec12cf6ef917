"""The API from inside the same process: the same pipeline, without sockets, HTTP and JSON text.

Which pipeline, the composition root says; this module knows only the calls it makes on it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import msgspec

from pykube_cp.client.interface import (
    NO_DELETE_OPTIONS,
    NO_OPTIONS,
    DeleteOptions,
    EventType,
    ObjectList,
    PatchType,
    RawResponse,
    WatchEvent,
    WriteOptions,
)
from pykube_cp.client.paths import (
    delete_options,
    list_parameters,
    watch_parameters,
    write_parameters,
)
from pykube_cp.machinery import errors
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object, name, namespace
from pykube_cp.machinery.user import UserInfo

_PENDING_LIMIT = 100_000


class Call(msgspec.Struct):
    """What is asked for: what a URL and a body would say."""

    method: str
    gvr: GVR
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    parameters: dict[str, str] = {}
    body: Any = None
    content_type: str = ""


class Pipeline(Protocol):
    """What the API server offers to local clients."""

    async def call(self, user: UserInfo, call: Call, user_agent: str = "") -> Object:
        """The answer as an object of the served version; a list has ``items``."""
        ...

    async def watch(self, user: UserInfo, call: Call, deliver: "Any", user_agent: str = "") -> None:
        """Call ``deliver(type, object)`` with each event until it answers false."""
        ...

    async def raw(self, user: UserInfo, method: str, path: str, body: bytes) -> RawResponse:
        """Any request, answered in bytes."""
        ...


class LocalClient:
    """A client with an asserted identity."""

    def __init__(self, pipeline: Pipeline, user: UserInfo, user_agent: str = "pykube-cp") -> None:
        self._pipeline = pipeline
        self._user = user
        self._agent = user_agent

    async def get(
        self, gvr: GVR, name: str, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        return await self._call(Call("GET", gvr, namespace, name, subresource))

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
        parameters = list_parameters(
            label_selector, field_selector, resource_version, limit, continue_
        )
        found = await self._call(Call("GET", gvr, namespace, parameters=parameters))
        meta = found["metadata"]
        return ObjectList(
            found["items"],
            meta["resourceVersion"],
            meta.get("continue", ""),
            meta.get("remainingItemCount"),
        )

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
        namespace = namespace or obj.get("metadata", {}).get("namespace", "")
        parameters = write_parameters(options)
        return await self._call(Call("POST", gvr, namespace, name, subresource, parameters, obj))

    async def update(
        self, gvr: GVR, obj: Object, *, subresource: str = "", options: WriteOptions = NO_OPTIONS
    ) -> Object:
        parameters = write_parameters(options)
        return await self._call(
            Call("PUT", gvr, namespace(obj), name(obj), subresource, parameters, obj)
        )

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
        parameters, form = write_parameters(options), patch_type.value
        return await self._call(
            Call("PATCH", gvr, namespace, name, subresource, parameters, patch, form)
        )

    async def delete(
        self,
        gvr: GVR,
        name: str,
        namespace: str = "",
        *,
        options: DeleteOptions = NO_DELETE_OPTIONS,
    ) -> Object:
        body = delete_options(options)
        return await self._call(Call("DELETE", gvr, namespace, name, body=body))

    async def delete_collection(
        self,
        gvr: GVR,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        options: DeleteOptions = NO_DELETE_OPTIONS,
    ) -> None:
        parameters = list_parameters(label_selector, field_selector)
        body = delete_options(options)
        await self._call(Call("DELETE", gvr, namespace, parameters=parameters, body=body))

    @asynccontextmanager
    async def watch(
        self,
        gvr: GVR,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        send_initial_events: bool | None = None,
        timeout_seconds: int | None = None,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        parameters = watch_parameters(
            resource_version, label_selector, field_selector, send_initial_events, timeout_seconds
        )
        stream = _Stream()
        call = Call("GET", gvr, namespace, parameters=parameters)
        running = asyncio.ensure_future(
            self._pipeline.watch(self._user, call, stream.deliver, self._agent)
        )
        running.add_done_callback(stream.end)
        try:
            yield stream.events()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> RawResponse:
        del headers
        return await self._pipeline.raw(self._user, method, path, body)

    async def _call(self, call: Call) -> Object:
        return await self._pipeline.call(self._user, call, self._agent)


class _Stream:
    """Events between the watch and its reader; a reader who lets too many pile up is cut off."""

    def __init__(self) -> None:
        self._events: list[WatchEvent] = []
        self._wake = asyncio.Event()
        self._ended = False
        self._failure: BaseException | None = None

    def deliver(self, kind: str, obj: Object) -> bool:
        self._events.append(WatchEvent(EventType(kind), obj))
        self._wake.set()
        return len(self._events) < _PENDING_LIMIT

    def end(self, task: "asyncio.Future[None]") -> None:
        self._ended = True
        self._failure = None if task.cancelled() else task.exception()
        self._wake.set()

    async def events(self) -> AsyncIterator[WatchEvent]:
        while True:
            waiting, self._events = self._events, []
            for event in waiting:
                yield event
            if self._events:
                continue
            if self._ended:
                break
            self._wake.clear()
            await self._wake.wait()
        if isinstance(self._failure, errors.StatusError):
            raise self._failure
        if self._failure is not None:
            raise errors.internal_error(str(self._failure)) from self._failure
