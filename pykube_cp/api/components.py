"""Asking controllers and scheduler on this machine how they are."""
# upstream: pkg/registry/core/componentstatus/validator.go HttpServer; pkg/probe/http/http.go DoHTTPProbe

import asyncio
import ssl
from collections.abc import AsyncIterator

from pykube_cp.api.edge import outbound
from pykube_cp.api.edge.outbound import OutboundError, Target
from pykube_cp.api.request import NoBody
from pykube_cp.machinery.go_text import quote

_SECONDS = 20
_LONGEST = 10 << 10
_HEADERS = (("User-Agent", "kube-probe/1.37"), ("Accept", "*/*"))


async def health(port: int) -> tuple[bool, str]:
    """Whether the component at that port says that it is well, and what it says."""
    target = Target("127.0.0.1", port, "/healthz", _anybody())
    start = f"Get {quote(target.url)}: "
    try:
        async with asyncio.timeout(_SECONDS):
            answer = await outbound.send(target, "GET", _HEADERS, NoBody().chunks(), has_body=False)
            text = (await _body(answer.chunks)).decode(errors="replace")
    except OutboundError as error:
        return False, f"{start}{error}"
    except TimeoutError:
        return False, f"{start}context deadline exceeded"
    if 200 <= answer.status < 400:
        return True, text
    return False, f"HTTP probe failed with statuscode: {answer.status}"


def _anybody() -> ssl.SSLContext:
    """Their certificates are their own, and new at each start."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _body(chunks: AsyncIterator[bytes]) -> bytes:
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) > _LONGEST:
            break
    return body[:_LONGEST]
