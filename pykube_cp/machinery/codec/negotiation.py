"""Which form a client wants (Accept) and which it sends (Content-Type)."""
# upstream: apiserver pkg/endpoints/handlers/negotiation/negotiate.go

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from pykube_cp.machinery.codec.interface import Codec
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.remember import remembered

Allows = Callable[[str, GVK | None], bool]
"""Whether an endpoint can give a media type, transformed into a kind (None: as it is)."""

_WORD = r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(f"{_WORD}(?:/{_WORD})?")
_PARAMETER = re.compile(rf'\s*;\s*({_WORD})\s*=\s*({_WORD}|"(?:\\.|[^"\\\r\n])*")')
_NO_MORE = re.compile(r"\s*+;?\s*+\Z")

CBOR_SEQUENCE = "application/cbor-seq"
"""How a watch in CBOR is called: it is no single item."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One media range of an Accept header."""

    type: str
    subtype: str
    quality: float
    parameters: Mapping[str, str]

    @property
    def target(self) -> GVK | None:
        """The kind that the client wants the answer transformed into."""
        if not self.parameters.keys() & {"as", "g", "v"}:
            return None
        return GVK(*(self.parameters.get(name, "") for name in ("g", "v", "as")))


class Accepted(msgspec.Struct, frozen=True):
    """What was agreed on.

    Attributes:
        codec: how to encode.
        convert: the kind to transform into: Table, PartialObjectMetadata(List),
            APIGroupDiscoveryList; None for as it is.
        pretty: whether to format for people.
        stream: ``watch`` or empty.
        profile: of discovery (``nopeer``).
    """

    codec: Codec
    convert: GVK | None = None
    pretty: bool = False
    stream: str = ""
    profile: str = ""
    parameters: Mapping[str, str] = {}


class NotAcceptableError(Exception):
    """406: no clause fits; the message names what is there."""


@remembered(1024)
def parse_accept(header: str) -> tuple[Clause, ...]:
    """The clauses of an Accept header, the most wanted first."""
    # upstream: github.com/munnerz/goautoneg accept.go ParseAccept
    clauses = [clause for part in header.split(",") if (clause := _clause(part)) is not None]
    return tuple(sorted(clauses, key=_order))


def _order(clause: Clause) -> tuple[float, bool, bool]:
    return -clause.quality, clause.type == "*", clause.subtype == "*"


def _clause(part: str) -> Clause | None:
    media, *rest = part.strip(" ").split(";")
    kind, _, subtype = (text.strip(" ") for text in media.partition("/"))
    if not subtype:
        if kind != "*":
            return None
        subtype = "*"
    if "/" in subtype:
        return None
    parameters: dict[str, str] = {}
    quality = 1.0
    for text in rest:
        name, _, value = (side.strip(" ") for side in text.partition("="))
        if not value or "=" in value:
            continue
        if name == "q":
            quality = _quality(value)
        else:
            parameters[name] = value
    return Clause(kind, subtype, quality, parameters)


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def as_it_is(_media_type: str, target: GVK | None) -> bool:
    """The restriction of endpoints that transform nothing."""
    return target is None


def negotiate(
    header: str,
    codecs: Sequence[Codec],
    *,
    allows: Allows = as_it_is,
    stream: bool = False,
    server_version: str = "",
) -> Accepted:
    """Agree on a form.

    Args:
        header: the Accept header, may be empty.
        codecs: what there is, the default first.
        allows: what the endpoint can do.
        stream: whether the answer is a watch.
        server_version: what a client may ask for with the parameter ``sv``.

    Raises:
        NotAcceptableError: nothing fits.
    """
    found = _negotiate(header, codecs, allows, server_version)
    if found is None or (stream and not found.codec.streams):
        supported = media_types(codecs) if found is None else stream_types(codecs)
        raise NotAcceptableError(
            f"only the following media types are accepted: {', '.join(supported)}"
        )
    return found


def _negotiate(
    header: str, codecs: Sequence[Codec], allows: Allows, server_version: str
) -> Accepted | None:
    if not header:
        return Accepted(codecs[0])
    for clause in parse_accept(header):
        for codec in codecs:
            if not matches(clause, codec.media_type):
                continue
            if clause.parameters.get("sv", server_version) != server_version:
                continue
            accepted = _with_parameters(clause, codec, allows)
            if accepted is not None:
                return accepted
    return None


def matches(clause: Clause, media_type: str) -> bool:
    """Whether a media type is in a range."""
    kind, _, subtype = media_type.partition("/")
    if clause.type == "*":
        return clause.subtype == "*"
    return clause.type == kind and clause.subtype in {subtype, "*"}


def _with_parameters(clause: Clause, codec: Codec, allows: Allows) -> Accepted | None:
    parameters, convert = clause.parameters, clause.target
    stream = parameters.get("stream", "")
    if stream and (not codec.streams or stream != "watch"):
        return None
    if not allows(codec.media_type, convert):
        return None
    return Accepted(
        codec=codec,
        convert=convert,
        pretty=parameters.get("pretty") == "1",
        stream=stream,
        profile=parameters.get("profile", ""),
        parameters=parameters,
    )


def media_types(codecs: Sequence[Codec]) -> list[str]:
    return [codec.media_type for codec in codecs]


def stream_types(codecs: Sequence[Codec]) -> list[str]:
    return [_streamed(codec) for codec in codecs if codec.streams]


def _streamed(codec: Codec) -> str:
    is_sequence = codec.media_type == "application/cbor"
    return CBOR_SEQUENCE if is_sequence else f"{codec.media_type};stream=watch"


@remembered(256)
def media_type_of(content_type: str) -> str:
    """The media type of a body, in lower case; empty when the header cannot be read."""
    # upstream: mime mediatype.go ParseMediaType
    end = content_type.find(";")
    end = len(content_type) if end < 0 else end
    media_type = content_type[:end].strip().lower()
    if not _MEDIA_TYPE.fullmatch(media_type):
        return ""
    given: dict[str, str] = {}
    while not _NO_MORE.match(content_type, end):
        found = _PARAMETER.match(content_type, end)
        if found is None:
            return ""
        name, value = found[1].lower(), found[2]
        if given.setdefault(name, value) != value:
            return ""
        end = found.end()
    return media_type
