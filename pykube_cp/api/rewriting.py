"""Answers of proxied servers: links and redirects that point below the proxy's own path."""
# upstream: apimachinery pkg/util/proxy/transport.go Transport

import posixpath
import zlib
from collections.abc import AsyncIterator, Callable

from pykube_cp.api import html_links
from pykube_cp.api.edge.outbound import OutboundResponse
from pykube_cp.api.request import Stream
from pykube_cp.machinery import errors, go_url
from pykube_cp.machinery.go_url import UrlError

_HOP_BY_HOP = {
    "connection",
    "proxy-connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_CORS = {
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
}
_NOT_WHEN_UNCHANGED = {"content-type", "content-length"}
_GZIP, _DEFLATE = 16 + zlib.MAX_WBITS, -zlib.MAX_WBITS
_WINDOWS = {"gzip": _GZIP, "deflate": _DEFLATE}


async def rewritten(
    answer: OutboundResponse, prefix: str, hosts: tuple[str, str], *, takes_gzip: bool
) -> Stream:
    """The answer as the client gets it.

    Args:
        answer: as it came.
        prefix: what stands before the target's own path in the client's.
        hosts: names of the target under which its links may know it.
        takes_gzip: whether the client has said which encodings he knows.
    """

    def move(link: str) -> str:
        return _moved(link, prefix, hosts)

    _unzip(answer, takes_gzip=takes_gzip)
    place = answer.header("location")
    if place:
        try:
            answer.replace("Location", move(place))
        except UrlError as error:
            text = f"error trying to parse Location header: {error}"
            raise errors.internal_error(text) from None
    elif answer.header("content-type").partition(";")[0].strip() == "text/html":
        await _rewrite(answer, move)
    return Stream(answer.status, answer.chunks, _passed_on(answer))


def _passed_on(answer: OutboundResponse) -> list[tuple[str, str]]:
    dropped = _HOP_BY_HOP | _CORS
    dropped |= {each.strip().lower() for each in answer.header("connection").split(",")}
    if answer.status == 304:
        dropped |= _NOT_WHEN_UNCHANGED
    return [(name, value) for name, value in answer.headers if name.lower() not in dropped]


def _unzip(answer: OutboundResponse, *, takes_gzip: bool) -> None:
    """Who says nothing about encodings gets none."""
    # upstream: net/http transport.go persistConn.readLoop
    if not takes_gzip and answer.header("content-encoding").lower() == "gzip":
        answer.replace("Content-Encoding", None)
        answer.replace("Content-Length", None)
        answer.chunks = _inflated(answer.chunks)


async def _inflated(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    inflater = zlib.decompressobj(_GZIP)
    async for chunk in chunks:
        yield inflater.decompress(chunk)
    yield inflater.flush()


async def _rewrite(answer: OutboundResponse, move: Callable[[str], str]) -> None:
    encoding = answer.header("content-encoding")
    if encoding not in {"", *_WINDOWS}:
        return  # what cannot be read goes on as it is
    page = b"".join([chunk async for chunk in answer.chunks])
    if encoding:
        try:
            page = zlib.decompress(page, _WINDOWS[encoding])
        except zlib.error as error:
            text = f"errorf making {encoding} reader: {error}"
            raise errors.StatusError(500, "", text) from None
    text = page.decode("utf-8", "surrogateescape")
    page = html_links.rewritten(text, lambda link: _kept(link, move)).encode(
        "utf-8", "surrogateescape"
    )
    if encoding:
        deflater = zlib.compressobj(wbits=_WINDOWS[encoding])
        page = deflater.compress(page) + deflater.flush()
    answer.replace("Content-Length", None)
    answer.chunks = _one(page)


async def _one(page: bytes) -> AsyncIterator[bytes]:
    yield page


def _kept(link: str, move: Callable[[str], str]) -> str:
    try:
        return move(link)
    except UrlError:
        return link


def _moved(link: str, prefix: str, hosts: tuple[str, str]) -> str:
    """A link of the target's below the proxy's path; others stay."""
    # upstream: as above, Transport.rewriteURL
    url = go_url.parse(link)
    if (url.host and url.host not in hosts) or not url.path.startswith("/"):
        return str(url)
    own = hosts[1]
    if url.host != own:
        url = go_url.Url(
            path=url.path, raw_path=url.raw_path, query=url.query, raw_fragment=url.raw_fragment
        )
    if url.path.startswith(prefix):
        return str(url)
    path = joined(prefix, url.path)
    return str(url.at(path if path.endswith("/") or not url.path.endswith("/") else f"{path}/"))


def joined(*parts: str) -> str:
    """Paths as one, without detours."""
    # upstream: path path.go Join
    text = "/".join(part for part in parts if part)
    if not text:
        return ""
    return posixpath.normpath(f"/{text.lstrip('/')}") if text.startswith("/") else text
