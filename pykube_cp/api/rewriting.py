"""Answers of proxied servers: links and redirects that point below the proxy's own path."""
# upstream: apimachinery pkg/util/proxy/transport.go Transport

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

from pykube_cp.api.edge.outbound import OutboundResponse, Target
from pykube_cp.api.request import Stream

_LIMIT = 4 << 20
_DROPPED = {"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"}
_CORS = "access-control-"
_LINK = re.compile(
    rb"""(\s(?:href|src|action|cite|background|codebase|longdesc|usemap|poster|manifest)\s*=\s*["'])"""
    rb"""([^"']*)""",
    re.IGNORECASE,
)


async def rewritten(answer: OutboundResponse, prefix: str, target: Target) -> Stream:
    """The answer with its links below ``prefix``; all but HTML is passed on untouched."""
    headers = [
        (name, value)
        for name, value in answer.headers
        if name.lower() not in _DROPPED and not name.lower().startswith(_CORS)
    ]
    headers = [
        (name, _moved(value, prefix, target) if name.lower() == "location" else value)
        for name, value in headers
    ]
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    encoded = any(name.lower() == "content-encoding" for name, _ in headers)
    if not kind.startswith("text/html") or encoded:
        return Stream(answer.status, answer.chunks, headers)
    headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
    return Stream(answer.status, _html(answer.chunks, prefix, target), headers)


async def _html(chunks: AsyncIterator[bytes], prefix: str, target: Target) -> AsyncIterator[bytes]:
    """HTML with rewritten links; a page over the limit goes on as it is from there."""
    page = b""
    async for chunk in chunks:
        page += chunk
        if len(page) > _LIMIT:
            yield page
            page = b""
            async for rest in chunks:
                yield rest
    if page:
        yield _LINK.sub(lambda match: match[1] + _link(match[2], prefix, target), page)


def _link(link: bytes, prefix: str, target: Target) -> bytes:
    return _moved(link.decode("latin-1"), prefix, target).encode("latin-1", "replace")


def _moved(url: str, prefix: str, target: Target) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    foreign = parts.netloc and parts.netloc not in {target.authority, target.host}
    if foreign or not parts.path.startswith("/") or parts.path.startswith(prefix + "/"):
        return url
    return urlunsplit(("", "", prefix + parts.path, parts.query, parts.fragment))
