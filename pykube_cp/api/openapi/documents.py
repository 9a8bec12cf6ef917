"""The documents of the catalog as it is: made in a thread when first asked for, and kept packed.

A document is made again when rows of its group and version change. What is kept of it are its bytes,
compressed: a fifteenth of their size, and what most clients of version 2 want anyway.
"""
# upstream: kube-openapi pkg/cached, apiserver pkg/server/routes/openapi.go

import asyncio
import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import orjson

from pykube_cp.api.openapi import fixed, operations, proto_v2, proto_v3, v2, v3
from pykube_cp.api.openapi.definitions import Definitions
from pykube_cp.api.openapi.operations import Operation
from pykube_cp.machinery import clock
from pykube_cp.machinery.objects import Object
from pykube_cp.registry.catalog import Catalog
from pykube_cp.registry.descriptions import load
from pykube_cp.registry.resource import Resource

Rows = tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A document of one media type. ``tag`` is the hash of its JSON in all of them."""

    packed: bytes
    tag: str
    modified: float

    def unpacked(self) -> bytes:
        return gzip.decompress(self.packed)


class Documents:
    """All documents of a catalog.

    Documents of version 3 are known by their root: ``version``, ``api/v1``, ``apis/apps``.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._generation = -1
        self._rows: dict[str, Rows] = {}
        self._v3: dict[str, Document] = {}
        self._v2: Document | None = None
        self._protobuf: dict[str, tuple[str, Document]] = {}
        self._making = asyncio.Lock()

    async def v3(self) -> Mapping[str, Document]:
        """The documents of version 3 by root, in alphabetical order."""
        async with self._making:
            await self._refresh()
            return self._v3

    async def v2(self) -> Document:
        async with self._making:
            await self._refresh()
            if self._v2 is None:
                found = tuple(self._catalog.all())
                roots = fixed.of_roots(self._catalog)
                self._v2 = await asyncio.to_thread(_make_v2, roots, found)
            return self._v2

    async def in_protobuf(self, root: str, document: Document) -> Document:
        """The same in protobuf; ``root`` is empty for the document of version 2."""
        kept = self._protobuf.get(root)
        if kept is None or kept[0] != document.tag:
            encode = proto_v3.DOCUMENT if root else proto_v2.DOCUMENT
            made = await asyncio.to_thread(_reencode, document, encode)
            self._protobuf[root] = kept = (document.tag, made)
        return kept[1]

    async def _refresh(self) -> None:
        generation = self._catalog.generation
        if generation == self._generation:
            return
        roots = fixed.of_roots(self._catalog)
        rows = {root: _rows_of(self._catalog, root) for root in roots}
        stale = {
            root: found
            for root, found in roots.items()
            if root not in self._v3 or self._rows[root] != rows[root]
        }
        made = await asyncio.to_thread(_make_v3, stale, rows)
        self._v3 = {root: made.get(root) or self._v3[root] for root in roots}
        self._rows, self._v2 = rows, None
        self._protobuf = {root: kept for root, kept in self._protobuf.items() if root in roots}
        self._generation = generation


def _rows_of(catalog: Catalog, root: str) -> Rows:
    prefix, _, rest = root.partition("/")
    if prefix == "api" and rest:
        return catalog.resources("", rest)
    group, _, version = rest.partition("/")
    return catalog.resources(group, version) if prefix == "apis" and version else ()


def _make_v3(roots: Mapping[str, list[Operation]], rows: Mapping[str, Rows]) -> dict[str, Document]:
    every = [row for each in rows.values() for row in each]
    definitions = Definitions(3, load(), every)
    return {
        root: _document(v3.document([*found, *_operations(rows[root])], definitions, root))
        for root, found in roots.items()
    }


def _make_v2(roots: Mapping[str, list[Operation]], rows: Rows) -> Document:
    found = [operation for each in roots.values() for operation in each]
    return _document(v2.document([*found, *_operations(rows)], Definitions(2, load(), rows)))


def _operations(rows: Iterable[Resource]) -> list[Operation]:
    return [operation for row in rows for operation in operations.of_row(row)]


def _document(made: Object) -> Document:
    data = orjson.dumps(made)
    return Document(
        gzip.compress(data, 6, mtime=0),
        hashlib.sha512(data).hexdigest().upper(),
        clock.now(),
    )


def _reencode(document: Document, encode: Callable[[Object], bytes]) -> Document:
    data = encode(orjson.loads(document.unpacked()))
    return Document(gzip.compress(data, 6, mtime=0), document.tag, document.modified)
