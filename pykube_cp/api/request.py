"""A request on its way through the pipeline, and what a verb may answer.

The edge makes requests of HTTP, the local client makes them of calls. Answers stay objects until
``respond`` encodes them for the edge; the local client takes them as they are.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import unquote_plus

import msgspec

from pykube_cp.machinery.codec.negotiation import Accepted
from pykube_cp.machinery.empties import Given
from pykube_cp.machinery.go_url import is_badly_escaped
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.user import ANONYMOUS, UserInfo
from pykube_cp.registry.resource import Resource
from pykube_cp.storage.watch_cache import Entry

Headers = Sequence[tuple[str, str]]
MAX_PARAMETERS = 10_000
"""Of a query; of one with more, none is read."""


def _unescaped(text: str) -> str:
    """What is escaped, and what came as bytes and was read as Latin-1, is UTF-8."""
    return unquote_plus(text, "latin-1").encode("latin-1").decode("utf-8", "replace")


class Query:
    """Query parameters; each may occur several times. True when there are any."""

    __slots__ = ("_values", "raw")

    def __init__(self, raw: str) -> None:
        self.raw = raw
        self._values: dict[str, list[str]] = {}
        if raw and raw.count("&") < MAX_PARAMETERS:
            for part in raw.split("&"):
                self._read(part)

    def _read(self, part: str) -> None:
        # upstream: net/url url.go parseQuery, whose errors nobody looks at
        name, _, value = part.partition("=")
        if not part or ";" in part:
            return
        if "%" in part or "+" in part or not part.isascii():
            if is_badly_escaped(part):
                return
            name, value = _unescaped(name), _unescaped(value)
        self._values.setdefault(name, []).append(value)

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> "Query":
        """Of parameters that each occur once; ``raw`` stays empty."""
        made = cls("")
        made._values = {name: [value] for name, value in parameters.items()}
        return made

    def __bool__(self) -> bool:
        return bool(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def get(self, name: str, default: str = "") -> str:
        values = self._values.get(name)
        return values[0] if values else default

    def all(self, name: str) -> list[str]:
        return self._values.get(name, [])

    def flag(self, name: str) -> bool | None:
        """Three states: absent, or a boolean; only ``false`` and ``0`` are false."""
        # upstream: apimachinery pkg/runtime/converter.go Convert_Slice_string_To_bool
        values = self._values.get(name)
        if values is None:
            return None
        return values[0].lower() not in {"false", "0"}


class Body(Protocol):
    """A request's body, which may still be arriving."""

    async def read(self, limit: int) -> bytes:
        """All of it; ``StatusError`` 413 when longer than ``limit`` bytes."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """As it arrives."""
        ...


class NoBody:
    """The body of requests that have none."""

    async def read(self, limit: int) -> bytes:
        return b""

    async def chunks(self) -> AsyncIterator[bytes]:
        none: tuple[bytes, ...] = ()
        for chunk in none:
            yield chunk


class RequestInfo(msgspec.Struct):
    """What is asked, read off method and path.

    ``verb`` is the API's verb (list, watch, deletecollection, ...), or the lower-case method for
    requests that are not about a resource. ``parts`` is the path from the resource on.

    Attributes:
        in_namespace: whether the path names a namespace before the resource.
        by_prefix: ``watch`` or ``proxy`` when that stands before the resource in the path, as in
            the first releases.
        field_selector, label_selector: as they came, where the verb knows them.
        error: why the path makes no sense; empty when it does.
    """

    path: str
    verb: str
    is_resource: bool = False
    prefix: str = ""
    group: str = ""
    version: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    parts: tuple[str, ...] = ()
    in_namespace: bool = False
    by_prefix: str = ""
    field_selector: str = ""
    label_selector: str = ""
    error: str = ""


class Request(msgspec.Struct, kw_only=True):
    """One request. Filters fill in what they find out.

    Attributes:
        path: decoded; ``raw_path`` as it came.
        headers: the first value of each, by lower-case name; ``repeated`` has all values of those
            that came more than once.
        object: the body already as an object, when the request comes from the local client.
        empties: empty lists and maps of the body that its canonical form does not show.
        is_served: whether what it asks for is there, whatever the answer is.
        accepted: the form that an answer about a resource shall have.
        impersonator: who really asks when ``user`` is impersonated.
    """

    method: str
    path: str
    query: Query
    raw_path: str = ""
    headers: Mapping[str, str] = {}
    repeated: Mapping[str, Sequence[str]] = {}
    body: Body = msgspec.field(default_factory=NoBody)
    peer_certificate: bytes | None = None
    remote_address: str = ""
    object: Any = None
    empties: Given = []
    info: RequestInfo = msgspec.field(default_factory=lambda: RequestInfo("", ""))
    user: UserInfo = ANONYMOUS
    impersonator: UserInfo | None = None
    audit_id: str = ""
    warnings: list[str] = []
    received_at: float = 0.0
    is_served: bool = False
    accepted: Accepted | None = None

    def header(self, name: str, default: str = "") -> str:
        return self.headers.get(name, default)

    def header_values(self, name: str) -> Sequence[str]:
        """All values of a header, for the few that may come more than once."""
        if name in self.repeated:
            return self.repeated[name]
        return (self.headers[name],) if name in self.headers else ()

    def header_lines(self) -> Iterator[tuple[str, str]]:
        """All headers, one by one."""
        for name in self.headers:
            for value in self.header_values(name):
                yield name, value


class Response(msgspec.Struct):
    """Bytes, ready to be sent. ``is_object``: of an object, which may be compressed."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = []
    is_object: bool = False


@dataclass(slots=True)
class Stream:
    """A body that comes bit by bit: logs, proxied answers, large lists (``is_object``)."""

    status: int
    chunks: AsyncIterator[bytes]
    headers: list[tuple[str, str]] = field(default_factory=list)
    is_object: bool = False


class Sink(Protocol):
    """Where the frames of a watch go. ``write`` never waits; false when the reader cannot keep up."""

    def write(self, frame: bytes) -> bool: ...

    @property
    def closed(self) -> Awaitable[None]:
        """Done when the reader has gone."""
        ...


@dataclass(slots=True)
class Push:
    """A stream that writes when it likes: ``run`` gets the sink, and the stream ends when it returns.

    ``is_list``: it begins with a whole list, and may be compressed.
    """

    status: int
    run: Callable[[Sink], Awaitable[None]]
    headers: list[tuple[str, str]] = field(default_factory=list)
    is_list: bool = False


class RawConnection(Protocol):
    """The client's connection after an upgrade: bytes both ways."""

    async def read(self) -> bytes:
        """Some bytes; ``b""`` at the end."""
        ...

    async def write(self, data: bytes) -> None: ...

    def close(self) -> None: ...


@dataclass(slots=True)
class Upgrade:
    """The connection is handed to ``run``, which writes even the answer's head."""

    run: Callable[[RawConnection], Awaitable[None]]


class ObjectResult(msgspec.Struct):
    """One object, as stored (``entry``) or as a dict of the served version (``obj``)."""

    resource: Resource
    entry: Entry | None = None
    obj: Object | None = None
    status: int = 200


class ListResult(msgspec.Struct):
    """Objects as of ``resource_version``."""

    resource: Resource
    entries: Sequence[Entry]
    resource_version: int
    continue_: str = ""
    remaining: int | None = None


class Watched(msgspec.Struct, frozen=True):
    """A change as one watcher sees it: ``type`` is ADDED, MODIFIED, DELETED or BOOKMARK.

    ``entry`` holds the object; for an object that left the selector, ``stamp`` is the revision that
    its last matching state gets. ``frames`` is shared by all watchers of the same change, and so is
    ``object``, the entry decoded, where that is at hand.
    """

    type: str
    entry: Entry | None
    stamp: int = 0
    frames: dict[Any, bytes] | None = None
    initial_events_end: bool = False
    object: Object | None = None


class WatchResult(msgspec.Struct):
    """A watch: ``run`` calls ``deliver`` with each event, until it returns or is cancelled.

    ``deliver`` answers false when its reader is gone or cannot keep up. ``is_list``: it begins with a
    whole list, and tells where that ends.
    """

    resource: Resource
    run: Callable[[Callable[[Watched], bool]], Awaitable[None]]
    is_list: bool = False


Result = ObjectResult | ListResult | WatchResult
Wire = Response | Stream | Push | Upgrade
Outcome = Result | Wire
Handler = Callable[[Request], Awaitable[Outcome]]
WireHandler = Callable[[Request], Awaitable[Wire]]
