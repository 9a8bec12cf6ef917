"""HTTP/1.1 as bytes on a connection."""

import asyncio

import pytest

from pykube_cp.api.edge import http1
from tests.api.serving import Api

pytestmark = pytest.mark.asyncio(loop_scope="session")

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    async with asyncio.timeout(5):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = head.rstrip().split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return int(status.split()[1]), headers, body


async def is_closed(reader: asyncio.StreamReader) -> bool:
    async with asyncio.timeout(5):
        return await reader.read(1) == b""


def get(path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]
    return "\r\n".join(lines).encode()


def post(path: str, *headers: str) -> bytes:
    return get(path, "Content-Type: application/json", *headers).replace(b"GET", b"POST", 1)


async def test_a_connection_serves_many_requests(api: Api) -> None:
    async with api.connection() as (reader, writer):
        for _ in range(3):
            writer.write(get("/version"))
            status, headers, body = await answer(reader)
            assert status == 200
            assert "connection" not in headers
            assert b"gitVersion" in body


async def test_a_client_may_ask_to_close(api: Api) -> None:
    for request in (
        get("/version", "Connection: close"),
        b"GET /version HTTP/1.0\r\nHost: x\r\n\r\n",
    ):
        async with api.connection() as (reader, writer):
            writer.write(request)
            status, headers, _ = await answer(reader)
            assert (status, headers["connection"]) == (200, "close")
            assert await is_closed(reader)


async def test_pipelined_requests_are_answered_in_order(api: Api) -> None:
    async with api.connection() as (reader, writer):
        paths = ["/version", "/nowhere", "/api", "/healthz"]
        last = get("/readyz", "Connection: close")
        writer.write(b"".join(get(path) for path in paths) + last)
        statuses = [(await answer(reader))[0] for _ in range(5)]
        assert statuses == [200, 404, 200, 200, 200]
        assert await is_closed(reader)


async def test_requests_may_come_in_pieces(api: Api) -> None:
    async with api.connection() as (reader, writer):
        for byte in get("/healthz"):
            writer.write(bytes([byte]))
            await writer.drain()
        assert (await answer(reader))[0] == 200


async def test_bodies_may_come_in_chunks(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    async with api.connection() as (reader, writer):
        writer.write(post(path, "Transfer-Encoding: chunked"))
        for piece in (b'{"metadata": ', b'{"name": "a"}', b"}"):
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        assert (await answer(reader))[0] == 201
        writer.write(get(path + "/a"))
        assert (await answer(reader))[0] == 200


async def test_a_client_may_wait_until_it_may_go_on(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    body = b'{"metadata": {"name": "a"}}'
    async with api.connection() as (reader, writer):
        expect = (f"Content-Length: {len(body)}", "Expect: 100-continue")
        writer.write(post(path, *expect))
        assert (await answer(reader))[0] == 100
        writer.write(body)
        assert (await answer(reader))[0] == 201
    async with api.connection() as (reader, writer):
        writer.write(post("/api/v1/namespaces/none/configmaps/a/b/c", *expect))
        status, _, _ = await answer(reader)
        assert status in {404, 405}, "refused without asking for the body"
        assert await is_closed(reader)


async def test_a_body_that_is_too_long_is_answered(api: Api) -> None:
    """The client is still sending; it must get to read the answer all the same."""
    path = await api.namespace() + "/configmaps"
    async with api.connection() as (reader, writer):
        writer.write(post(path, f"Content-Length: {8 << 20}"))
        for _ in range(8):
            writer.write(b" " * (1 << 20))
        assert (await answer(reader))[0] == 413
        assert await is_closed(reader)


async def test_a_body_that_breaks_off_is_no_request(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    async with api.connection() as (_, writer):
        writer.write(post(path, "Content-Length: 100") + b'{"metadata": {"name": "a"}}')
        await writer.drain()
    assert (await api("GET", path)).json["items"] == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /version HTTP/9.9\r\n\r\n",
        b"GET /version HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST /version HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /version HTTP/1.1\r\nBad Header: x\r\n\r\n",
        b"POST /version HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        get("/version?" + "&".join("a=b" for _ in range(2000))),
    ],
)
async def test_what_is_not_http_is_refused(api: Api, request_bytes: bytes) -> None:
    async with api.connection() as (reader, writer):
        writer.write(request_bytes)
        data = b""
        async with asyncio.timeout(5):
            while chunk := await reader.read(65536):
                data += chunk
        assert not data or data.startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_heads_have_a_limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "HEADER_BYTES", 4096)
    async with api.connection() as (reader, writer):
        writer.write(get("/version", "X: " + "x" * 2000))
        assert (await answer(reader))[0] == 200
        writer.write(get("/version", *(f"X-{number}: {'x' * 500}" for number in range(10))))
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (431, "close")
        assert await is_closed(reader)


async def test_an_upgrade_that_is_refused_ends_the_connection(api: Api) -> None:
    path = "/api/v1/namespaces/default/pods/none/exec?command=sh"
    async with api.connection() as (reader, writer):
        writer.write(get(path, "Connection: Upgrade", "Upgrade: websocket"))
        status, headers, _ = await answer(reader)
        assert status >= 400
        assert headers["connection"] == "close"
        assert await is_closed(reader)


async def test_a_watch_sends_its_head_at_once_and_ends_with_its_reader(api: Api) -> None:
    caches = api.server.services.caches

    def watchers() -> int:
        return caches.sizes()["/registry/core/secrets/"][1]

    await api("GET", "/api/v1/secrets")
    before = watchers()
    async with api.connection() as (reader, writer):
        writer.write(get("/api/v1/secrets?watch=1&resourceVersion=" + str(caches.revision)))
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head
        assert watchers() == before + 1
    async with asyncio.timeout(5):
        while watchers() != before:  # noqa: ASYNC110 - the server says nothing when it is done
            await asyncio.sleep(0.001)


async def test_headers_cannot_be_broken_out_of(api: Api) -> None:
    head = http1.render_head(200, [("Warning", '299 - "a\r\nSet-Cookie: x"')])
    assert head.count(b"\r\n") == 3
    assert b"\nSet-Cookie" not in head
