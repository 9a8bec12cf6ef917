"""``/openapi/v2``, ``/openapi/v3`` and the documents below it: who gets which form."""
# upstream: kube-openapi pkg/handler/handler.go, pkg/handler3/handler.go

from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime

import orjson

from pykube_cp.api.endpoints import PLAIN, Endpoint
from pykube_cp.api.openapi.documents import Document, Documents
from pykube_cp.api.request import Outcome, Request, Response
from pykube_cp.api.services import Services
from pykube_cp.machinery import clock
from pykube_cp.machinery.codec.negotiation import Clause, parse_accept

Headers = list[tuple[str, str]]
_JSON = "application/json"
_NO_TYPE = ""
_PROTOBUF = "com.github.proto-openapi.spec.v{}.v1.0+protobuf"
_OLD_PROTOBUF = "com.github.proto-openapi.spec.v{}@v1.0+protobuf"
_YEAR = 365 * 24 * 3600


def endpoints(services: Services) -> dict[str, Endpoint]:
    """The document of version 2, the index of version 3 and what is below it."""
    documents = Documents(services.catalog)

    async def second(request: Request) -> Outcome:
        return await _serve_v2(documents, request)

    async def index(request: Request) -> Outcome:
        return _index(request, await documents.v3())

    async def third(request: Request) -> Outcome:
        return await _serve_v3(documents, request, request.path.removeprefix("/openapi/v3/"))

    return {
        "/openapi/v2": Endpoint(second),
        "/openapi/v3": Endpoint(index),
        "/openapi/v3/": Endpoint(third, below=True),
    }


def _index(request: Request, documents: Mapping[str, Document]) -> Response:
    paths = {root: {"serverRelativeURL": _url(root, found)} for root, found in documents.items()}
    # Upstream guesses the type from the content, and this is what it finds.
    modified = max(found.modified for found in documents.values())
    return _content(request, orjson.dumps({"paths": paths}), PLAIN, [], modified=modified)


def _url(root: str, document: Document) -> str:
    return f"/openapi/v3/{root}?hash={document.tag}"


async def _serve_v2(documents: Documents, request: Request) -> Response:
    headers = [("Vary", "Accept-Encoding"), ("Vary", "Accept")]
    media_type = _negotiate(request.header("accept"), 2)
    if not media_type:
        return Response(406, b"", _NO_TYPE, headers)
    document = await documents.v2()
    if media_type != _JSON:
        document = await documents.in_protobuf("", document)
    headers.append(("ETag", f'"{document.tag}"'))
    body = document.packed
    if _takes_gzip(request):
        headers.append(("Content-Encoding", "gzip"))
    else:
        body = document.unpacked()
    return _content(request, body, media_type, headers, modified=document.modified)


async def _serve_v3(documents: Documents, request: Request, root: str) -> Response:
    document = (await documents.v3()).get(root)
    if document is None:
        return Response(404, b"", _NO_TYPE)
    headers = [("Vary", "Accept")]
    media_type = _negotiate(request.header("accept"), 3)
    if not media_type:
        return Response(406, b"", _NO_TYPE, headers)
    headers.append(("ETag", f'"{document.tag}"'))
    asked = request.query.get("hash")
    if asked and asked != document.tag:
        return Response(301, b"", media_type, [*headers, ("Location", _url(root, document))])
    if asked:
        # Under this address there will never be anything else.
        expires = formatdate(clock.now() + _YEAR, usegmt=True).replace("GMT", "UTC")
        headers += [("Cache-Control", "public, immutable"), ("Expires", expires)]
    if media_type != _JSON:
        document = await documents.in_protobuf(root, document)
    return _content(request, document.unpacked(), media_type, headers, modified=document.modified)


def _negotiate(accept: str, version: int) -> str:
    """The media type to answer with; empty when the client takes none that there is."""
    protobuf, old = _PROTOBUF.format(version), _OLD_PROTOBUF.format(version)
    for clause in parse_accept(accept or "*/*"):
        for subtype in ("json", old, protobuf):
            if _takes(clause, subtype):
                return _JSON if subtype == "json" else f"application/{protobuf}"
    return ""


def _takes(clause: Clause, subtype: str) -> bool:
    return clause.type in {"application", "*"} and clause.subtype in {subtype, "*"}


def _takes_gzip(request: Request) -> bool:
    # upstream: github.com/NYTimes/gziphandler gzip.go acceptsGzip
    for part in request.header("accept-encoding").lower().split(","):
        coding, _, quality = part.partition(";")
        if coding.strip() == "gzip":
            return quality.strip() not in {"q=0", "q=0.0"}
    return False


def _content(
    request: Request, body: bytes, media_type: str, headers: Headers, *, modified: float
) -> Response:
    """The content, or 304 when the client has it already."""
    # upstream: net/http fs.go serveContent, checkPreconditions
    tags = request.header("if-none-match")
    own = dict(headers).get("ETag", "")
    if (tags and _names(tags, own)) or (not tags and not _newer(request, modified)):
        kept = [header for header in headers if header[0] != "Content-Encoding"]
        return Response(304, headers=kept)
    headers.append(("Last-Modified", formatdate(modified, usegmt=True)))
    return Response(200, body, media_type, headers)


def _names(tags: str, own: str) -> bool:
    """Whether a list of tags has ours, weak or strong."""
    found = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
    return "*" in found or (bool(own) and own in found)


def _newer(request: Request, modified: float) -> bool:
    """Whether the content is newer than what the client says it has."""
    since = request.header("if-modified-since")
    try:
        return not since or int(modified) > parsedate_to_datetime(since).timestamp()
    except ValueError:
        return True
