"""Lists to bytes: the stored bytes of many objects side by side, sent piece by piece.

Ten thousand pods are sixty megabytes. They are never in one piece here: each is taken from the cache as
it is, and what is sent at once stays small enough for the processor's caches.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import orjson

from pykube_cp.api.request import ListResult, Response, Stream
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.resource import Resource
from pykube_cp.storage.watch_cache import Entry, Messages

Part = bytes | memoryview
PIECE = 256 << 10
_ENCODED_AT_ONCE = 64


def head_of(resource: Resource, result: ListResult) -> Object:
    """A list without its items."""
    metadata: Object = {"resourceVersion": str(result.resource_version)}
    if result.continue_:
        metadata["continue"] = result.continue_
    if result.remaining is not None:
        metadata["remainingItemCount"] = result.remaining
    return {
        "kind": resource.list_kind,
        "apiVersion": resource.api_version,
        "metadata": metadata,
    }


def stored(head: Object, resource: Resource, entries: Sequence[Entry]) -> list[Part]:
    """In JSON, of objects as stored, each without the kind and version that the list states."""
    prefixes = _prefixes(resource)
    size = len(prefixes[0]) if prefixes else 0
    items: list[Part] = []
    for entry in entries:
        data = entry.data
        if prefixes and data.startswith(prefixes):
            items += (b",{", memoryview(data)[size:])
        else:
            items += (b",", data)
    if items:
        items[0] = items[0][1:]
    return [orjson.dumps(head)[:-1], b',"items":[', *items, b"]}\n"]


async def messages(
    kept: Messages, entries: Sequence[Entry], make: Callable[[Object], bytes]
) -> list[bytes]:
    """Objects in protobuf; others get their turn while many have to be encoded."""
    items: list[bytes] = []
    made = 0
    for entry in entries:
        made += not entry.message
        items.append(kept.of(entry, make))
        if made == _ENCODED_AT_ONCE:
            made = 0
            await asyncio.sleep(0)
    return items


def answer(parts: Sequence[Part], content_type: str) -> Response | Stream:
    """In one piece when it is small."""
    size = sum(map(len, parts))
    if size <= PIECE:
        return Response(200, b"".join(parts), content_type, is_object=True)
    sized = [("Content-Type", content_type), ("Content-Length", str(size))]
    return Stream(200, _pieces(parts), sized, is_object=True)


async def _pieces(parts: Sequence[Part]) -> AsyncIterator[bytes]:
    begin = size = 0
    for end, part in enumerate(parts):
        size += len(part)
        if size >= PIECE:
            yield b"".join(parts[begin : end + 1])
            begin, size = end + 1, 0
    if size:
        yield b"".join(parts[begin:])


def _prefixes(resource: Resource) -> tuple[bytes, ...]:
    if resource.is_custom:
        return ()
    kind, version = orjson.dumps(resource.kind), orjson.dumps(resource.api_version)
    return (
        b'{"kind":%b,"apiVersion":%b,' % (kind, version),
        b'{"apiVersion":%b,"kind":%b,' % (version, kind),
    )
