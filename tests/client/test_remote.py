import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from pykube_cp.client import remote
from pykube_cp.client.interface import DeleteOptions, EventType, PatchType, WriteOptions
from pykube_cp.client.kubeconfig import ClusterAccess
from pykube_cp.client.remote import RemoteClient
from pykube_cp.machinery import errors
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR

PODS = GVR("", "v1", "pods")
DEPLOYMENTS = GVR("apps", "v1", "deployments")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Served:
    """A server that answers everything with one handler, and keeps what it was asked."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: list[Any] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.path_qs, body))
        self.headers.append(request.headers)
        return await self.handler(request)


@asynccontextmanager
async def serving(handler: Handler, **access: Any) -> AsyncIterator[tuple[RemoteClient, Served]]:
    served = Served(handler)
    runner = web.ServerRunner(web.Server(served.serve))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    client = RemoteClient(ClusterAccess(server=f"http://127.0.0.1:{port}", **access), "tests")
    try:
        yield client, served
    finally:
        await client.close()
        await runner.cleanup()


async def empty(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"kind": "Status", "status": "Success"})


async def test_requests_are_those_of_client_go() -> None:
    pod = {"metadata": {"name": "p", "namespace": "ns"}}
    async with serving(empty) as (client, served):
        await client.get(DEPLOYMENTS, "d", "ns", subresource="scale")
        await client.create(PODS, {"target": {}}, "ns", name="p", subresource="binding")
        await client.update(PODS, pod, subresource="status")
        options = WriteOptions(field_manager="me", force=True)
        await client.patch(PODS, "p", {}, PatchType.APPLY, "ns", options=options)
        await client.delete(PODS, "p", "ns", options=DeleteOptions(uid="u"))
        await client.delete_collection(PODS, "ns", label_selector="a=b")
    assert served.requests == [
        ("GET", "/apis/apps/v1/namespaces/ns/deployments/d/scale", None),
        ("POST", "/api/v1/namespaces/ns/pods/p/binding", {"target": {}}),
        ("PUT", "/api/v1/namespaces/ns/pods/p/status", pod),
        ("PATCH", "/api/v1/namespaces/ns/pods/p?fieldManager=me&force=true", {}),
        (
            "DELETE",
            "/api/v1/namespaces/ns/pods/p",
            {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "u"}},
        ),
        (
            "DELETE",
            "/api/v1/namespaces/ns/pods?labelSelector=a%3Db",
            {"kind": "DeleteOptions", "apiVersion": "v1"},
        ),
    ]
    assert served.headers[3]["Content-Type"] == "application/apply-patch+yaml"
    assert served.headers[0]["User-Agent"].startswith("pykube-cp/v1.37.2 (linux/")


async def test_items_of_lists_get_their_kind() -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        meta = {"resourceVersion": "7", "continue": "next", "remainingItemCount": 3}
        items = [{"metadata": {"name": "p"}}]
        return web.json_response(
            {"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": items}
        )

    async with serving(answer) as (client, served):
        found = await client.list(PODS, limit=1, resource_version="0")
    assert found.items == [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}]
    assert (found.resource_version, found.continue_, found.remaining) == ("7", "next", 3)
    assert served.requests[0][1] == "/api/v1/pods?resourceVersion=0&limit=1"


async def test_a_status_becomes_an_error() -> None:
    status = errors.not_found(("", "pods"), "p").status()

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response(status, status=404)

    async with serving(answer) as (client, _):
        with pytest.raises(StatusError, match='pods "p" not found') as caught:
            await client.get(PODS, "p", "ns")
    assert caught.value.status() == status


async def test_an_answer_without_status_is_guessed() -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text="404 page not found")

    async with serving(answer) as (client, _):
        with pytest.raises(StatusError) as caught:
            await client.get(DEPLOYMENTS, "d", "ns")
    assert errors.is_not_found(caught.value)
    assert caught.value.message == (
        "the server could not find the requested resource (get deployments.apps d)"
    )


async def test_it_waits_as_long_as_the_server_says() -> None:
    answers = [
        web.Response(status=429, headers={"Retry-After": "0"}),
        web.Response(status=500, headers={"Retry-After": "0"}),
        web.json_response({"kind": "Pod"}),
    ]

    async def answer(_request: web.Request) -> web.StreamResponse:
        return answers.pop(0)

    async with serving(answer) as (client, served):
        assert await client.create(PODS, {"a": 1}, "ns") == {"kind": "Pod"}
    assert [body for _, _, body in served.requests] == [{"a": 1}] * 3


async def test_an_error_without_retry_after_is_final() -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    async with serving(answer) as (client, served):
        with pytest.raises(StatusError):
            await client.get(PODS, "p", "ns")
    assert len(served.requests) == 1


async def test_a_server_that_is_away_is_an_os_error() -> None:
    client = RemoteClient(ClusterAccess(server="http://127.0.0.1:1"))
    with pytest.raises(OSError, match=r"127\.0\.0\.1"):
        await client.get(PODS, "p", "ns")
    await client.close()


async def test_a_watch_yields_events_across_chunks() -> None:
    big = "x" * 300_000

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        lines = (
            f'{{"type":"ADDED","object":{{"metadata":{{"name":"{big}"}}}}}}\n'
            '{"type":"MODIFIED","object":{}}\n{"type":"DELETED","object":{}}\n'
        ).encode()
        for start in range(0, len(lines), 70_000):
            await response.write(lines[start : start + 70_000])
            await asyncio.sleep(0)
        return response

    async with serving(answer) as (client, served):
        watching = client.watch(PODS, "ns", send_initial_events=True, timeout_seconds=5)
        async with watching as events:
            seen = [event async for event in events]
    assert [event.type for event in seen] == [
        EventType.ADDED,
        EventType.MODIFIED,
        EventType.DELETED,
    ]
    assert seen[0].object["metadata"]["name"] == big
    assert served.requests[0][1] == (
        "/api/v1/namespaces/ns/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=5"
        "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    )


async def test_an_error_in_a_watch_is_raised() -> None:
    expired = errors.resource_expired("too old resource version: 1 (2)").status()

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.json_response({"type": "ERROR", "object": expired}, dumps=_line)

    async with serving(answer) as (client, _):
        with pytest.raises(StatusError) as caught:
            async with client.watch(PODS, resource_version="1") as events:
                await anext(events)
    assert errors.is_resource_expired(caught.value)


def _line(value: Any) -> str:
    return json.dumps(value) + "\n"


async def test_service_account_tokens_are_asked_for_and_renewed_when_refused() -> None:
    issued = 0
    refused = {"Bearer t1"}

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal issued
        if request.path.endswith("/token"):
            assert request.headers["Authorization"] == "Bearer admin"
            issued += 1
            status = {"token": f"t{issued}", "expirationTimestamp": "2999-01-01T00:00:00Z"}
            return web.json_response({"status": status})
        if request.headers["Authorization"] in refused:
            return web.json_response(errors.unauthorized("no").status(), status=401)
        return web.json_response({"who": request.headers["Authorization"]})

    async with serving(answer, token="admin") as (client, _):
        client_for = remote.clients_by_identity(client)
        account = client_for("job-controller")
        assert client_for("job-controller") is account
        with pytest.raises(StatusError):
            await account.get(PODS, "p", "ns")
        assert await account.get(PODS, "p", "ns") == {"who": "Bearer t2"}
        assert await account.get(PODS, "p", "ns") == {"who": "Bearer t2"}
    assert issued == 2
