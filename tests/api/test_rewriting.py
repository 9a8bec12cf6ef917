"""Pages and redirects that pass the proxy."""

import gzip
from collections.abc import AsyncIterator

import pytest

from pykube_cp.api import html_links, rewriting
from pykube_cp.api.edge.outbound import OutboundResponse
from pykube_cp.machinery.errors import StatusError


def page(text: str) -> str:
    return html_links.rewritten(text, lambda link: f"/p{link}" if link.startswith("/") else link)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ('<a href="/x">t</a>', '<a href="/p/x">t</a>'),
        ("<A HREF=/x>", '<a href="/p/x">'),
        ("<img src='/x'/>", '<img src="/p/x"/>'),
        ('<p title="a&amp;b" x>', '<p title="a&amp;b" x="">'),
        ('<a href="/x?a=1&copy=2">', '<a href="/p/x?a=1&amp;copy=2">'),
        ('<a href="/x?a=1&lt;2">', '<a href="/p/x?a=1&lt;2">'),
        ("<!-- <a href='/x'> --><!DOCTYPE html>", "<!-- <a href='/x'> --><!DOCTYPE html>"),
        (
            "<script>if (a<b) '<a href=\"/x\">'</script>",
            "<script>if (a<b) '<a href=\"/x\">'</script>",
        ),
        ("</A x='>'>1 < 2", "</A x='>'>1 < 2"),
        ("<plaintext><a href='/x'>", "<plaintext><a href='/x'>"),
        ("text<a href='/x", "text"),
        ("a<", "a<"),
    ],
)
def test_links_of_a_page(given: str, expected: str) -> None:
    assert page(given) == expected


async def _chunks(*data: bytes) -> AsyncIterator[bytes]:
    for each in data:
        yield each


async def rewritten(
    *data: bytes, takes_gzip: bool = True, status: int = 200, **headers: str
) -> tuple[bytes, dict[str, str]]:
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    answer = OutboundResponse(status, named, _chunks(*data))
    hosts = ("10.0.0.1:80", "api:443")
    stream = await rewriting.rewritten(answer, "/proxy", hosts, takes_gzip=takes_gzip)
    return b"".join([chunk async for chunk in stream.chunks]), dict(stream.headers)


@pytest.mark.parametrize(
    ("place", "moved"),
    [
        ("/x", "/proxy/x"),
        ("/x/", "/proxy/x/"),
        ("/proxy/x", "/proxy/x"),
        ("x", "x"),
        ("http://10.0.0.1:80/x?a", "/proxy/x?a"),
        ("https://api:443/x", "https://api:443/proxy/x"),
        ("https://elsewhere/x", "https://elsewhere/x"),
    ],
)
async def test_where_a_redirect_leads(place: str, moved: str) -> None:
    _, headers = await rewritten(status=302, Location=place)
    assert headers["Location"] == moved


async def test_a_redirect_to_nowhere_is_an_error() -> None:
    with pytest.raises(StatusError, match="error trying to parse Location header"):
        await rewritten(status=302, Location="http://[")


async def test_compressed_pages_are_compressed_again() -> None:
    data = gzip.compress(b'<a href="/x">')
    body, headers = await rewritten(
        data, Content_Type="text/html; charset=utf-8", Content_Encoding="gzip", Content_Length="9"
    )
    assert gzip.decompress(body) == b'<a href="/proxy/x">'
    assert "Content-Length" not in headers


async def test_who_takes_no_gzip_gets_none() -> None:
    data = gzip.compress(b"plain")
    body, headers = await rewritten(data, takes_gzip=False, Content_Encoding="gzip")
    assert (body, headers) == (b"plain", {})


async def test_other_encodings_and_kinds_are_left_alone() -> None:
    body, _ = await rewritten(b"<a href='/x'>", Content_Type="text/html", Content_Encoding="br")
    assert body == b"<a href='/x'>"
    body, _ = await rewritten(b"<a href='/x'>", Content_Type="text/plain")
    assert body == b"<a href='/x'>"


async def test_headers_of_the_connection_stay_behind() -> None:
    _, headers = await rewritten(Connection="x-own, close", X_Own="1", Keep_Alive="5", Via="v")
    assert headers == {"Via": "v"}
