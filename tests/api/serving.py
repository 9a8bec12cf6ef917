"""An API server for tests, in memory but behind real TLS, and a plain way to talk to it."""

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pykube_cp import controlplane, pki
from pykube_cp.client.http import HttpClient
from pykube_cp.client.kubeconfig import ClusterAccess
from pykube_cp.client.remote import RemoteClient
from pykube_cp.client.tls import client_context
from pykube_cp.config import ApiServerConfig
from pykube_cp.machinery.user import UserInfo
from pykube_cp.storage.memory import MemoryStorage

ADMIN = UserInfo("admin", groups=("system:masters", "system:authenticated"))
JSON = "application/json"
PROTOBUF = "application/vnd.kubernetes.protobuf"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a request."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def message(self) -> str:
        text: str = self.json["message"]
        return text

    @property
    def warnings(self) -> list[str]:
        """One for each header: ``299 - "..."``."""
        return [text for name, text in self.headers.items() if name == "Warning"]

    @property
    def version(self) -> str:
        text: str = self.json["metadata"]["resourceVersion"]
        return text


class Api:
    """Requests to the server under test."""

    def __init__(self, server: controlplane.ApiServer, keys: pki.ClusterPki) -> None:
        self.server = server
        self.keys = keys
        self.admin = pki.client_certificate(keys.ca, "admin", ["system:masters"])
        self.local = server.client(ADMIN, "tests/1.0")
        self.access = ClusterAccess(
            server=f"https://127.0.0.1:{server.edge.port}",
            ca_pem=keys.ca.certificate.decode(),
            cert_pem=self.admin.certificate.decode(),
            key_pem=self.admin.key.decode(),
        )
        self.remote = RemoteClient(self.access, "tests")
        self._https: dict[str, HttpClient] = {}

    def tls(self, pair: pki.KeyPair | None) -> ssl.SSLContext:
        certificate, key = (pair.certificate.decode(), pair.key.decode()) if pair else ("", "")
        return client_context(self.keys.ca.certificate.decode(), certificate, key)

    def http(self, user: str, *groups: str) -> HttpClient:
        """Connections of a user; ``""`` is nobody."""
        if user not in self._https:
            pair = pki.client_certificate(self.keys.ca, user, groups) if user else None
            self._https[user] = HttpClient(tls=self.tls(pair if user != "admin" else self.admin))
        return self._https[user]

    async def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        content_type: str = JSON,
        *,
        user: str = "admin",
        **headers: str,
    ) -> Answer:
        """Send a request; a body that is not bytes is sent as JSON."""
        data = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
        # What is large goes in chunks: the client warns of large bodies in one piece.
        sent = data if len(data) < 1 << 20 else _pieces(data)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            given["Content-Type"] = content_type
        url = self.access.server + path
        response = await self.http(user).request(method, url, body=sent, headers=given)
        return Answer(response.status, response.body, response.headers)

    async def namespace(self) -> str:
        """A fresh namespace's path, ``/api/v1/namespaces/test-7``."""
        name = f"test-{next(_numbers)}"
        answer = await self("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        assert answer.status == 201
        return f"/api/v1/namespaces/{name}"

    @asynccontextmanager
    async def watch(self, path: str, accept: str = JSON) -> AsyncIterator[AsyncIterator[Any]]:
        """Events of a watch as they come."""
        url = self.access.server + path
        async with self.http("admin").stream("GET", url, headers={"Accept": accept}) as response:
            assert response.status == 200
            yield _lines(response.chunks)

    @asynccontextmanager
    async def connection(
        self, pair: pki.KeyPair | None = None
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A bare TLS connection, of the admin unless said otherwise."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.server.edge.port, ssl=self.tls(pair or self.admin)
        )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def close(self) -> None:
        for http in self._https.values():
            await http.close()
        await self.remote.close()
        await self.server.stop()


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 1 << 16):
        yield data[start : start + (1 << 16)]


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[Any]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield orjson.loads(line)


async def start(
    folder: Path,
    runtime_config: Mapping[str, str] | None = None,
    feature_gates: Mapping[str, bool] | None = None,
) -> Api:
    keys = pki.ensure_cluster(folder, ("localhost",), ("127.0.0.1",))
    config = ApiServerConfig(
        port=0,
        disabled_admission_plugins=("ServiceAccount",),
        runtime_config=dict(runtime_config or {}),
        feature_gates=dict(feature_gates or {}),
    )
    server = await controlplane.start_api_server(config, keys, MemoryStorage())
    return Api(server, keys)


async def next_of(events: AsyncIterator[Any], count: int = 1) -> list[Any]:
    """The next events, bookmarks among them."""
    async with asyncio.timeout(5):
        return [await anext(events) for _ in range(count)]


def config_map(name: str = "a", **data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": name}, "data": data}


def pod(name: str = "a", **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, **metadata},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }


async def created(api: Api, body: dict[str, Any]) -> str:
    """The path of a new object in a new namespace."""
    plural = body["kind"].lower() + "s"
    path = f"{await api.namespace()}/{plural}"
    answer = await api("POST", path, body)
    assert answer.status == 201, answer.body
    return f"{path}/{body['metadata']['name']}"
