"""A kubelet and a pod's server that say what they were asked, so that this can be compared.

Both listen where nodes and pods of the run's own network are (`network.py`). What they do is in the
request: a part of the path that is one of `ways()`, as `x-404`, is done; all else is answered with a
description of the request. An upgrade is granted; then what comes is sent back, up to the word `bye`.
"""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KUBELET_PORT, PLAIN_PORT, TLS_PORT = 10250, 8080, 8443
ANYWHERE = "0.0.0.0"
PAGE = """<html><head><link rel="stylesheet" href="/style.css"><base href='/base/'></head>
<body background=/b.png><a href="/a?x=1&amp;y=2#z" title='t &amp; u'>x &lt; y</a><a href="b/c">r</a>
<a href="http://example.com/away">w</a><A HREF="//other/x">s</A><img src="/i.png" usemap="#m" />
<form action="/f"><button formaction="/g">b</button></form><script src="/s.js">"</a>" < 1</script>
<!-- <a href="/comment"> --><p href="/not">&nbsp;&copy;</p><a href=":odd:%zz">o</a></body></html>
"""


@dataclass(slots=True)
class Asked:
    """A request, as it came."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    body: bytes = b""
    caller: str = ""
    parts: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.parts = tuple(self.target.partition("?")[0].split("/"))

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name), "")

    def described(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "target": self.target,
            "headers": sorted(
                [name, value] for name, value in self.headers if _counts(name, value)
            ),
            "body": self.body.decode("latin-1"),
            "caller": self.caller,
        }


def _counts(name: str, value: str) -> bool:
    """Whether a header says something: Go offers gzip by itself, and how bodies are cut is free."""
    offered = (name.lower(), value.lower())
    return offered not in {("accept-encoding", "gzip"), ("connection", "close")}


Way = Callable[[Asked], Awaitable[None]]


async def _describe(asked: Asked) -> None:
    text = json.dumps(asked.described(), indent=1) + "\n"
    headers = [
        "Content-Type: application/json",
        "X-Fake: yes",
        "Set-Cookie: a=1",
        "Set-Cookie: b=2",
    ]
    headers += [
        "Access-Control-Allow-Origin: *",
        "Access-Control-Expose-Headers: x",
        "Server: fake",
    ]
    _answer(asked, "200 OK", text.encode(), headers)


def _status(code: int) -> Way:
    async def way(asked: Asked) -> None:
        text = b"" if code in {204, 304} else b"the fake says %d\n" % code
        _answer(asked, f"{code} Whatever", text, ["Content-Type: text/plain", "Retry-After: 7"])

    return way


def _redirect(location: str) -> Way:
    async def way(asked: Asked) -> None:
        place = location.replace("SELF", asked.header("host"))
        _answer(asked, "302 Found", b"moved\n", [f"Location: {place}", "Content-Type: text/html"])

    return way


async def _html(asked: Asked) -> None:
    _answer(asked, "200 OK", PAGE.encode(), ["Content-Type: text/html; charset=utf-8", "ETag: x"])


async def _html_gzip(asked: Asked) -> None:
    page = gzip.compress(PAGE.encode(), mtime=0)
    _answer(asked, "200 OK", page, ["Content-Type: text/html", "Content-Encoding: gzip"])


async def _chunks(asked: Asked) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
    asked.writer.write(head.encode())
    for number in range(5):
        asked.writer.write(b"7\r\nline %d\n\r\n" % number)
        await asked.writer.drain()
        await asyncio.sleep(0.02)
    asked.writer.write(b"0\r\n\r\n")


async def _until_end(asked: Asked) -> None:
    """A body that ends with the connection."""
    asked.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n")
    asked.writer.write(b"until the end\n")
    asked.writer.close()


async def _cut(asked: Asked) -> None:
    asked.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nthis is not all")
    asked.writer.close()


async def _close(asked: Asked) -> None:
    asked.writer.close()


async def _garbage(asked: Asked) -> None:
    asked.writer.write(b"this is not HTTP\r\n\r\n")
    asked.writer.close()


async def _interim(asked: Asked) -> None:
    asked.writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
    await _describe(asked)


def ways() -> Mapping[str, Way]:
    """What can be asked for by a part of the path."""
    codes = (200, 201, 202, 204, 206, 300, 304, 400, 401, 403, 404, 405, 409, 429, 500, 502, 503)
    return {
        **{f"x-{code}": _status(code) for code in codes},
        "x-redirect": _redirect("/elsewhere?x=1"),
        "x-redirect-slash": _redirect("/elsewhere/"),
        "x-redirect-self": _redirect("http://SELF/self"),
        "x-redirect-away": _redirect("https://example.com/away"),
        "x-redirect-near": _redirect("near/by"),
        "x-redirect-odd": _redirect(":odd:%zz"),
        "x-html": _html,
        "x-html-gzip": _html_gzip,
        "x-chunks": _chunks,
        "x-until-end": _until_end,
        "x-cut": _cut,
        "x-close": _close,
        "x-garbage": _garbage,
        "x-interim": _interim,
    }


WAYS = ways()


def _answer(asked: Asked, status: str, body: bytes, headers: list[str]) -> None:
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    asked.writer.write(head if asked.method == "HEAD" else head + body)


async def _upgrade(asked: Asked) -> None:
    """101, a description of the request, and an echo."""
    lines = ["HTTP/1.1 101 Switching Protocols", "Connection: Upgrade"]
    lines.append(f"Upgrade: {asked.header('upgrade')}")
    for name in ("Sec-WebSocket-Protocol", "X-Stream-Protocol-Version"):
        if offered := asked.header(name.lower()):
            lines.append(f"{name}: {offered.partition(',')[0].strip()}")
    asked.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
    asked.writer.write(json.dumps(asked.described()).encode() + b"\n")
    seen = b""
    while data := await asked.reader.read(1 << 16):
        seen += data
        asked.writer.write(data)
        if b"bye" in seen:
            break
    asked.writer.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while not writer.is_closing():
            asked = await _read(reader, writer)
            wanted = next((WAYS[part] for part in asked.parts if part in WAYS), None)
            upgrades = "upgrade" in asked.header("connection").lower()
            await (wanted or (_upgrade if upgrades else _describe))(asked)
            if not writer.is_closing():
                await writer.drain()
    except (asyncio.CancelledError, asyncio.IncompleteReadError, OSError, ValueError):
        pass  # the end of the run, or of the connection
    finally:
        writer.close()


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    asked = Asked(method, target, headers, reader, writer, caller=_caller(writer))
    if "chunked" in asked.header("transfer-encoding"):
        async for chunk in _chunked(reader):
            asked.body += chunk
    elif size := int(asked.header("content-length") or 0):
        asked.body = await reader.readexactly(size)
    framing = {"content-length", "transfer-encoding"}
    asked.headers = [(name, value) for name, value in headers if name.lower() not in framing]
    return asked


async def _chunked(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield (await reader.readexactly(size + 2))[:size]
    await reader.readuntil(b"\r\n")


def _caller(writer: asyncio.StreamWriter) -> str:
    """The common name of the client's certificate."""
    certificate = writer.get_extra_info("peercert") or {}
    names = [pair for part in certificate.get("subject", ()) for pair in part]
    return next((value for key, value in names if key == "commonName"), "")


@asynccontextmanager
async def running(certificate: Path, authority: Path) -> AsyncIterator[None]:
    """Both, with one serving certificate; the kubelet asks callers for theirs."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authority)
    tls.load_cert_chain(f"{certificate}.crt", f"{certificate}.key")
    tls.verify_mode = ssl.CERT_OPTIONAL
    servers = [
        await asyncio.start_server(_serve, ANYWHERE, KUBELET_PORT, ssl=tls),
        await asyncio.start_server(_serve, ANYWHERE, TLS_PORT, ssl=tls),
        await asyncio.start_server(_serve, ANYWHERE, PLAIN_PORT),
    ]
    try:
        yield
    finally:
        for server in servers:
            server.close()
