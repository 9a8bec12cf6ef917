"""The API over the network, with certificates or tokens, as client-go talks to it."""

import asyncio
import logging
import os
import platform
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import orjson

from pykube_cp import KUBERNETES_VERSION
from pykube_cp.client import kubeconfig
from pykube_cp.client.http import REQUEST_TIMEOUT, HttpClient
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
from pykube_cp.client.kubeconfig import ClusterAccess
from pykube_cp.client.paths import (
    delete_options,
    list_parameters,
    path_of,
    query_of,
    watch_parameters,
    write_parameters,
)
from pykube_cp.client.tls import client_context
from pykube_cp.client.tokens import FileToken, ServiceAccountToken, StaticToken, TokenSource
from pykube_cp.machinery import errors, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

JSON = "application/json"
MAX_RETRIES = 10
WATCH_GRACE = 30.0
"""Seconds after its time that a watch the server did not end is taken for dead."""

_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def user_agent(component: str = "") -> str:
    """``pykube-cp/v1.37.2 (linux/amd64)``, with the component behind."""
    machine = platform.machine()
    system = f"{sys.platform}/{_MACHINES.get(machine, machine)}"
    return f"pykube-cp/{KUBERNETES_VERSION} ({system}) {component}".rstrip()


class RemoteClient:
    """A client of an API server somewhere. Requests are not throttled on this side."""

    def __init__(
        self,
        access: ClusterAccess,
        component: str = "",
        *,
        tokens: TokenSource | None = None,
        connections: HttpClient | None = None,
    ) -> None:
        """Prepare to talk to a server; nothing is sent yet.

        Args:
            access: where it is and who we are.
            component: named in ``User-Agent``.
            tokens: instead of those in ``access``.
            connections: somebody else's, to be shared; they say nothing of who we are.
        """
        self._access = access
        self._headers = {"User-Agent": user_agent(component), "Accept": JSON}
        self._tokens = tokens if tokens is not None else _tokens_of(access)
        self._http = connections if connections is not None else _connections(access)
        self._own = [self._http] if connections is None else []
        self._anonymous: HttpClient | None = None

    @classmethod
    def from_kubeconfig(
        cls, path: str | os.PathLike[str], context: str = "", component: str = ""
    ) -> "RemoteClient":
        """A client for the current context of a kubeconfig file, or another one."""
        return cls(kubeconfig.load(path, context), component)

    def as_service_account(self, name: str, namespace: str = "kube-system") -> "RemoteClient":
        """A client that acts as a service account, by tokens this one asks for."""
        if self._anonymous is None:
            # Without our certificate, which the server would believe before any token.
            self._anonymous = _connections(self._access, anonymous=True)
            self._own.append(self._anonymous)
        return RemoteClient(
            self._access,
            f"system:serviceaccount:{namespace}:{name}",
            tokens=ServiceAccountToken(self, name, namespace),
            connections=self._anonymous,
        )

    async def close(self) -> None:
        """Close all connections, also those of clients made by ``as_service_account``."""
        for connections in self._own:
            await connections.close()

    # Objects

    async def get(
        self, gvr: GVR, name: str, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        return await self._call("GET", path_of(gvr, namespace, name, subresource))

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
        query = query_of(
            list_parameters(label_selector, field_selector, resource_version, limit, continue_)
        )
        found = await self._call("GET", path_of(gvr, namespace), query)
        return _object_list(found)

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
        path = path_of(gvr, namespace or objects.namespace(obj), name, subresource)
        return await self._call("POST", path, query_of(write_parameters(options)), obj)

    async def update(
        self, gvr: GVR, obj: Object, *, subresource: str = "", options: WriteOptions = NO_OPTIONS
    ) -> Object:
        path = path_of(gvr, objects.namespace(obj), objects.name(obj), subresource)
        return await self._call("PUT", path, query_of(write_parameters(options)), obj)

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
        path = path_of(gvr, namespace, name, subresource)
        query = query_of(write_parameters(options))
        return await self._call("PATCH", path, query, patch, patch_type.value)

    async def delete(
        self,
        gvr: GVR,
        name: str,
        namespace: str = "",
        *,
        options: DeleteOptions = NO_DELETE_OPTIONS,
    ) -> Object:
        return await self._call(
            "DELETE", path_of(gvr, namespace, name), "", delete_options(options)
        )

    async def delete_collection(
        self,
        gvr: GVR,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        options: DeleteOptions = NO_DELETE_OPTIONS,
    ) -> None:
        query = query_of(list_parameters(label_selector, field_selector))
        await self._call("DELETE", path_of(gvr, namespace), query, delete_options(options))

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
        path, query = path_of(gvr, namespace), query_of(parameters)
        async with self._http.stream(
            "GET",
            f"{self._access.server}{path}?{query}",
            headers={**self._headers, **await self._authorization()},
            timeout=timeout_seconds + WATCH_GRACE if timeout_seconds else None,
            server_name=self._access.tls_server_name,
        ) as response:
            if response.status != 200:
                content = b"".join([chunk async for chunk in response.chunks])
                self._note_refusal(response.status)
                raise _error("GET", path, RawResponse(response.status, content, response.headers))
            yield _watch_events(response.chunks)

    # Anything

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> RawResponse:
        """Send a request, again if the server says when (``Retry-After``), ten times at most."""
        # upstream: client-go rest/with_retry.go withRetry.IsNextRetry
        for attempt in range(MAX_RETRIES + 1):
            response = await self._send(method, path, body, headers or {}, attempt)
            pause = _retry_after(response)
            if pause is None or attempt == MAX_RETRIES:
                return response
            log.debug("%s %s: %d, again in %d s", method, path, response.status, pause)
            await asyncio.sleep(pause)
        raise AssertionError("the last attempt returns")

    async def _send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], attempt: int
    ) -> RawResponse:
        url = f"{self._access.server}{path}"
        try:
            response = await self._http.request(
                method,
                url,
                body=body,
                headers={**self._headers, **headers, **await self._authorization()},
                timeout=REQUEST_TIMEOUT,
                server_name=self._access.tls_server_name,
            )
        except ConnectionResetError as error:
            if method != "GET" or attempt == MAX_RETRIES:
                raise
            log.debug("GET %s: %s, again", path, error)
            return RawResponse(503, b"", {"Retry-After": "1"})
        self._note_refusal(response.status)
        return response

    async def _call(
        self, method: str, path: str, query: str = "", body: Any = None, content_type: str = JSON
    ) -> Object:
        target = f"{path}?{query}" if query else path
        content = orjson.dumps(body) if body is not None else b""
        headers = {"Content-Type": content_type} if content else {}
        response = await self.request(method, target, body=content, headers=headers)
        if not 200 <= response.status < 300:
            raise _error(method, path, response)
        found: Object = orjson.loads(response.body)
        return found

    async def _authorization(self) -> Mapping[str, str]:
        if self._tokens is None:
            return {}
        return {"Authorization": f"Bearer {await self._tokens.token()}"}

    def _note_refusal(self, status: int) -> None:
        if status == 401 and self._tokens is not None:
            self._tokens.reset()


def clients_by_identity(client: RemoteClient) -> Callable[[str], RemoteClient]:
    """Service account in kube-system -> a client that acts as it; the same one each time."""
    made: dict[str, RemoteClient] = {}

    def client_for(identity: str) -> RemoteClient:
        if identity not in made:
            made[identity] = client.as_service_account(identity)
        return made[identity]

    return client_for


def _connections(access: ClusterAccess, *, anonymous: bool = False) -> HttpClient:
    tls = client_context(
        access.ca_pem,
        "" if anonymous else access.cert_pem,
        "" if anonymous else access.key_pem,
        insecure=access.insecure,
    )
    return HttpClient(
        tls=tls if urlsplit(access.server).scheme == "https" else None,
        headers=() if anonymous else tuple(_fixed_credentials(access)),
        proxy=access.proxy_url,
    )


def _tokens_of(access: ClusterAccess) -> TokenSource | None:
    if access.token_file:
        return FileToken(access.token_file)
    return StaticToken(access.token) if access.token else None


def _fixed_credentials(access: ClusterAccess) -> Iterable[tuple[str, str]]:
    if access.username:
        pair = f"{access.username}:{access.password}".encode()
        yield "Authorization", f"Basic {b64encode(pair).decode()}"
    if access.impersonate:
        yield "Impersonate-User", access.impersonate
    for group in access.impersonate_groups:
        yield "Impersonate-Group", group


def _object_list(found: Object) -> ObjectList:
    kind = str(found.get("kind", "")).removesuffix("List")
    items = found.get("items") or []
    for item in items:
        # Items of typed lists come without them, and objects of a cache need them.
        item.setdefault("apiVersion", found.get("apiVersion", ""))
        item.setdefault("kind", kind)
    meta = objects.metadata(found)
    return ObjectList(
        items,
        meta.get("resourceVersion", ""),
        meta.get("continue", ""),
        meta.get("remainingItemCount"),
    )


async def _watch_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[WatchEvent]:
    """Events out of lines; lines may be long and come in pieces."""
    pending: list[bytes] = []
    async for chunk in chunks:
        head, newline, rest = chunk.partition(b"\n")
        pending.append(head)
        while newline:
            yield _watch_event(b"".join(pending))
            head, newline, rest = rest.partition(b"\n")
            pending = [head]


def _watch_event(line: bytes) -> WatchEvent:
    frame = orjson.loads(line)
    if frame["type"] == "ERROR":
        raise errors.from_status(frame["object"])
    return WatchEvent(EventType(frame["type"]), frame["object"])


def _retry_after(response: RawResponse) -> int | None:
    """Seconds after which the server wants to be asked again, if it said so."""
    if response.status != 429 and response.status < 500:
        return None
    text = response.headers.get("Retry-After", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _error(method: str, path: str, response: RawResponse) -> StatusError:
    """What an answer that is none of success says: its Status, or a guess from the code."""
    try:
        status = orjson.loads(response.body)
        if status.get("kind") == "Status" and status.get("status") != "Success":
            found = errors.from_status(status)
            found.code = found.code or response.status
            return found
    except (orjson.JSONDecodeError, AttributeError):
        pass
    group_resource, name = _about(path)
    return errors.generic_server_response(
        response.status,
        method,
        group_resource,
        name,
        response.body[:2048].decode("utf-8", "replace").strip(),
        _retry_after(response) or 0,
        is_unexpected=True,
    )


def _about(path: str) -> tuple[tuple[str, str], str]:
    """Group and resource, and name, of a path made by ``path_of``."""
    parts = path.strip("/").split("/")
    group, rest = ("", parts[2:]) if parts[0] == "api" else (parts[1], parts[3:])
    if rest[0] == "namespaces" and len(rest) > 2:
        rest = rest[2:]
    return (group, rest[0]), rest[1] if len(rest) > 1 else ""
