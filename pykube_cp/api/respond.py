"""Answers to bytes: negotiation, framing, Table and metadata forms, errors.

An object in JSON leaves as it was stored. Every other form is made once per change and kept with it,
so that a thousand watchers cost one encoding.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable, Sequence

import orjson

from pykube_cp.api import acceptance, lists, transforms
from pykube_cp.api.compression import compressed
from pykube_cp.api.request import (
    Handler,
    ListResult,
    ObjectResult,
    Outcome,
    Push,
    Request,
    Response,
    Sink,
    Stream,
    Upgrade,
    Watched,
    WatchResult,
    Wire,
    WireHandler,
)
from pykube_cp.api.request_metrics import REQUESTS
from pykube_cp.machinery import clock, errors
from pykube_cp.machinery.codec import catalog as codecs
from pykube_cp.machinery.codec.interface import Codec, NotEncodableError
from pykube_cp.machinery.codec.negotiation import (
    CBOR_SEQUENCE,
    Accepted,
    Allows,
    NotAcceptableError,
    as_it_is,
    negotiate,
)
from pykube_cp.machinery.codec.protobuf import envelope
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.json_patch import merge_patch
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Resource
from pykube_cp.storage.watch_cache import Entry, Messages

_log = logging.getLogger(__name__)
_WARNING_LIMIT, _WARNING_ITEM_LIMIT = 4096, 256
_JSON_CODEC, _WITHOUT_CBOR = codecs.JSON, codecs.Media()
_PEOPLE = ("curl", "Wget", "Mozilla/5.0")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})  # as strconv.ParseBool


def build(handler: Handler, messages: Messages, media: codecs.Media) -> WireHandler:
    """The outermost handler: whatever happens inside, the client gets an answer."""

    async def handle(request: Request) -> Wire:
        try:
            wire = await encode(request, await handler(request), messages, media)
        except errors.StatusError as error:
            wire = failure(request, error, media)
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - the client gets an answer, the log the cause
            _log.exception("%s %s failed", request.method, request.path)
            text = "an error on the server has prevented the request from succeeding"
            wire = failure(request, errors.internal_error(text), media)
        wire = await compressed(request, wire)
        _finish(request, wire)
        return wire

    return handle


async def encode(
    request: Request, outcome: Outcome, messages: Messages, media: codecs.Media
) -> Wire:
    """The outcome as the client wants it; 406 when it cannot be had so."""
    if isinstance(outcome, Response | Stream | Push | Upgrade):
        return outcome
    accepted = request.accepted or acceptance.agree(request, media, outcome.resource, None)
    acceptance.check(request, outcome, accepted)
    form = Form(request, outcome.resource, accepted, messages)
    try:
        if isinstance(outcome, ObjectResult):
            return form.object_response(outcome)
        if isinstance(outcome, ListResult):
            return await form.list_response(outcome)
    except NotEncodableError as error:
        raise errors.StatusError(406, "NotAcceptable", str(error)) from None
    return form.watch_response(outcome)


def plain(
    request: Request,
    obj: Object,
    headers: Sequence[tuple[str, str]] = (),
    *,
    allows: Allows = as_it_is,
    media: codecs.Media = _WITHOUT_CBOR,
) -> Response:
    """An object that is no resource (discovery) in the form that the client wants; 406 without any.

    Its media type names the kind it was transformed into, if it was.
    """
    accepted = acceptance.accepted(request, media, allows=allows)
    media_type, target = accepted.codec.media_type, accepted.convert
    if target is not None:
        # upstream: apiserver .../handlers/responsewriters/writers.go generateMediaTypeWithGVK
        media_type += f";g={target.group};v={target.version};as={target.kind}"
    pretty = accepted.pretty or wants_pretty(request)
    body = _encoded(accepted.codec, obj, pretty=pretty)
    return Response(200, body, media_type, [*headers], is_object=True)


def wants_pretty(request: Request) -> bool:
    """What the query says, else whether a person seems to read."""
    # upstream: apiserver pkg/endpoints/handlers/negotiation/negotiate.go isPrettyPrint
    asked = request.query.get("pretty")
    if asked:
        return asked in _TRUE
    return request.header("user-agent").startswith(_PEOPLE)


def _encoded(codec: Codec, obj: Object, *, pretty: bool) -> bytes:
    if codec is not _JSON_CODEC:
        return codec.encode(obj)
    # As Go ends them: the plain form by its encoder, the indented one not at all.
    return orjson.dumps(obj, option=orjson.OPT_INDENT_2) if pretty else orjson.dumps(obj) + b"\n"


def failure(request: Request, error: errors.StatusError, media: codecs.Media) -> Response:
    """A Status, in protobuf or CBOR when that is what the client prefers."""
    pretty = wants_pretty(request)
    try:
        codec = negotiate(request.header("accept"), media.codecs).codec
    except NotAcceptableError:
        codec, pretty = _JSON_CODEC, True
    body = _encoded(codec, error.status(), pretty=pretty)
    headers = list(error.headers.items())
    if error.retry_after_seconds and "Retry-After" not in error.headers:
        headers.append(("Retry-After", str(error.retry_after_seconds)))
    return Response(error.code, body, codec.media_type, headers, is_object=True)


class Form:
    """One agreed form: codec and transform, for one resource."""

    def __init__(
        self, request: Request, resource: Resource, accepted: Accepted, messages: Messages
    ) -> None:
        self._request = request
        self._messages = messages
        self._resource = resource
        self._codec = accepted.codec
        self._pretty = accepted.pretty or wants_pretty(request)
        self._convert = accepted.convert
        self._content_type = _content_type(accepted)
        self._is_table = accepted.convert is not None and accepted.convert.kind == "Table"
        self._knows_columns = False
        self._transform = self._find_transform()
        include = request.query.get("includeObject") if accepted.convert else ""
        # Text, since its hash is computed once and this is looked up for each event and watcher.
        self._key = f"{accepted.codec.media_type} {accepted.convert} {resource.gvr} {include}"
        as_stored = accepted.convert is None and resource.conversion is None
        self._plain = as_stored and accepted.codec is _JSON_CODEC
        self._plain_protobuf = as_stored and accepted.codec is codecs.PROTOBUF

    def _find_transform(self) -> Callable[[Object], Object] | None:
        """From the stored object to what is shown; None when they are the same."""
        conversion, convert = self._resource.conversion, self._convert
        steps: list[Callable[[Object], Object]] = []
        if self._is_table:
            return self._table_of_one(stored=True)
        if conversion is not None:
            steps.append(conversion.from_storage)
        if convert is not None:
            steps.append(transforms.partial(self._resource, convert.api_version))
        return _chained(steps)

    def object_response(self, result: ObjectResult) -> Response:
        if result.entry is not None and self._plain and not self._pretty:
            body = result.entry.data + b"\n"
        elif result.entry is not None and self._plain_protobuf:
            body = self._in_protobuf(result.entry)
        else:
            obj = result.obj
            if obj is None:
                assert result.entry is not None
                obj = result.entry.object()
                obj = self._transform(obj) if self._transform is not None else obj
            elif self._convert is not None and obj.get("kind") != "Status":
                obj = self._shown(obj)
            body = self._bytes(obj)
        return Response(result.status, body, self._content_type, is_object=True)

    def _shown(self, obj: Object) -> Object:
        """A dict of the served version, transformed."""
        assert self._convert is not None
        if self._is_table:
            return self._table_of_one(stored=False)(obj)
        return transforms.partial(self._resource, self._convert.api_version)(obj)

    def _table_of_one(self, *, stored: bool) -> Callable[[Object], Object]:
        assert self._convert is not None
        include = self._request.query.get("includeObject") or "Metadata"
        version = self._convert.api_version
        return transforms.table_of_one(self._resource, version, include, stored=stored)

    def _in_protobuf(self, entry: Entry) -> bytes:
        message = self._messages.of(entry, codecs.PROTOBUF.encode_item)
        return envelope(self._resource.api_version, self._resource.kind, message)

    async def list_response(self, result: ListResult) -> Response | Stream:
        head = lists.head_of(self._resource, result)
        if self._convert is not None and self._convert.kind == "Table":
            include = self._request.query.get("includeObject") or "Metadata"
            table = transforms.table(
                self._resource,
                self._convert.api_version,
                include,
                [entry.object() for entry in result.entries],
                head["metadata"],
            )
            body = self._bytes(table)
            return Response(200, body, self._content_type, is_object=True)
        return lists.answer(await self._list_parts(head, result), self._content_type)

    async def _list_parts(self, head: Object, result: ListResult) -> Sequence[lists.Part]:
        if self._plain and not self._pretty:
            return lists.stored(head, self._resource, result.entries)
        if self._plain_protobuf:
            encode_item = codecs.PROTOBUF.encode_item
            items = await lists.messages(self._messages, result.entries, encode_item)
            return codecs.PROTOBUF.encode_list(head, items)
        return self._list_bytes(head, result)

    def _list_bytes(self, head: Object, result: ListResult) -> list[bytes]:
        if self._convert is not None:
            head["kind"] = "PartialObjectMetadataList"
            head["apiVersion"] = self._convert.api_version
        transform = self._transform or _same
        items = (transform(entry.object()) for entry in result.entries)
        if self._codec is codecs.PROTOBUF:
            return self._codec.encode_list(head, [*map(self._codec.encode_item, items)])
        bare = [_without_kind(item, self._convert) for item in items]
        head["items"] = bare if bare or self._convert is None else None
        return [self._bytes(head)]

    def _bytes(self, obj: Object) -> bytes:
        return _encoded(self._codec, obj, pretty=self._pretty)

    def watch_response(self, result: WatchResult) -> Push:
        async def run(sink: Sink) -> None:
            if self._convert is not None and self._convert.kind == "PartialObjectMetadataList":
                return  # no event is a list: the stream ends where the first one would come
            watching = asyncio.ensure_future(result.run(self._deliverer(sink)))
            closed = asyncio.ensure_future(_wait(sink))
            try:
                await asyncio.wait({watching, closed}, return_when=asyncio.FIRST_COMPLETED)
                if watching.done():
                    watching.result()
            except errors.StatusError as error:
                made = self._codec.frame_event("ERROR", self._codec.encode(error.status()))
                REQUESTS.of_events(self._resource.gvr).observe(len(made))
                sink.write(made)
            finally:
                watching.cancel()
                closed.cancel()

        content_type = self._content_type
        if self._codec is codecs.CBOR:
            content_type = CBOR_SEQUENCE
        elif self._codec is not _JSON_CODEC:
            content_type = f"{content_type};stream=watch"
        headers = [("Content-Type", content_type)]
        return Push(200, run, headers, result.is_list)

    def _deliverer(self, sink: Sink) -> Callable[[Watched], bool]:
        frame = self._table_frame if self._is_table else self._shared_frame
        measure = REQUESTS.of_events(self._resource.gvr).observe

        def deliver(watched: Watched) -> bool:
            made = frame(watched)
            measure(len(made))
            if watched.initial_events_end:
                REQUESTS.note_initial_events(self._request)
            return sink.write(made)

        return deliver

    def _table_frame(self, watched: Watched) -> bytes:
        """The event's frame in a Table; only the first tells the columns."""
        made = self._shared_frame(watched)
        # upstream: apiserver pkg/endpoints/handlers/response.go watchEmbeddedEncoder.doEncode
        self._knows_columns = self._knows_columns or watched.entry is not None
        return made

    def _shared_frame(self, watched: Watched) -> bytes:
        """Made once for all who see the change the same way."""
        frames = watched.frames
        if frames is None:
            return self._make_frame(watched)
        key = (self._key, watched.type, watched.stamp, self._knows_columns)
        found: bytes | None = frames.get(key)
        if found is None:
            found = frames[key] = self._make_frame(watched)
        return found

    def _make_frame(self, watched: Watched) -> bytes:
        entry = watched.entry
        if entry is not None and self._plain and not watched.stamp:
            return self._codec.frame_event(watched.type, entry.data)
        if entry is not None and self._plain_protobuf and not watched.stamp:
            return self._codec.frame_event(watched.type, self._in_protobuf(entry))
        obj = self._watched_object(watched)
        return self._codec.frame_event(watched.type, self._codec.encode(obj))

    def _watched_object(self, watched: Watched) -> Object:
        if watched.entry is None:
            return self._bookmark(watched)
        obj = watched.entry.object()
        if watched.stamp:
            obj["metadata"]["resourceVersion"] = str(watched.stamp)
        shown = self._transform(obj) if self._transform is not None else obj
        if self._knows_columns:
            shown["columnDefinitions"] = None
        return shown

    def _bookmark(self, watched: Watched) -> Object:
        metadata: Object = {"resourceVersion": str(watched.stamp)}
        if watched.initial_events_end:
            metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
        convert, blank = self._convert, self._resource.bookmark
        if convert is not None and convert.kind == "Table":
            return transforms.empty_table(convert.api_version, metadata)
        if convert is not None:
            gvk = GVK(convert.group, convert.version, "PartialObjectMetadata")
            blank = {}
        else:
            gvk = self._resource.gvk
        obj: Object = {"kind": gvk.kind, "apiVersion": gvk.api_version, "metadata": metadata}
        return transforms.complete(merge_patch(blank, obj), gvk)


async def _wait(sink: Sink) -> None:
    await sink.closed


def _same(obj: Object) -> Object:
    return obj


def _chained(steps: list[Callable[[Object], Object]]) -> Callable[[Object], Object] | None:
    if not steps:
        return None
    if len(steps) == 1:
        return steps[0]

    def run(obj: Object) -> Object:
        for step in steps:
            obj = step(obj)
        return obj

    return run


def _content_type(accepted: Accepted) -> str:
    return accepted.codec.media_type


def _without_kind(item: Object, convert: GVK | None) -> Object:
    if convert is None:
        item.pop("kind", None)
        item.pop("apiVersion", None)
    return item


def _finish(request: Request, wire: Wire) -> None:
    """Headers that every answer has, and the books."""
    if isinstance(wire, Upgrade):
        REQUESTS.observe(request, wire, 0)
        return
    if not request.info.error and not any(name == "Cache-Control" for name, _ in wire.headers):
        # upstream: apiserver pkg/endpoints/filters/cachecontrol.go WithCacheControl
        wire.headers.append(("Cache-Control", "no-cache, private"))
    if request.audit_id:
        wire.headers.append(("Audit-Id", request.audit_id))
    for text in unique_warnings(request.warnings):
        wire.headers.append(("Warning", f'299 - "{_quoted(text)}"'))
    REQUESTS.observe(request, wire, clock.monotonic() - request.received_at)


def unique_warnings(warnings: list[str]) -> list[str]:
    """What is too long together is shortened one by one."""
    # upstream: apiserver pkg/endpoints/filters/warning.go recorder.AddWarning
    texts = list(dict.fromkeys(filter(None, warnings)))
    sizes = list(itertools.accumulate(map(len, texts)))
    if not sizes or sizes[-1] <= _WARNING_LIMIT:
        return texts
    first = next(position for position, size in enumerate(sizes) if size > _WARNING_LIMIT)
    short = [text[:_WARNING_ITEM_LIMIT] for text in texts]
    kept = short[: first + 1]
    size = sum(map(len, kept))
    for text in short[first + 1 :]:
        if size >= _WARNING_LIMIT:
            break
        kept.append(text)
        size += len(text)
    return kept


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
