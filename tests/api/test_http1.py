"""HTTP/1.1 as bytes on a connection."""

import asyncio

import pytest

from pykube_cp.api.edge import head, http1
from pykube_cp.machinery import clock
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
            assert (status, headers.get("connection", "close")) == (200, "close")
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


@pytest.mark.parametrize(("surplus", "ends"), [(200 << 10, False), (300 << 10, True)])
async def test_what_is_too_much_of_a_body_may_end_the_connection(
    api: Api, *, surplus: int, ends: bool
) -> None:
    path = await api.namespace() + "/configmaps"
    body = b" " * ((3 << 20) + surplus)
    async with api.connection() as (reader, writer):
        writer.write(post(path, f"Content-Length: {len(body)}") + body)
        status, headers, _ = await answer(reader)
        assert (status, headers.get("connection") == "close") == (413, ends)


async def test_a_body_that_breaks_off_is_no_request(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    async with api.connection() as (_, writer):
        writer.write(post(path, "Content-Length: 100") + b'{"metadata": {"name": "a"}}')
        await writer.drain()
    assert (await api("GET", path)).json["items"] == []


@pytest.mark.parametrize(
    ("request_bytes", "line"),
    [
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (b"nonsense\r\n", b"400 Bad Request"),
        (b"\x16\x03\x01\r\n", b"400 Bad Request"),
        (get("/version", "no colon"), b"400 Bad Request"),
        (get("/version", "Bad Header: x"), b"400 Bad Request: invalid header name"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400 Bad Request: missing required Host header"),
        (get("/version", "Expect: x"), b"417 Expectation Failed"),
        (get("/version", "Transfer-Encoding: x"), b"501 Not Implemented"),
        (
            b"GET /version HTTP/9.9\r\n\r\n",
            b"505 HTTP Version Not Supported: unsupported protocol version",
        ),
    ],
)
async def test_what_is_not_http_is_refused(api: Api, request_bytes: bytes, line: bytes) -> None:
    async with api.connection() as (reader, writer):
        writer.write(request_bytes + get("/version"))
        async with asyncio.timeout(5):
            data = await reader.read()
        assert data.startswith(b"HTTP/1.1 " + line + b"\r\n")
        assert data.count(b"HTTP/1.1") == 1, "nothing behind it is read"
        assert b"Connection: close\r\n" in data


async def test_chunks_that_are_none_end_the_connection(api: Api) -> None:
    path = await api.namespace() + "/configmaps"
    async with api.connection() as (reader, writer):
        writer.write(post(path, "Transfer-Encoding: chunked") + b"zz\r\n" + get("/version"))
        status, headers, body = await answer(reader)
        assert (status, headers["connection"]) == (500, "close")
        assert b"invalid byte in chunk length" in body
        assert await is_closed(reader)


async def test_heads_have_a_limit(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "MAX_BYTES", 4096)
    async with api.connection() as (reader, writer):
        writer.write(get("/version", "X: " + "x" * 2000))
        assert (await answer(reader))[0] == 200
        writer.write(get("/version", *(f"X-{number}: {'x' * 500}" for number in range(10))))
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (431, "close")
        assert await is_closed(reader)


async def test_a_head_without_end_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head, "MAX_BYTES", 4096)
    async with api.connection() as (reader, writer):
        writer.write(b"GET /version HTTP/1.1\r\nX: " + b"x" * 5000)
        assert (await answer(reader))[0] == 431
        assert await is_closed(reader)


async def test_what_is_left_of_a_body_is_passed_over(api: Api) -> None:
    async with api.connection() as (reader, writer):
        for framing, body in (
            ("Content-Length: 5", b"hello"),
            ("Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
        ):
            writer.write(post("/nowhere", framing))
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(body + get("/version"))
            assert (await answer(reader))[0] == 404
            assert (await answer(reader))[0] == 200
        writer.write(post("/nowhere", f"Content-Length: {1 << 20}"))
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (404, "close"), "too much to wait for"


async def test_a_body_that_does_not_come_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http1, "UNREAD_SECONDS", 0.05)
    async with api.connection() as (reader, writer):
        writer.write(post("/nowhere", "Content-Length: 5"))
        status, headers, _ = await answer(reader)
        assert (status, headers["connection"]) == (404, "close")


async def test_clients_of_old_may_keep_their_connection(api: Api) -> None:
    async with api.connection() as (reader, writer):
        for _ in range(2):
            writer.write(b"GET /version HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            status, headers, _ = await answer(reader)
            assert (status, headers["connection"]) == (200, "keep-alive")
        writer.write(b"GET /api/v1/namespaces?watch=1&timeoutSeconds=1 HTTP/1.0\r\n")
        writer.write(b"Connection: keep-alive\r\n\r\n")
        async with asyncio.timeout(5):
            data = await reader.read()
        assert data.startswith(b"HTTP/1.0 200 OK\r\n")
        assert b"chunked" not in data, "HTTP/1.0 knows no chunks"
        assert b'\r\n\r\n{"type":"ADDED"' in data


async def test_a_client_that_only_asks_is_held_back(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that nobody reads the answers of do not pile up: neither they nor the answers."""
    monkeypatch.setattr(http1, "WRITE_HIGH", 1 << 16)
    async with api.connection() as (_, writer):
        writer.write(get("/openapi/v2") * 100_000)
        async with asyncio.timeout(10):
            while not (held := [each for each in api.server.edge._connections if each._paused]):  # noqa: ASYNC110 - has an end
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
        assert held[0]._paused
        assert len(held[0]._buffer) < 1 << 20
        assert held[0].transport.get_write_buffer_size() < 16 << 20


async def test_slow_heads_and_silence_end_a_connection(api: Api) -> None:
    async with api.connection() as (reader, writer):
        writer.write(get("/version"))
        await answer(reader)
        now = clock.monotonic()
        mine = writer.get_extra_info("sockname")
        (connection,) = [
            each
            for each in api.server.edge._connections
            if each.transport.get_extra_info("peername") == mine
        ]
        connection.sweep(now + http1.HEAD_SECONDS + 1)
        writer.write(b"GET /ver")
        await asyncio.sleep(0.05)
        writer.write(b"sion HTTP/1.1\r\n")
        await asyncio.sleep(0.05)
        connection.sweep(now + http1.HEAD_SECONDS - 1)
        assert not connection.transport.is_closing()
        connection.sweep(now + http1.HEAD_SECONDS + 2)
        assert await is_closed(reader)
