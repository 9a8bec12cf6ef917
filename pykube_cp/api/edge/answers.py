"""Heads of answers, and the few answers that come before there is a request."""

from datetime import UTC, datetime
from http import HTTPStatus

from pykube_cp.api.edge.head import HeadError
from pykube_cp.api.request import Headers
from pykube_cp.machinery import clock

WITHOUT_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
# upstream: net/http status.go StatusText; newer Pythons have newer words
_PHRASES = {413: "Request Entity Too Large", 416: "Requested Range Not Satisfiable"}
_PHRASES |= {418: "I'm a teapot", 422: "Unprocessable Entity"}
_TEXTS = {status.value: _PHRASES.get(status.value, status.phrase) for status in HTTPStatus}
_LINES = {
    (code, minor): f"HTTP/1.{minor} {code} {text}\r\n".encode()
    for code, text in _TEXTS.items()
    for minor in (0, 1)
}
_REFUSAL = (
    "HTTP/1.1 %s\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    "Content-Length: %d\r\n\r\n%s"
)


class _Dates:
    """The Date header, made once a second."""

    def __init__(self) -> None:
        self._second = -1
        self._line = b""

    def line(self) -> bytes:
        second = int(clock.now())
        if second != self._second:
            self._second = second
            now = datetime.fromtimestamp(second, UTC)
            self._line = now.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n").encode()
        return self._line


_dates = _Dates()


def render_head(status: int, headers: Headers, *, minor: int = 1) -> bytes:
    """Status line and headers; a header can never break out of its line."""
    line = (
        _LINES.get((status, min(minor, 1)))
        or f"HTTP/1.1 {status} status code {status}\r\n".encode()
    )
    parts = [line]
    for name, value in headers:
        if "\n" in value or "\r" in value:
            value = value.replace("\r", " ").replace("\n", " ")  # noqa: PLW2901 - the clean one
        parts.append(f"{name}: {value}\r\n".encode("utf-8", "replace"))
    parts.append(_dates.line())
    parts.append(b"\r\n")
    return b"".join(parts)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def refusal(error: HeadError) -> bytes:
    """The answer to what is no request; the connection ends with it."""
    # upstream: net/http server.go conn.serve, response.sendExpectationFailed
    if error.status is HTTPStatus.EXPECTATION_FAILED:
        return render_head(error.status, (("Connection", "close"), ("Content-Length", "0")))
    line = f"{error.status.value} {_TEXTS[error.status.value]}"
    if error.text:
        line = f"{line}: {error.text}"
    body = line
    if error.status is HTTPStatus.NOT_IMPLEMENTED:
        body = "Unsupported transfer encoding"
    return (_REFUSAL % (line, len(body), body)).encode()
