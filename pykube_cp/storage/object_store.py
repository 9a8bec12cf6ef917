"""Objects in and out of a backend: keys, encoding, optimistic concurrency, translated errors.

Between a backend's five exceptions and the API's ``StatusError`` there is this one file.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson

from pykube_cp.machinery import clock, errors, schema
from pykube_cp.machinery.codec.catalog import PROTOBUF
from pykube_cp.machinery.gvk import GVK
from pykube_cp.machinery.metrics import REQUEST_SECONDS, Counter, Histogram
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.structural import STORED_AS_JSON
from pykube_cp.storage.interface import (
    ABSENT,
    Closed,
    Compacted,
    Conflict,
    Delete,
    FutureRevision,
    Put,
    Storage,
    StorageFailure,
)
from pykube_cp.storage.watch_cache import Entry, Index, Note

# upstream: apiserver pkg/storage/etcd3/metrics/metrics.go; of whatever the storage is
REQUESTS = Counter(
    "etcd_requests_total",
    "[ALPHA] Etcd request counts for each operation and object type.",
    ("group", "operation", "resource"),
)
SECONDS = Histogram(
    "etcd_request_duration_seconds",
    "[ALPHA] Etcd request latency in seconds for each operation and object type.",
    REQUEST_SECONDS,
    ("group", "operation", "resource"),
)
METRICS = (REQUESTS, SECONDS)

MODIFIED = (
    "the object has been modified; please apply your changes to the latest version and try again"
)
_FIRST = ("kind", "apiVersion")
LARGEST = 1536 << 10
"""Bytes of an object; more than that, etcd takes from nobody."""
COMPACTED = "The provided continue parameter is too old"


def prefix_of(group: str, plural: str) -> str:
    """The prefix under which a resource is kept."""
    return f"/registry/{group or 'core'}/{plural}/"


def key_of(prefix: str, namespace: str, name: str) -> str:
    return f"{prefix}{namespace}/{name}" if namespace else f"{prefix}{name}"


class ObjectStore:
    """Writes objects. ``group_resource`` and names are for the texts of errors."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    async def create(
        self,
        key: str,
        obj: Object,
        index: Index,
        *,
        group_resource: tuple[str, str],
        expires_at: float = 0.0,
    ) -> Entry:
        """Write ``obj``, which from now on belongs to whoever watches."""
        note = Note(index, obj)
        put = Put(key=key, render=bounded(obj), expected=ABSENT, note=note, expires_at=expires_at)
        name = key.rpartition("/")[2]
        with translated(group_resource, name):
            try:
                revisions = await self._commit("create", group_resource, put)
            except Conflict:
                raise errors.already_exists(group_resource, name) from None
        return note.entry or entry_of(key, obj, revisions[0], index)

    async def update(
        self,
        current: Entry,
        obj: Object,
        index: Index,
        *,
        group_resource: tuple[str, str],
        expires_at: float = 0.0,
    ) -> Entry:
        """Replace the ``current`` object; ``Conflict`` when it is another by now.

        As with ``create``, nobody may change ``obj`` afterwards.
        """
        note, key = Note(index, obj), current.key
        put = Put(
            key=key,
            render=bounded(obj, current.data),
            expected=current.revision,
            note=note,
            expires_at=expires_at,
        )
        with translated(group_resource, key.rpartition("/")[2]):
            revisions = await self._commit("update", group_resource, put)
        return note.entry or entry_of(key, obj, revisions[0], index)

    async def delete(
        self,
        key: str,
        obj: Object,
        index: Index,
        expected: int,
        *,
        group_resource: tuple[str, str],
    ) -> Entry:
        """Delete the object at ``expected``; watchers get ``obj`` with the deletion's revision."""
        note = Note(index)
        delete = Delete(key=key, render=renderer(obj), expected=expected, note=note)
        with translated(group_resource, key.rpartition("/")[2]):
            revisions = await self._commit("delete", group_resource, delete)
        return note.entry or entry_of(key, obj, revisions[0], index)

    async def _commit(
        self, what: str, group_resource: tuple[str, str], operation: Put | Delete
    ) -> list[int]:
        begin = clock.monotonic()
        labels = group_resource[0], what, group_resource[1]
        REQUESTS.add(*labels)
        try:
            return await self.storage.commit([operation])
        finally:
            SECONDS.observe(clock.monotonic() - begin, *labels)


def renderer(obj: Object) -> Callable[[int], bytes]:
    """Encode with the revision that the write gets; leaves it in the object as well.

    Kind and version come first: lists cut them off the bytes.
    """

    def render(revision: int) -> bytes:
        obj["metadata"]["resourceVersion"] = str(revision)
        return orjson.dumps({name: obj[name] for name in _FIRST if name in obj} | obj)

    return render


def bounded(obj: Object, before: bytes = b"") -> Callable[[int], bytes]:
    """As ``renderer``, and refuses what etcd would: more than ``LARGEST`` bytes in upstream's form.

    What was larger ``before``, as an earlier release stored it, can still be changed and marked for
    deletion.
    """
    # upstream: etcd server/etcdserver/v3_server.go processInternalRaftRequestOnce
    render = renderer(obj)

    def render_bounded(revision: int) -> bytes:
        data = render(revision)
        if is_too_large(data) and not is_too_large(before):
            raise errors.StatusError(500, "", "etcdserver: request is too large")
        return data

    return render_bounded


def is_too_large(data: bytes) -> bool:
    """Of an object's JSON, which makes some objects much longer than the form that upstream stores."""
    return len(data) > LARGEST and _upstream_size(data) > LARGEST


def _upstream_size(data: bytes) -> int:
    obj: Object = orjson.loads(data)
    kind = schema.find(GVK.of(obj))
    if kind is None or not kind.protobuf or kind.name.startswith(STORED_AS_JSON):
        return len(data)
    return len(PROTOBUF.encode(obj))


@contextmanager
def translated(group_resource: tuple[str, str], name: str = "") -> Iterator[None]:
    """Backends' exceptions as the ``StatusError`` that upstream would send.

    ``Conflict`` passes: whoever wrote knows whether to try again.
    """
    try:
        yield
    except Compacted as error:
        raise errors.resource_expired(
            f"The resourceVersion for the provided watch is too old: "
            f"{error.revision} ({error.compacted})"
        ) from None
    except FutureRevision as error:
        raise errors.too_large_resource_version(error.revision, error.current, 1) from None
    except (StorageFailure, Closed) as error:
        group, resource = group_resource
        detail = f"storage of {resource}.{group} {name!r}".replace(". ", " ")
        raise errors.internal_error(f"{detail}: {str(error) or 'closed'}") from error


def entry_of(key: str, obj: Object, revision: int, index: Index) -> Entry:
    """As a cache makes it of what was written, for what no cache has seen."""
    meta = obj["metadata"]
    return Entry(
        key,
        meta.get("namespace", ""),
        meta["name"],
        revision,
        orjson.dumps(obj),
        index[0],
        index[1],
    )
