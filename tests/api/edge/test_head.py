"""Heads of requests: what is one, what is refused, and in which words."""

import random
from collections.abc import Callable
from http import HTTPStatus

import httptools
import pytest

from pykube_cp.api.edge import head
from pykube_cp.api.edge.head import Head, HeadError, Heads


def parsed(*lines: str, end: str = "\r\n") -> Head:
    return head.parse((end.join(lines) + 2 * end).encode("latin-1"))


def refused(*lines: str) -> tuple[int, str]:
    with pytest.raises(HeadError) as caught:
        parsed(*lines)
    return caught.value.status.value, caught.value.text


GET = "GET /a HTTP/1.1"
POST = "POST /a HTTP/1.1"
HOST = "Host: x"


def test_a_head_is_read() -> None:
    found = parsed("GET /a%20b?c=d HTTP/1.1", HOST, "Accept:\tx/y ", "A: 1", "a: 2", "A:")
    assert (found.method, found.target.path, found.target.query) == ("GET", "/a b", "c=d")
    assert found.headers == {"host": "x", "accept": "x/y", "a": "1"}
    assert found.values("a") == ["1", "2", ""]
    assert (found.length, found.closes, found.expects) == (0, False, False)


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_where_a_head_ends(end: str) -> None:
    data = (end.join((GET, HOST)) + 2 * end).encode()
    assert head.end_of(data + b"body") == len(data)
    for size in range(len(data)):
        assert head.end_of(data[:size]) == -1
        assert head.end_of(data, size) == len(data), "looking on where one stopped"
    assert parsed(GET, HOST, end=end).headers == {"host": "x"}


def test_lines_may_go_on() -> None:
    assert parsed(GET, HOST, "A: b", "  c", "\td").headers["a"] == "b c d"


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "GET /a",
        "GET  /a HTTP/1.1",
        "GET /a  HTTP/1.1",
        " GET /a HTTP/1.1",
        "G(T /a HTTP/1.1",
        "GET\t/a HTTP/1.1",
        "GET a HTTP/1.1",
        "GET /a\x01 HTTP/1.1",
        "GET /%zz HTTP/1.1",
        "GET /% HTTP/1.1",
        "GET /a HTTP/1",
        "GET /a HTTP/1.10",
        "GET /a HTTP/1.\xb2",
        "GET /a http/1.1",
        "GET http://[x/a HTTP/1.1",
        "GET http://x:a/a HTTP/1.1",
        "GET http://a:b:1/a HTTP/1.1",
        "GET http://x y/a HTTP/1.1",
    ],
)
def test_first_lines_that_begin_no_request(line: str) -> None:
    assert refused(line, HOST) == (400, "")
    with pytest.raises(HeadError):
        head.check_begin(line.encode("latin-1"))


def test_targets_may_name_the_server() -> None:
    found = parsed("GET http://user@other:1/a?b HTTP/1.1", HOST)
    assert (found.target.path, found.target.query, found.headers["host"]) == ("/a", "b", "other:1")
    assert parsed("GET http://other HTTP/1.1", HOST).target.path == ""
    assert parsed("GET http://other?b HTTP/1.1", HOST).target.query == "b"
    assert parsed("CONNECT other:1 HTTP/1.1", HOST).headers["host"] == "other:1"
    assert parsed("GET * HTTP/1.1", HOST).target.path == "*"
    assert parsed("GET mailto:x HTTP/1.1", HOST).target.path == ""
    assert parsed("GET //a//b HTTP/1.1", HOST).target.path == "//a//b"
    assert parsed("GET /\xc3\xbc%C3%BC HTTP/1.1", HOST).target.path == "/üü"


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["nocolon"], ""),
        ([": x"], ""),
        (["B(d: x"], ""),
        (["N\t: x"], ""),
        (["B\xe4d: x"], ""),
        (["A: b\x00c"], ""),
        (["A: b\rc"], ""),
        (["A: b\r"], ""),
        (["A: b\x7f"], ""),
        ([" A: b"], ""),
        (["Bad Name: x"], "invalid header name"),
        (["A : x"], "invalid header name"),
    ],
)
def test_headers_that_are_none(lines: list[str], text: str) -> None:
    expected = (400, text)
    if lines == [" A: b"]:
        assert refused(GET, *lines, HOST) == expected
    else:
        assert refused(GET, HOST, *lines) == expected


def test_hosts() -> None:
    assert refused(GET) == (400, "missing required Host header")
    assert refused(GET, "Host: a b") == (400, "malformed Host header")
    assert refused(GET, "Host: a/b") == (400, "malformed Host header")
    assert refused(GET, HOST, HOST) == (400, "")
    assert parsed("GET /a HTTP/1.0").headers == {}
    assert parsed(GET, "Host:").headers == {"host": ""}


def test_versions() -> None:
    for version in ("0.9", "2.0", "9.9"):
        assert refused(f"GET /a HTTP/{version}", HOST) == (505, "unsupported protocol version")
    assert parsed("GET /a HTTP/1.2", HOST).minor == 2
    assert parsed("PRI * HTTP/2.0").closes


@pytest.mark.parametrize(
    "text",
    ["-1", "+5", "0x5", "5_0", "5 5", "5, 5", "5.0", "\xb2", "", "9223372036854775808", "9" * 5000],
)
def test_lengths_that_are_none(text: str) -> None:
    assert refused(POST, HOST, f"Content-Length: {text}") == (400, "")


def test_lengths() -> None:
    assert parsed(POST, HOST, "Content-Length: 0005").length == 5
    assert parsed(POST, HOST, "Content-Length: 5", "content-length: 5").length == 5
    assert refused(POST, HOST, "Content-Length: 5", "Content-Length: 6") == (400, "")
    assert parsed(POST, HOST, f"Content-Length: {'0' * 99}7").length == 7


def test_nothing_is_smuggled_by_two_lengths() -> None:
    """Where both are given only the chunks count, and the other is gone for those behind."""
    for lines in (
        ("Content-Length: 4", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 4"),
    ):
        found = parsed(POST, HOST, *lines)
        assert found.length == -1
        assert found.headers == {"host": "x"}
    assert refused(POST, HOST, "Transfer-Encoding: chunked", "Content-Length: x") == (400, "")


@pytest.mark.parametrize(
    "lines",
    [
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked, chunked"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: chunked;q=1"],
        ["Transfer-Encoding:"],
    ],
)
def test_encodings_that_nobody_reads(lines: list[str]) -> None:
    assert refused(POST, HOST, *lines)[0] == HTTPStatus.NOT_IMPLEMENTED


def test_encodings() -> None:
    assert parsed(POST, HOST, "Transfer-Encoding: \tCHUNKED ").length == -1
    old = parsed("POST /a HTTP/1.0", "Transfer-Encoding: chunked", "Content-Length: 3")
    assert (old.length, "transfer-encoding" in old.headers) == (3, False)
    assert refused(POST, HOST, "Transfer-Encoding: chunked", "Trailer: Content-Length")[0] == 400
    # Neither a name with a space nor one with another dash is that header.
    assert refused(POST, HOST, "Transfer-Encoding : chunked") == (400, "invalid header name")
    assert parsed(POST, HOST, "Transfer_Encoding: chunked").length == 0


def test_connections() -> None:
    assert parsed(GET, HOST, "Connection: keep-alive, Close").closes
    assert not parsed(GET, HOST, "Connection: closed").closes
    assert parsed("GET /a HTTP/1.0").closes
    kept = parsed("GET /a HTTP/1.0", "Connection: Keep-Alive")
    assert (kept.closes, kept.keeps_alive) == (False, True)


def test_expectations() -> None:
    assert parsed(POST, HOST, "Content-Length: 1", "Expect: 100-Continue").expects
    assert not parsed(POST, HOST, "Expect: 100-continue").expects
    assert refused(POST, HOST, "Expect: 200-ok")[0] == HTTPStatus.EXPECTATION_FAILED


def test_there_are_never_too_many_headers() -> None:
    lines = [f"A-{number}: b" for number in range(head.MAX_HEADERS - 1)]
    assert len(parsed(GET, HOST, *lines).headers) == head.MAX_HEADERS
    assert refused(GET, HOST, *lines, "One: more")[0] == 431


class _Other:
    """What another parser finds in the same bytes."""

    def __init__(self) -> None:
        self.url = b""
        self.headers: list[tuple[str, str]] = []

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode().lower(), value.decode("latin-1").rstrip()))


@pytest.mark.parametrize(
    "lines",
    [
        (GET, HOST),
        ("DELETE /a?b=c&d HTTP/1.1", HOST, "Accept: application/json, */*", "X-Y:  z  "),
        (POST, HOST, "Content-Length: 7", "Content-Type: a/b; c=d", "Authorization: Bearer x.y"),
        (POST, HOST, "Transfer-Encoding: chunked", "User-Agent: kubectl/v1.37.2 (linux/amd64) x"),
    ],
)
def test_another_parser_agrees(lines: tuple[str, ...]) -> None:
    other = _Other()
    parser = httptools.HttpRequestParser(other)
    parser.feed_data(("\r\n".join(lines) + "\r\n\r\n").encode())
    found = parsed(*lines)
    assert found.method == parser.get_method().decode()
    raw = found.target.raw_path + (f"?{found.target.query}" if found.target.query else "")
    assert raw == other.url.decode()
    assert found.headers.items() >= {
        (name, value) for name, value in other.headers if name != "transfer-encoding"
    }


LINES = (
    *(GET, "POST /a?b HTTP/1.1", "get / HTTP/1.1", "GET / HTTP/1.0", "GET a HTTP/1.1", GET + " "),
    *(HOST, "Host: y", "Host:", "host: x", "Content-Length: 5", "Content-Length: 05"),
    *("Content-Length: +5", "Content-Length: 5 ", "Transfer-Encoding: chunked", "Accept: a/b"),
    *("Accept: ", "Accept", " folded", "", "A B: c", "Accept:x\x00", "Connection: close"),
    *("Expect: 100-continue", "Trailer: x", "Authorization: Bearer \xe4", "Accept:\tx\t"),
)
ENDS = ("\r\n", "\r\n", "\r\n", "\n", "\r\r\n", "\r")


def outcome(parse: Callable[[bytes], Head | None], data: bytes) -> Head | tuple[int, str] | None:
    try:
        return parse(data)
    except HeadError as error:
        return error.status.value, error.text


def test_the_short_way_leads_to_the_same() -> None:
    """Whatever is put together, the fast reading finds what the thorough one finds, or nothing."""
    randomness = random.Random(11)
    heads, found = Heads(), 0
    for _ in range(20_000):
        first = randomness.choice(LINES[:6])
        lines = [first, *randomness.choices(LINES[6:], k=randomness.randint(1, 5))]
        if randomness.random() < 0.5:
            lines.insert(1, HOST)
        ends = ENDS if randomness.random() < 0.3 else ENDS[:1]
        text = "".join(line + randomness.choice(ends) for line in lines) + "\r\n"
        data = text.encode("latin-1")
        if head.end_of(data) != len(data):
            assert head.parse_usual(data) is None, "no head, or more than one"
            continue
        usual = head.parse_usual(data)
        if usual is not None:
            found += 1
            assert usual == outcome(head.parse_any, data)
        repeated = outcome(heads.parse, data)
        assert repeated == outcome(heads.parse, data) == outcome(head.parse_any, data)
    assert found > 200


def test_what_was_said_before_is_not_read_again() -> None:
    heads = Heads()
    lines = "\r\nHost: x\r\nAccept: a/b\r\n\r\n"
    first = heads.parse(f"GET /a HTTP/1.1{lines}".encode())
    second = heads.parse(f"DELETE /b?c HTTP/1.1{lines}".encode())
    assert second.headers is first.headers
    assert (second.method, second.target.path, second.target.query) == ("DELETE", "/b", "c")
    for line in ("GET  /a HTTP/1.1", "GET /a HTTP/1.2 ", "GET /%x HTTP/1.1", "G T /a HTTP/1.1"):
        with pytest.raises(HeadError):
            heads.parse(f"{line}{lines}".encode())
    old = heads.parse(f"GET http://y/a HTTP/1.0{lines}".encode())
    assert (old.minor, old.closes, old.headers["host"]) == (0, True, "y")
    assert heads.parse(f"GET /a HTTP/1.1{lines}".encode()) == first
