"""A stream of bytes over a WebSocket, one way: how browsers follow logs."""
# upstream: streaming pkg/httpstream/wsstream/stream.go Reader

import base64
import hashlib
from collections.abc import AsyncIterator

from pykube_cp.api.request import RawConnection, Request, Upgrade

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PROTOCOLS = ("", "binary.k8s.io", "base64.binary.k8s.io")
_VERSION = "13"
_TEXT, _BINARY, _CLOSE = 0x1, 0x2, 0x8
_NORMAL = (1000).to_bytes(2, "big")


def is_websocket(request: Request) -> bool:
    return (
        request.header("upgrade").lower() == "websocket"
        and "upgrade" in request.header("connection").lower()
    )


def stream(request: Request, chunks: AsyncIterator[bytes]) -> Upgrade:
    """Send ``chunks`` as messages, then close; a plain refusal of a handshake that makes no sense."""
    protocol = _chosen(request)
    refusal = _refusal(request, protocol)
    if refusal is not None:
        return _bare(refusal)
    assert protocol is not None
    key = request.header("sec-websocket-key")
    is_text = protocol.startswith("base64")
    opcode = _TEXT if is_text else _BINARY

    async def run(connection: RawConnection) -> None:
        await connection.write(_handshake(key, protocol) + _frame(opcode, b""))
        async for chunk in chunks:
            data = base64.b64encode(chunk) if is_text else chunk
            await connection.write(_frame(opcode, data))
        await connection.write(_frame(_CLOSE, _NORMAL))

    return Upgrade(run)


def _refusal(request: Request, protocol: str | None) -> str | None:
    # upstream: golang.org/x/net websocket/hybi.go hybiServerHandshaker.ReadHandshake, server.go
    if not request.header("sec-websocket-key"):
        return "400 Bad Request\r\n\r\nmismatch challenge/response"
    if request.header("sec-websocket-version") != _VERSION:
        known = f"Sec-WebSocket-Version: {_VERSION}"
        return f"400 Bad Request\r\n{known}\r\n\r\nmissing or bad WebSocket Version"
    return "403 Forbidden\r\n\r\n" if protocol is None else None


def _bare(answer: str) -> Upgrade:
    """An answer with nothing in it that the others have; the connection ends with it."""

    async def run(connection: RawConnection) -> None:
        await connection.write(f"HTTP/1.1 {answer}".encode())

    return Upgrade(run)


def _chosen(request: Request) -> str | None:
    """The first of the protocols asked for that is known; empty when the client leaves it open."""
    asked = [each.strip() for each in request.header("sec-websocket-protocol").split(",")]
    return next((each for each in asked if each in _PROTOCOLS), None)


def _handshake(key: str, protocol: str) -> bytes:
    accept = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()  # noqa: S324 - RFC 6455
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
        f"Sec-WebSocket-Protocol: {protocol}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _frame(opcode: int, data: bytes) -> bytes:
    size = len(data)
    if size < 126:
        head = bytes((0x80 | opcode, size))
    elif size < 1 << 16:
        head = bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big")
    return head + data
