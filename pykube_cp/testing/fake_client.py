"""An API in memory, for tests of what works through a client.

It keeps objects as the API server does: names are generated, uids, versions and generations given,
stale updates refused, finalizers and graceful deletion respected, ``status`` written on its own,
watches ordered and resumable. It knows no defaults, no validation and no admission.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from pykube_cp.client.interface import (
    NO_DELETE_OPTIONS,
    NO_OPTIONS,
    DeleteOptions,
    EventType,
    ObjectList,
    PatchType,
    Propagation,
    RawResponse,
    WatchEvent,
    WriteOptions,
)
from pykube_cp.machinery import clock, errors, names, objects
from pykube_cp.machinery.errors import StatusError
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.testing import rules
from pykube_cp.testing.kinds import KNOWN, Known, discovery_document, resource_of
from pykube_cp.testing.patching import apply_patch

_CLEANED_BY_OTHERS = {
    Propagation.FOREGROUND: "foregroundDeletion",
    Propagation.ORPHAN: "orphan",
}


@dataclass(frozen=True, slots=True)
class Action:
    """A write that was asked for, whether or not it succeeded."""

    verb: str
    gvr: GVR
    namespace: str
    name: str
    subresource: str = ""
    body: Any = None


@dataclass(slots=True, eq=False)
class _Watcher:
    gvr: GVR
    namespace: str
    matches: Callable[[Object], bool]
    queue: asyncio.Queue[WatchEvent | StatusError | None] = field(default_factory=asyncio.Queue)


@dataclass(frozen=True, slots=True)
class _Change:
    revision: int
    gvr: GVR
    type: EventType
    object: Object
    previous: Object | None


@dataclass(slots=True)
class _Failure:
    verb: str
    resource: str
    error: Exception
    times: int


class FakeClient:
    """A ``Client`` on objects in memory.

    Attributes:
        actions: all writes so far, in order.
        discoverable: the resources that ``request("GET", "/apis")`` tells of.
    """

    def __init__(self, *seeds: Object) -> None:
        self.actions: list[Action] = []
        self.discoverable: tuple[Known, ...] = KNOWN
        self._objects: dict[GVR, dict[str, Object]] = {}
        self._written: dict[int, tuple[Object, bytes]] = {}
        self._revision = 0
        self._compacted = 0
        self._uids = 0
        self._history: list[_Change] = []
        self._watchers: list[_Watcher] = []
        self._failures: list[_Failure] = []
        for seed in seeds:
            self.seed(seed)

    # What tests use.

    def seed(self, obj: Object) -> Object:
        """Put an object in as it is, status and all; replaces the one of that name."""
        gvr = resource_of(obj)
        stored: Object = objects.deep_copy(obj)
        meta = stored.setdefault("metadata", {})
        old = self._objects.get(gvr, {}).get(objects.key(stored))
        meta.setdefault("uid", objects.uid(old) if old else self._next_uid())
        meta.setdefault("creationTimestamp", clock.timestamp())
        if "spec" in stored:
            meta.setdefault("generation", 1)
        return self._store(gvr, stored, old)

    def remove(self, gvr: GVR, name: str, namespace: str = "") -> None:
        """Take an object away at once, as if the last finalizer were gone."""
        self._drop(gvr, self._find(gvr, name, namespace))

    def fail(self, verb: str, resource: str, error: Exception, times: int = 1) -> None:
        """Let the next requests of this kind fail.

        ``resource`` is as in ``pods`` or ``pods/status``, ``*`` for any; likewise ``verb``.
        """
        self._failures.append(_Failure(verb, resource, error, times))

    def compact(self) -> None:
        """Forget the history: watches from before now are answered with 410."""
        self._compacted = self._revision
        self._history.clear()

    def break_watches(self, error: StatusError | None = None) -> None:
        """End all watches, with an error or as if their time were over."""
        for watcher in self._watchers:
            watcher.queue.put_nowait(error)

    def all(self, gvr: GVR) -> list[Object]:
        """All objects of a resource, by key."""
        return [obj for _, obj in sorted(self._objects.get(gvr, {}).items())]

    def find(self, gvr: GVR, name: str, namespace: str = "") -> Object | None:
        return self._objects.get(gvr, {}).get(objects.join_key(namespace, name))

    def writes(self, *verbs: str, resource: str = "") -> list[Action]:
        """Actions of these verbs (all if none), of one resource if given."""
        return [
            action
            for action in self.actions
            if (not verbs or action.verb in verbs)
            and (not resource or action.gvr.resource == resource)
        ]

    def verify(self) -> None:
        """Assert that nobody changed an object that was handed out: they are read-only."""
        for obj, written in self._written.values():
            assert orjson.dumps(obj) == written, f"{objects.key(obj)} was changed in place"

    # Reading

    async def get(
        self, gvr: GVR, name: str, namespace: str = "", *, subresource: str = ""
    ) -> Object:
        await self._begin("get", gvr, subresource)
        return self._find(gvr, name, namespace)

    async def list(
        self,
        gvr: GVR,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        limit: int = 0,
        continue_: str = "",
    ) -> ObjectList:
        await self._begin("list", gvr)
        matches = rules.matcher(label_selector, field_selector)
        found = [
            (key, obj)
            for key, obj in sorted(self._objects.get(gvr, {}).items())
            if key > continue_ and rules.is_in(obj, namespace) and matches(obj)
        ]
        page = found[:limit] if limit else found
        more = page[-1][0] if len(page) < len(found) else ""
        remaining = len(found) - len(page) if more else None
        return ObjectList([obj for _, obj in page], str(self._revision), more, remaining)

    @asynccontextmanager
    async def watch(
        self,
        gvr: GVR,
        namespace: str = "",
        *,
        resource_version: str = "",
        label_selector: str = "",
        field_selector: str = "",
        send_initial_events: bool | None = None,
        timeout_seconds: int | None = None,
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        await self._begin("watch", gvr)
        watcher = _Watcher(gvr, namespace, rules.matcher(label_selector, field_selector))
        since = int(resource_version or 0)
        if send_initial_events or (send_initial_events is None and since == 0):
            self._send_all(watcher, with_end=bool(send_initial_events))
        elif since < self._compacted:
            watcher.queue.put_nowait(rules.too_old(since, self._compacted))
        else:
            for change in self._history:
                if change.revision > since:
                    self._send(watcher, change)
        self._watchers.append(watcher)
        try:
            yield _events(watcher.queue, timeout_seconds)
        finally:
            self._watchers.remove(watcher)

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> RawResponse:
        if method == "GET" and path in {"/api", "/apis"}:
            document = discovery_document(self.discoverable, core=path == "/api")
            return RawResponse(200, orjson.dumps(document))
        return RawResponse(404, b"404 page not found")

    # Writing

    async def create(
        self,
        gvr: GVR,
        obj: Object,
        namespace: str = "",
        *,
        name: str = "",
        subresource: str = "",
        options: WriteOptions = NO_OPTIONS,
    ) -> Object:
        await self._begin("create", gvr, subresource)
        self._act("create", gvr, namespace, name or objects.name(obj), subresource, obj)
        if subresource:
            return self._create_in(gvr, obj, self._find(gvr, name, namespace), subresource)
        created = self._prepare_create(obj, namespace)
        if self.find(gvr, objects.name(created), namespace) is not None:
            raise errors.already_exists((gvr.group, gvr.resource), objects.name(created))
        return created if options.dry_run else self._store(gvr, created, None)

    def _prepare_create(self, obj: Object, namespace: str) -> Object:
        created: Object = objects.deep_copy(obj)
        created.pop("status", None)
        meta = created.setdefault("metadata", {})
        if namespace:
            meta["namespace"] = namespace
        if not meta.get("name"):
            meta["name"] = names.generate_name(meta.get("generateName", ""))
        meta["uid"] = self._next_uid()
        meta["creationTimestamp"] = clock.timestamp()
        if "spec" in created:
            meta["generation"] = 1
        return created

    def _create_in(self, gvr: GVR, obj: Object, parent: Object, subresource: str) -> Object:
        changed: Object = objects.deep_copy(parent)
        if subresource == "binding":
            if changed["spec"].get("nodeName"):
                name = objects.name(parent)
                text = f"pod {name} is already assigned to node"
                raise errors.conflict(("", "pods/binding"), name, text)
            changed["spec"]["nodeName"] = obj["target"]["name"]
            self._store(gvr, changed, parent)
        elif subresource == "eviction":
            self._delete(gvr, parent, NO_DELETE_OPTIONS)
        elif subresource == "token":
            expires = clock.format_time(clock.now() + obj["spec"].get("expirationSeconds", 3600))
            status = {"token": f"token-of-{objects.name(parent)}", "expirationTimestamp": expires}
            return {**obj, "status": status}
        else:
            raise errors.method_not_supported((gvr.group, gvr.resource), "create")
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}

    async def update(
        self,
        gvr: GVR,
        obj: Object,
        *,
        subresource: str = "",
        options: WriteOptions = NO_OPTIONS,
    ) -> Object:
        await self._begin("update", gvr, subresource)
        name, namespace = objects.name(obj), objects.namespace(obj)
        self._act("update", gvr, namespace, name, subresource, obj)
        return self._replace(gvr, obj, self._find(gvr, name, namespace), subresource, options)

    async def patch(
        self,
        gvr: GVR,
        name: str,
        patch: Any,
        patch_type: PatchType,
        namespace: str = "",
        *,
        subresource: str = "",
        options: WriteOptions = NO_OPTIONS,
    ) -> Object:
        await self._begin("patch", gvr, subresource)
        self._act("patch", gvr, namespace, name, subresource, patch)
        old = self._find(gvr, name, namespace)
        patched = apply_patch(old, patch, patch_type)
        rules.check_uid_kept(old, patched)
        return self._replace(gvr, patched, old, subresource, options)

    def _replace(
        self, gvr: GVR, obj: Object, old: Object, subresource: str, options: WriteOptions
    ) -> Object:
        rules.check_preconditions(gvr, old, objects.uid(obj), objects.resource_version(obj))
        new = rules.take_over(old, objects.deep_copy(obj), subresource)
        if new == old or options.dry_run:
            return old if new == old else new
        if new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] = objects.metadata(old).get("generation", 0) + 1
        if objects.is_deleting(new) and rules.is_finished(gvr, new):
            return self._drop(gvr, new)
        return self._store(gvr, new, old)

    async def delete(
        self,
        gvr: GVR,
        name: str,
        namespace: str = "",
        *,
        options: DeleteOptions = NO_DELETE_OPTIONS,
    ) -> Object:
        await self._begin("delete", gvr)
        self._act("delete", gvr, namespace, name, "", options)
        return self._delete(gvr, self._find(gvr, name, namespace), options)

    async def delete_collection(
        self,
        gvr: GVR,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        options: DeleteOptions = NO_DELETE_OPTIONS,
    ) -> None:
        await self._begin("deletecollection", gvr)
        self._act("deletecollection", gvr, namespace, "", "", options)
        matches = rules.matcher(label_selector, field_selector)
        for obj in self.all(gvr):
            if rules.is_in(obj, namespace) and matches(obj):
                self._delete(gvr, obj, options)

    def _delete(self, gvr: GVR, old: Object, options: DeleteOptions) -> Object:
        rules.check_preconditions(gvr, old, options.uid, options.resource_version)
        if options.dry_run:
            return old
        new: Object = objects.deep_copy(old)
        grace = rules.grace_period(gvr, old, options)
        finalizer = _CLEANED_BY_OTHERS.get(options.propagation or Propagation.BACKGROUND)
        if finalizer and finalizer not in objects.finalizers(old):
            new["metadata"]["finalizers"] = [*objects.finalizers(old), finalizer]
        if not grace and rules.is_finished(gvr, rules.without_grace(new)):
            return self._drop(gvr, old)
        rules.mark_deleted(gvr, new, grace)
        return old if new == old else self._store(gvr, new, old)

    # Keeping

    async def _begin(self, verb: str, gvr: GVR, subresource: str = "") -> None:
        # A request takes a turn of the loop, so that others can come in between.
        await asyncio.sleep(0)
        resource = f"{gvr.resource}/{subresource}" if subresource else gvr.resource
        for failure in self._failures:
            if failure.verb in {verb, "*"} and failure.resource in {resource, "*"}:
                failure.times -= 1
                if not failure.times:
                    self._failures.remove(failure)
                raise failure.error

    def _act(
        self, verb: str, gvr: GVR, namespace: str, name: str, subresource: str, body: Any
    ) -> None:
        kept = body if isinstance(body, DeleteOptions) else objects.deep_copy(body)
        self.actions.append(Action(verb, gvr, namespace, name, subresource, kept))

    def _next_uid(self) -> str:
        self._uids += 1
        return f"00000000-0000-4000-8000-{self._uids:012d}"

    def _find(self, gvr: GVR, name: str, namespace: str) -> Object:
        found = self.find(gvr, name, namespace)
        if found is None:
            raise errors.not_found((gvr.group, gvr.resource), name)
        return found

    def _store(self, gvr: GVR, obj: Object, old: Object | None) -> Object:
        self._objects.setdefault(gvr, {})[objects.key(obj)] = obj
        self._note(gvr, EventType.MODIFIED if old else EventType.ADDED, obj, old)
        return obj

    def _drop(self, gvr: GVR, old: Object) -> Object:
        last: Object = objects.deep_copy(old)
        previous = self._objects[gvr].pop(objects.key(old))
        self._note(gvr, EventType.DELETED, last, previous)
        return last

    def _note(self, gvr: GVR, kind: EventType, obj: Object, previous: Object | None) -> None:
        self._revision += 1
        obj["metadata"]["resourceVersion"] = str(self._revision)
        self._written[id(obj)] = (obj, orjson.dumps(obj))
        change = _Change(self._revision, gvr, kind, obj, previous)
        self._history.append(change)
        for watcher in self._watchers:
            self._send(watcher, change)

    def _send(self, watcher: _Watcher, change: _Change) -> None:
        if watcher.gvr != change.gvr or not rules.is_in(change.object, watcher.namespace):
            return
        matches = change.type is not EventType.DELETED and watcher.matches(change.object)
        matched = change.previous is not None and watcher.matches(change.previous)
        if matches:
            kind = EventType.MODIFIED if matched else EventType.ADDED
            watcher.queue.put_nowait(WatchEvent(kind, change.object))
        elif matched:
            watcher.queue.put_nowait(WatchEvent(EventType.DELETED, change.object))

    def _send_all(self, watcher: _Watcher, *, with_end: bool) -> None:
        for obj in self.all(watcher.gvr):
            if rules.is_in(obj, watcher.namespace) and watcher.matches(obj):
                watcher.queue.put_nowait(WatchEvent(EventType.ADDED, obj))
        if with_end:
            meta = {
                "resourceVersion": str(self._revision),
                "annotations": {"k8s.io/initial-events-end": "true"},
            }
            watcher.queue.put_nowait(WatchEvent(EventType.BOOKMARK, {"metadata": meta}))


async def _events(
    queue: asyncio.Queue[WatchEvent | StatusError | None], timeout_seconds: int | None
) -> AsyncIterator[WatchEvent]:
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_seconds if timeout_seconds else None
    while True:
        try:
            async with asyncio.timeout_at(end):
                event = await queue.get()
        except TimeoutError:
            return
        if event is None:
            return
        if isinstance(event, StatusError):
            raise event
        yield event
