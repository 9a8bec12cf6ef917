"""A stream of bytes over a WebSocket, one way: how browsers follow logs."""
# upstream: streaming pkg/httpstream/wsstream/stream.go Reader

import base64
import hashlib
from collections.abc import AsyncIterator

from pykube_cp.api.request import RawConnection, Request, Upgrade
from pykube_cp.machinery import errors

_MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_PROTOCOLS = ("", "binary.k8s.io", "base64.binary.k8s.io")
_TEXT, _BINARY, _CLOSE = 0x1, 0x2, 0x8
_NORMAL = (1000).to_bytes(2, "big")


def is_websocket(request: Request) -> bool:
    return (
        request.header("upgrade").lower() == "websocket"
        and "upgrade" in request.header("connection").lower()
    )


def stream(request: Request, chunks: AsyncIterator[bytes]) -> Upgrade:
    """Send ``chunks`` as messages, then close."""
    protocol = _chosen(request)
    key = request.header("sec-websocket-key")

    async def run(connection: RawConnection) -> None:
        await connection.write(_handshake(key, protocol))
        async for chunk in chunks:
            if protocol.startswith("base64"):
                await connection.write(_frame(_TEXT, base64.b64encode(chunk)))
            else:
                await connection.write(_frame(_BINARY, chunk))
        await connection.write(_frame(_CLOSE, _NORMAL))

    return Upgrade(run)


def _chosen(request: Request) -> str:
    asked = [each.strip() for each in request.header("sec-websocket-protocol").split(",")]
    for each in asked:
        if each in _PROTOCOLS:
            return each
    raise errors.bad_request(f"requested protocol(s) are not supported: {asked}")


def _handshake(key: str, protocol: str) -> bytes:
    accept = base64.b64encode(hashlib.sha1((key + _MAGIC).encode()).digest()).decode()  # noqa: S324 - RFC 6455
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept}",
    ]
    if protocol:
        lines.append(f"Sec-WebSocket-Protocol: {protocol}")
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
