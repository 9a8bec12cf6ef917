"""What a request is sent to: the path and query of its first line."""
# upstream: net/url url.go ParseRequestURI

import re
from dataclasses import dataclass
from urllib.parse import unquote

from pykube_cp.machinery.go_url import is_badly_escaped

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][0-9A-Za-z+\-.]*):(.*)", re.DOTALL)
_USER = r"(?:[0-9A-Za-z\-._:~!$&'()*+,;=%@]*@)?"
_NAME = r"[^\x00-\x20\"#%/:<>?@\[\\\]^`{|}\x7f]*"
_AUTHORITY = re.compile(rf"{_USER}((?:\[[0-9A-Fa-f:.]+(?:%25[^\]/]+)?\]|{_NAME})(?::[0-9]*)?)")


@dataclass(slots=True)
class Target:
    """A target, taken apart; ``path`` is decoded, ``raw_path`` and ``query`` are as they came."""

    path: str
    raw_path: str
    query: str = ""
    host: str = ""


def parse_target(method: str, text: str) -> Target:
    """A target as it stands in the first line, ``/path?query`` or with ``http://host`` before it.

    Raises:
        ValueError: it is none.
    """
    # Printable text needs no looking for control characters, which costs more.
    if not text or (not text.isprintable() and _CONTROL.search(text)):
        raise ValueError(text)
    if text.startswith("/"):
        return _with_path(text, "")
    if text == "*":
        return Target("*", "*")
    if method == "CONNECT":
        text = f"http://{text}"
    found = _SCHEME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    rest = found[2]
    if not rest.startswith("/"):
        # As opaque as ``mailto:somebody``: there is no path in it.
        return Target("", "", rest.partition("?")[2])
    if not rest.startswith("//"):
        return _with_path(rest, "")
    authority, slash, behind = rest[2:].partition("?")[0].partition("/")
    host = _AUTHORITY.fullmatch(authority)
    if host is None:
        raise ValueError(text)
    return _with_path(rest[2 + len(authority) :] if slash or behind else _query(rest), host[1])


def _query(text: str) -> str:
    _, mark, query = text.partition("?")
    return mark + query


def _with_path(text: str, host: str) -> Target:
    raw_path, _, query = text.partition("?")
    if "%" not in raw_path and raw_path.isascii():
        return Target(raw_path, raw_path, query, host)
    if is_badly_escaped(raw_path):
        raise ValueError(text)
    # What came as bytes of UTF-8 was read as Latin-1; both it and what is escaped are UTF-8.
    path = unquote(raw_path, "latin-1").encode("latin-1").decode("utf-8", "replace")
    return Target(path, raw_path, query, host)
