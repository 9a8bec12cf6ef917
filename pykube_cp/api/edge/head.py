"""The head of an HTTP/1 request: bytes to method, target, headers and what they say of the body.

Strict where laxness lets a proxy in front and this server disagree on where a request ends, and in the
words of Go's server where something is refused.
"""
# upstream: net/http request.go readRequest, server.go conn.readRequest, transfer.go readTransfer

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from pykube_cp.api.edge.target import Target, parse_target

MAX_BYTES = (1 << 20) + 4096
MAX_HEADERS = 16384
"""More are refused although Go would read on: each costs time that others wait for."""
_LONGEST = (1 << 63) - 1
_DIGITS = len(str(_LONGEST))
_END = re.compile(rb"\n\r?\n")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_TOKEN_OR_SPACES = re.compile(rb"[ !#$%&'*+\-.^_`|~0-9A-Za-z]+")
_PLAIN = bytes({*range(0x20, 0x100), 0x09} - {0x7F})
"""What may stand in a value."""
_HOST = re.compile(r"[0-9A-Za-z!$%&()*+,\-.:;=\[\]'_~]*")
_VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])")
_USUAL_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_CONTINUES = re.compile(r"(?:^|[ ,\t])100-continue(?:$|[ ,\t])", re.IGNORECASE)
_KEEPS_ALIVE = re.compile(r"(?:^|[ ,\t])keep-alive(?:$|[ ,\t])", re.IGNORECASE)
_UNUSUAL = frozenset({"transfer-encoding", "connection", "expect", "trailer"})
_NOT_TRAILERS = frozenset({"transfer-encoding", "trailer", "content-length"})


class HeadError(Exception):
    """What came is no request; ``text`` is said after the status, to the client."""

    def __init__(self, status: HTTPStatus = HTTPStatus.BAD_REQUEST, text: str = "") -> None:
        super().__init__(text or status.phrase)
        self.status = status
        self.text = text


@dataclass(slots=True)
class Head:
    """A request without its body.

    Attributes:
        minor: of the version, HTTP/1.minor; more than 0 for what is newer.
        headers: the first value of each, by lower-case name; ``repeated`` has all values of those
            that came more than once.
        length: of the body; -1 when it comes in chunks.
        closes: whether the client wants the connection closed afterwards.
        keeps_alive: whether a client of HTTP/1.0 wants it kept.
        expects: the client waits for 100 before it sends the body.
    """

    method: str
    target: Target
    minor: int
    headers: dict[str, str]
    repeated: dict[str, list[str]] = field(default_factory=dict)
    length: int = 0
    closes: bool = False
    keeps_alive: bool = False
    expects: bool = False

    def values(self, name: str) -> Sequence[str]:
        """All values of a header."""
        if name in self.repeated:
            return self.repeated[name]
        return (self.headers[name],) if name in self.headers else ()


_known = {
    name: name.lower()
    for name in (
        *("Accept", "Accept-Encoding", "Authorization", "Content-Length", "Content-Type"),
        *("Host", "If-None-Match", "Kubectl-Command", "Kubectl-Session", "User-Agent"),
        *("X-Forwarded-For", "X-Stream-Protocol-Version"),
    )
}
"""Names seen before as they were written, in lower case; never many."""
_known_hosts: set[str] = set()
_KNOWN_LIMIT = 1024


def end_of(data: bytes | bytearray, start: int = 0) -> int:
    """Where the head in ``data`` ends; -1 when it is not all there. Looks from ``start`` on."""
    found = _END.search(data, max(0, start - 2))
    return found.end() if found else -1


def check_begin(line: bytes) -> None:
    """Refuse a first line that begins no request, without waiting for the rest."""
    _request_line(line.removesuffix(b"\r"))


class Heads:
    """Reads the heads of one connection, whose requests mostly repeat what the first said.

    Only the first line differs from one to the next then, and all behind it was judged already.
    """

    _LONGEST = 8192

    def __init__(self) -> None:
        self._lines = b""
        self._like: Head | None = None

    def parse(self, data: bytes) -> Head:
        """The head that ``data`` is, up to and with the empty line; ``HeadError`` when it is none."""
        return self.parse_usual(data) or self._keep(data, parse_any(data))

    def parse_usual(self, data: bytes) -> Head | None:
        """A head that is as most are; None for others, and if ``data`` is less or more than one."""
        first, _, lines = data.partition(b"\r\n")
        like = self._like
        if like is None or lines != self._lines:
            found = parse_usual(data)
            return None if found is None else self._keep(data, found)
        words = first.decode("latin-1").split(" ")
        if len(words) != 3 or words[0] not in _USUAL_METHODS or words[2] != "HTTP/1.1":
            return None
        try:
            target = parse_target(words[0], words[1])
        except ValueError:
            return None
        if target.host or like.target.host:
            return None
        return replace(like, method=words[0], target=target)

    def _keep(self, data: bytes, found: Head) -> Head:
        if found.minor == 1 and len(data) < self._LONGEST:
            self._like, self._lines = found, data.partition(b"\r\n")[2]
        return found


def parse(data: bytes) -> Head:
    """One head for itself."""
    return parse_usual(data) or parse_any(data)


def parse_usual(data: bytes) -> Head | None:
    """What nearly all clients send, read in a fraction of the time.

    None if there is anything unusual, also if ``data`` is more or less than one head.
    """
    if not data.endswith(b"\r\n\r\n"):
        return None
    lines = data[:-4].decode("latin-1").split("\r\n")
    if data.translate(None, _PLAIN) != b"\r\n" * (len(lines) + 1):
        return None
    method, _, rest = lines.pop(0).partition(" ")
    target, _, version = rest.partition(" ")
    if method not in _USUAL_METHODS or version != "HTTP/1.1" or not target.startswith("/"):
        return None
    headers: dict[str, str] = {}
    for line in lines:
        raw, colon, value = line.partition(":")
        name = _known.get(raw)
        if name is None or name in headers or not colon:
            return None
        headers[name] = value.strip(" \t")
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()) or len(length) >= _DIGITS:
        return None
    if headers.get("host") not in _known_hosts or not _UNUSUAL.isdisjoint(headers):
        return None
    try:
        return Head(method, parse_target(method, target), 1, headers, {}, int(length))
    except ValueError:
        return None


def parse_any(data: bytes) -> Head:
    """The same for any head."""
    lines = data.split(b"\n")
    first = lines.pop(0)
    method, target, major, minor = _request_line(first.removesuffix(b"\r"))
    head = Head(method, target, minor if major == 1 else major, {})
    del lines[-2:]  # the empty line, and what follows its end
    if len(lines) > MAX_HEADERS:
        raise HeadError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    misnamed = _read_headers(head, lines)
    _judge_body(head)
    if major != 1 and not (head.method == "PRI" and target.path == "*" and not lines):
        raise HeadError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "unsupported protocol version")
    if major == 1:
        _judge_host(head)
    if misnamed is not None:
        raise misnamed
    _judge_connection(head)
    head.closes = head.closes or major != 1  # the preface of HTTP/2, which nobody here speaks
    return head


def _request_line(line: bytes) -> tuple[str, Target, int, int]:
    method, _, rest = line.partition(b" ")
    target, separator, version = rest.partition(b" ")
    found = _VERSION.fullmatch(version)
    if not separator or not found or not _TOKEN.fullmatch(method):
        raise HeadError
    name = method.decode("ascii")
    try:
        return name, parse_target(name, target.decode("latin-1")), int(found[1]), int(found[2])
    except ValueError:
        raise HeadError from None


def _read_headers(head: Head, lines: list[bytes]) -> HeadError | None:
    """Read all lines; a name with spaces in it is only refused when nothing else is wrong."""
    misnamed = None
    for line in _unfolded(lines):
        raw, colon, value = line.partition(b":")
        if not colon or not _is_value(value) or not _TOKEN_OR_SPACES.fullmatch(raw):
            raise HeadError
        if not _TOKEN.fullmatch(raw):
            misnamed = HeadError(text="invalid header name")
            continue
        name = _learn(raw.decode("ascii"))
        text = value.strip(b" \t").decode("latin-1")
        if name not in head.headers:
            head.headers[name] = text
        elif name in head.repeated:
            head.repeated[name].append(text)
        else:
            head.repeated[name] = [head.headers[name], text]
    if "host" in head.repeated:
        raise HeadError
    return misnamed


def _learn(raw: str) -> str:
    name = raw.lower()
    if len(_known) < _KNOWN_LIMIT:
        _known[raw] = name
    return name


def _unfolded(lines: list[bytes]) -> list[bytes]:
    """Lines without their ends; one that begins with a space goes on with the one before."""
    found: list[bytes] = []
    for each in lines:
        line = each.removesuffix(b"\r")
        if not line.startswith((b" ", b"\t")):
            found.append(line)
        elif not found or b":" not in found[-1]:
            raise HeadError
        else:
            found[-1] = b"%b %b" % (found[-1].rstrip(b" \t"), line.strip(b" \t"))
    return found


def _judge_body(head: Head) -> None:
    """How long the body is; 501 for encodings that nobody here reads."""
    encodings = head.values("transfer-encoding")
    is_chunked = bool(encodings) and head.minor > 0
    if is_chunked and (len(encodings) != 1 or encodings[0].lower() != "chunked"):
        raise HeadError(HTTPStatus.NOT_IMPLEMENTED)
    _forget(head, "transfer-encoding")
    lengths = {text.strip(" \t\r\n") for text in head.values("content-length")}
    if len(lengths) > 1:
        raise HeadError
    for text in lengths:
        # Python would also take signs, underscores and digits of other scripts.
        if not (text.isascii() and text.isdigit()) or len(text.lstrip("0")) > _DIGITS:
            raise HeadError
        head.length = int(text.lstrip("0") or "0")
        if head.length > _LONGEST:
            raise HeadError
    if is_chunked:
        _forget(head, "content-length")
        head.length = -1
        _judge_trailers(head)


def _judge_trailers(head: Head) -> None:
    for value in head.values("trailer"):
        if any(name.strip(" \t").lower() in _NOT_TRAILERS for name in value.split(",")):
            raise HeadError


def _forget(head: Head, name: str) -> None:
    head.headers.pop(name, None)
    head.repeated.pop(name, None)


def _judge_host(head: Head) -> None:
    host = head.headers.get("host")
    if host is None and head.minor > 0 and head.method != "CONNECT":
        raise HeadError(text="missing required Host header")
    if host is not None and not _HOST.fullmatch(host):
        raise HeadError(text="malformed Host header")
    if host and len(_known_hosts) < _KNOWN_LIMIT:
        _known_hosts.add(host)
    if head.target.host:
        head.headers["host"] = head.target.host


def _judge_connection(head: Head) -> None:
    """What is to become of the connection, and whether the body waits for a sign."""
    expected = head.headers.get("expect", "")
    values = head.values("connection")
    tokens = {text.strip(" \t").lower() for value in values for text in value.split(",")}
    if head.minor == 0:
        head.closes = "close" in tokens or "keep-alive" not in tokens
        head.keeps_alive = bool(values) and bool(_KEEPS_ALIVE.search(values[0]))
    else:
        head.closes = "close" in tokens
    if _CONTINUES.search(expected):
        head.expects = head.minor > 0 and head.length != 0
    elif expected:
        raise HeadError(HTTPStatus.EXPECTATION_FAILED)


def _is_value(data: bytes) -> bool:
    return not data.translate(None, _PLAIN)


def is_trailer(line: bytes) -> bool:
    """Whether a line behind the last chunk is a header."""
    name, colon, value = line.partition(b":")
    return bool(colon and _TOKEN_OR_SPACES.fullmatch(name) and _is_value(value))
