"""The links of a page, each replaced by another; all else stays as it is, byte for byte.

A tag that has no links in it is still written anew as Go's tokenizer does: names in lower case, values
in double quotes.
"""
# upstream: golang.org/x/net html/token.go; apimachinery pkg/util/proxy/transport.go rewriteHTML

import re
from collections.abc import Callable, Iterator
from html.entities import html5

_LINKS: dict[str, tuple[str, ...]] = {
    "a": ("href",),
    "applet": ("codebase",),
    "area": ("href",),
    "audio": ("src",),
    "base": ("href",),
    "blockquote": ("cite",),
    "body": ("background",),
    "button": ("formaction",),
    "command": ("icon",),
    "del": ("cite",),
    "embed": ("src",),
    "form": ("action",),
    "frame": ("longdesc", "src"),
    "head": ("profile",),
    "html": ("manifest",),
    "iframe": ("longdesc", "src"),
    "img": ("longdesc", "src", "usemap"),
    "input": ("src", "usemap", "formaction"),
    "ins": ("cite",),
    "link": ("href",),
    "object": ("classid", "codebase", "data", "usemap"),
    "q": ("cite",),
    "script": ("src",),
    "source": ("src",),
    "video": ("poster", "src"),
}
_RAW = frozenset(
    {
        "iframe",
        "noembed",
        "noframes",
        "noscript",
        "plaintext",
        "script",
        "style",
        "textarea",
        "title",
        "xmp",
    }
)
_SPACE = " \n\r\t\f"
_NAME = re.compile(r"[^ \n\r\t\f/>]*")
_KEY = re.compile(r"=?[^ \n\r\t\f/>=]*")
_UNQUOTED = re.compile(r"[^ \n\r\t\f>]*")
_COMMENT_END = re.compile(r"--!?>|\Z")
_ENTITY = re.compile(r"&(?:#[xX]?[0-9a-fA-F]+;?|[A-Za-z0-9]+;?)")
_ESCAPES = str.maketrans(
    {"&": "&amp;", "'": "&#39;", "<": "&lt;", ">": "&gt;", '"': "&#34;", "\r": "&#13;"}
)

Replace = Callable[[str], str]
Attributes = list[tuple[str, str]]


def rewritten(page: str, replace: Replace) -> str:
    """The page with ``replace`` applied to the value of each link."""
    return "".join(_pieces(page, replace))


def _pieces(page: str, replace: Replace) -> Iterator[str]:
    at = 0
    while at < len(page):
        begin = _next_markup(page, at)
        yield page[at:begin]
        at = begin
        if at >= len(page):
            return
        if page[at + 1].isalpha():
            tag = _Tag(page, at + 1)
            if not tag.ended:
                return  # a tag without an end is none, and what is in it is lost
            yield tag.written(replace)
            at = tag.at
            if tag.name in _RAW:
                begin, at = at, _raw_end(page, at, tag.name)
                yield page[begin:at]
        else:
            end = _markup_end(page, at)
            if end is None:
                return
            yield page[at:end]
            at = end


def _next_markup(page: str, at: int) -> int:
    """Where the next tag, comment or the like begins; the page's end when there is none."""
    while (at := page.find("<", at)) >= 0:
        following = page[at + 1 : at + 2]
        if (following.isascii() and following.isalpha()) or following in {"!", "?"}:
            return at
        if following == "/" and at + 2 < len(page):
            return at
        at += 1
    return len(page)


def _markup_end(page: str, at: int) -> int | None:
    """Behind an end tag, a comment or a declaration; None for an end tag that does not end."""
    if page.startswith("<!--", at):
        for short in ("<!-->", "<!--->"):
            if page.startswith(short, at):
                return at + len(short)
        found = _COMMENT_END.search(page, at + 4)
        return found.end() if found else len(page)
    third = page[at + 2 : at + 3]
    if page[at + 1] == "/" and third.isascii() and third.isalpha():
        tag = _Tag(page, at + 2)
        return tag.at if tag.ended else None
    end = page.find(">", at)
    return len(page) if end < 0 else end + 1


def _raw_end(page: str, at: int, name: str) -> int:
    """Where the text inside an element that has no markup in it ends."""
    if name == "plaintext":
        return len(page)
    found = re.compile(rf"</{name}(?=[ \n\r\t\f/>])", re.IGNORECASE).search(page, at)
    return found.start() if found else len(page)


class _Tag:
    """A tag read from ``page``, of which ``at`` is the name's place and then the end."""

    def __init__(self, page: str, at: int) -> None:
        self._page = page
        name = _NAME.match(page, at)
        assert name is not None
        self.name = name[0].translate(_LOWER)
        self.at = name.end()
        self.ended = False
        self._attributes: Attributes = []
        self._read()

    def _read(self) -> None:
        page = self._page
        self._skip()
        while self.at < len(page):
            if page[self.at] == ">":
                self.at += 1
                self.ended = True
                return
            found = _KEY.match(page, self.at)
            assert found is not None
            self.at = found.end()
            value = self._value()
            if found[0]:
                self._attributes.append((found[0].translate(_LOWER), value))
            self._skip()

    def _value(self) -> str:
        """What follows a name; nothing unless there is a ``=``."""
        page = self._page
        self._skip()
        sign = page[self.at : self.at + 1]
        if sign == "/":
            self.at += 1
        if sign != "=":
            return ""
        self.at += 1
        self._skip()
        mark = page[self.at : self.at + 1]
        if mark in {"'", '"'} and mark:
            end = page.find(mark, self.at + 1)
            end = len(page) if end < 0 else end
            text, self.at = page[self.at + 1 : end], min(end + 1, len(page))
            return _plain(text)
        found = _UNQUOTED.match(page, self.at)
        assert found is not None
        self.at = found.end()
        return _plain(found[0])

    def _skip(self) -> None:
        while self._page[self.at : self.at + 1] in _SPACE and self.at < len(self._page):
            self.at += 1

    def written(self, replace: Replace) -> str:
        """The tag with its links replaced."""
        links = _LINKS.get(self.name, ())
        made = f"<{self.name}"
        for key, value in self._attributes:
            text = replace(value) if key in links else value
            made += f' {key}="{text.translate(_ESCAPES)}"'
        return made + ("/>" if self._page[self.at - 2] == "/" else ">")


_LOWER = {ord(upper): upper.lower() for upper in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def _plain(value: str) -> str:
    """A value with its entities resolved."""
    value = value.replace("\r\n", "\n").replace("\r", "\n")
    if "&" not in value:
        return value

    def resolve(found: re.Match[str]) -> str:
        return _entity(found[0], value[found.end() : found.end() + 1])

    return _ENTITY.sub(resolve, value)


def _entity(text: str, following: str) -> str:
    # upstream: golang.org/x/net html/escape.go unescapeEntity
    if text[1] == "#":
        return _numbered(text)
    name = text[1:]
    if name in html5:
        # In a value, a name without its semicolon may well be a parameter of a query.
        is_open = not name.endswith(";")
        return text if is_open and following == "=" else html5[name]
    return text


def _numbered(text: str) -> str:
    from html import unescape  # noqa: PLC0415 - its table of odd numbers is Go's, too

    return unescape(text)
