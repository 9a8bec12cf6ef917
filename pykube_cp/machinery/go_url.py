"""References to other pages as Go reads and writes them: what need not change stays byte for byte."""
# upstream: net/url url.go

import re
from dataclasses import dataclass, replace
from urllib.parse import quote as escape_bytes
from urllib.parse import unquote_to_bytes

from pykube_cp.machinery.go_text import quote

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_NOT_A_SCHEME = re.compile(r"[A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_PORT = re.compile(r":[0-9]*")
_PLAIN = "-_.~$&+,/:;=@"
_ALSO_IN_PATHS = "!'()*[]%"
_ALSO_IN_FRAGMENTS = "!()*?"


class UrlError(ValueError):
    """The text is no URL; says why in Go's words."""


def is_badly_escaped(text: str) -> bool:
    return _BAD_ESCAPE.search(text) is not None


@dataclass(frozen=True, slots=True)
class Url:
    """Parts of a URL. ``raw_path`` and ``raw_fragment`` are as given, ``path`` is unescaped."""

    scheme: str = ""
    opaque: str = ""
    user: str | None = None
    host: str = ""
    path: str = ""
    raw_path: str = ""
    query: str | None = None
    raw_fragment: str | None = None
    has_authority: bool = False

    def at(self, path: str) -> "Url":
        """The same with another path."""
        return replace(self, path=path)

    def escaped_path(self) -> str:
        # upstream: as above, URL.EscapedPath
        is_valid = _is_made_of(self.raw_path, _PLAIN + _ALSO_IN_PATHS)
        if is_valid and _unescaped(self.raw_path) == self.path:
            return self.raw_path
        return "*" if self.path == "*" else escape_path(self.path)

    def __str__(self) -> str:
        made = f"{self.scheme}:" if self.scheme else ""
        if self.opaque:
            made += self.opaque
        else:
            path = self.escaped_path()
            if self.host or self.user is not None or (self.scheme and self.has_authority):
                made += f"//{f'{self.user}@' if self.user is not None else ''}{self.host}"
                if path and not path.startswith("/") and self.host:
                    made += "/"
            elif ":" in path.partition("/")[0] and not made:
                made = "./"
            made += path
        if self.query is not None:
            made += f"?{self.query}"
        return made + (f"#{_fragment(self.raw_fragment)}" if self.raw_fragment else "")


def escape_path(path: str) -> str:
    """A path's text as it stands in a URL."""
    return escape_bytes(path.encode("utf-8", "surrogateescape"), safe=_PLAIN)


def parse(text: str) -> Url:
    """The URL; ``UrlError`` as ``url.Parse`` words it."""
    rest, has_fragment, fragment = text.partition("#")
    try:
        url = _parse(rest)
        if has_fragment:
            _check(fragment)
            url = replace(url, raw_fragment=fragment)
    except UrlError as error:
        shown = text if str(error).startswith("invalid URL escape") else rest
        raise UrlError(f"parse {quote(shown)}: {error}") from None
    return url


def _parse(text: str) -> Url:
    if _CONTROL.search(text):
        raise UrlError("net/url: invalid control character in URL")
    if text == "*":
        return Url(path="*")
    scheme, rest = _scheme(text)
    rest, has_query, query = rest.partition("?")
    made = Url(scheme=scheme.lower(), query=query if has_query else None)
    if not rest.startswith("/"):
        if scheme:
            return replace(made, opaque=rest)
        if ":" in rest.partition("/")[0]:
            raise UrlError("first path segment in URL cannot contain colon")
    if rest.startswith("//") and not (not scheme and rest.startswith("///")):
        authority, slash, tail = rest[2:].partition("/")
        made, rest = _authority(made, authority), slash + tail
    _check(rest)
    path = _unescaped(rest)
    return replace(made, path=path, raw_path="" if escape_path(path) == rest else rest)


def _scheme(text: str) -> tuple[str, str]:
    if found := _SCHEME.match(text):
        return found[1], text[found.end() :]
    if text.startswith(":"):
        raise UrlError("missing protocol scheme")
    if _NOT_A_SCHEME.match(text):
        raise UrlError("first path segment in URL cannot contain colon")
    return "", text


def _authority(made: Url, authority: str) -> Url:
    user, has_user, host = authority.rpartition("@")
    _check(host)
    if host.startswith("[") and "]" not in host:
        raise UrlError("missing ']' in host")
    port = host.rpartition("]")[2] if host.startswith("[") else host[host.find(":") :]
    if ":" in host and port and not _PORT.fullmatch(port):
        raise UrlError(f"invalid port {quote(port)} after host")
    return replace(made, user=user if has_user else None, host=host, has_authority=True)


def _check(text: str) -> None:
    if wrong := _BAD_ESCAPE.search(text):
        raise UrlError(f"invalid URL escape {quote(wrong[0])}")


def _unescaped(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")


def _is_made_of(text: str, allowed: str) -> bool:
    return bool(text) and all(
        character in allowed or (character.isascii() and character.isalnum()) for character in text
    )


def _fragment(raw: str) -> str:
    if _is_made_of(raw, _PLAIN + _ALSO_IN_FRAGMENTS + "'[]%"):
        return raw
    plain = _unescaped(raw).encode("utf-8", "surrogateescape")
    return escape_bytes(plain, safe=_PLAIN + _ALSO_IN_FRAGMENTS)
