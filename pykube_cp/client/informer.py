"""Caches kept current by watching, shared by everyone in a process.

One informer per resource keeps all its objects (``lister``) and tells handlers of each change, in
order, synchronously: a handler notes what it needs (puts a key on a queue) and returns. Objects are
read-only.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pykube_cp.client.interface import Client, EventType, WatchEvent
from pykube_cp.client.lister import IndexFunction, Lister
from pykube_cp.client.reflector import Reflector, Selection
from pykube_cp.machinery import objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

log = logging.getLogger(__name__)

Transform: TypeAlias = Callable[[Object], Object]


class Handler(Protocol):
    """Is told of changes; an object already there when it joins counts as added."""

    def on_add(self, obj: Object) -> None: ...

    def on_update(self, old: Object, new: Object) -> None: ...

    def on_delete(self, obj: Object) -> None:
        """``obj`` is the last state known, which after a broken watch may be an older one."""
        ...


def ignore(*_objects: Object) -> None:
    """What a handler does with changes that it does not care about."""


@dataclass(slots=True, eq=False)
class Registration:
    """A handler of an informer; ``remove`` ends it."""

    informer: "SharedInformer"
    add: Callable[[Object], None]
    update: Callable[[Object, Object], None]
    delete: Callable[[Object], None]

    def remove(self) -> None:
        """Be told of nothing more; a second time it does nothing."""
        self.informer.remove(self)


def trim_managed_fields(obj: Object) -> Object:
    """A transform: without ``managedFields``, which controllers never read."""
    # upstream: cmd/kube-controller-manager/app/controllermanager.go CreateControllerContext
    meta = objects.metadata(obj)
    if "managedFields" not in meta:
        return obj
    trimmed = {name: value for name, value in meta.items() if name != "managedFields"}
    return {**obj, "metadata": trimmed}


class SharedInformer:
    """The objects of one resource, kept current while ``run`` runs.

    Attributes:
        lister: what is known.
        synced: whether the first list has arrived; handlers have seen all of it by then.
    """

    def __init__(
        self,
        client: Client,
        gvr: GVR,
        namespace: str = "",
        *,
        selection: Selection | None = None,
        transform: Transform | None = None,
        indexers: Mapping[str, IndexFunction] | None = None,
    ) -> None:
        self.gvr = gvr
        self.lister = Lister()
        self._transform = transform
        self._registrations: list[Registration] = []
        self._synced = asyncio.Event()
        self._reflector = Reflector(client, gvr, self, namespace, selection or Selection())
        for name, values_of in (indexers or {}).items():
            self.lister.add_index(name, values_of)

    @property
    def synced(self) -> bool:
        return self._synced.is_set()

    async def wait_synced(self) -> None:
        """Return once the first list has arrived."""
        await self._synced.wait()

    @property
    def resource_version(self) -> str:
        """How far it has come: the version last seen, also by bookmarks."""
        return self._reflector.resource_version

    def add_index(self, name: str, values_of: IndexFunction) -> None:
        """Add an index to the lister, at any time."""
        self.lister.add_index(name, values_of)

    def on(
        self,
        add: Callable[[Object], None] = ignore,
        update: Callable[[Object, Object], None] = ignore,
        delete: Callable[[Object], None] = ignore,
    ) -> Registration:
        """Call these functions for changes from now on, and ``add`` for what is already there."""
        registration = Registration(self, add, update, delete)
        for obj in self.lister.list():
            self._call(registration.add, obj)
        self._registrations.append(registration)
        return registration

    def add_handler(self, handler: Handler) -> Registration:
        """As ``on``, with an object that has the three methods."""
        return self.on(handler.on_add, handler.on_update, handler.on_delete)

    def remove(self, registration: Registration) -> None:
        if registration in self._registrations:
            self._registrations.remove(registration)

    async def run(self) -> None:
        """List and watch until cancelled, whatever the server does."""
        await self._reflector.run()

    # What follows is called by the reflector.

    def replace(self, items: Iterable[Object]) -> None:
        """These are all objects there are; tells handlers only of differences."""
        present: set[str] = set()
        for item in items:
            present.add(objects.key(item))
            self._put(item)
        for key in [key for key in self.lister.keys() if key not in present]:  # noqa: SIM118 - Lister iterates over objects
            self._remove(key)
        self._synced.set()

    def apply(self, event: WatchEvent) -> None:
        """One change of a watch."""
        if event.type is EventType.DELETED:
            self._remove(objects.key(event.object), event.object)
        else:
            self._put(event.object)

    def _put(self, obj: Object) -> None:
        if self._transform is not None:
            obj = self._transform(obj)
        old = self.lister.get(objects.key(obj))
        if old is None:
            self.lister.put(obj)
            for registration in self._each():
                self._call(registration.add, obj)
            return
        if objects.resource_version(old) == objects.resource_version(obj):
            return
        self.lister.put(obj)
        if objects.uid(old) != objects.uid(obj):
            # Deleted and created again while nobody watched: two objects, so two changes.
            self._tell_replaced(old, obj)
            return
        for registration in self._each():
            self._call(registration.update, old, obj)

    def _tell_replaced(self, old: Object, new: Object) -> None:
        for registration in self._each():
            self._call(registration.delete, old)
            self._call(registration.add, new)

    def _remove(self, key: str, last: Object | None = None) -> None:
        known = self.lister.remove(key)
        if known is None:
            return
        if last is not None and self._transform is not None:
            last = self._transform(last)
        for registration in self._each():
            self._call(registration.delete, last if last is not None else known)

    def _each(self) -> Iterator[Registration]:
        """The handlers as they are now: one may remove itself or others on the way."""
        return iter(tuple(self._registrations))

    def _call(self, function: Callable[..., None], *args: Object) -> None:
        try:
            function(*args)
        except Exception:
            # One bad handler must not keep the change from the others.
            log.exception("handler of %s failed for %s", self.gvr.resource, objects.key(args[-1]))


class Informers:
    """One informer per resource, made on first demand, all run together by ``run``."""

    def __init__(
        self, client: Client, *, transform: Transform | None = trim_managed_fields
    ) -> None:
        self._client = client
        self._transform = transform
        self._informers: dict[GVR, SharedInformer] = {}
        self._tasks: dict[GVR, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    def of(self, gvr: GVR) -> SharedInformer:
        """The informer of a resource in all namespaces; it starts at once if the others run."""
        informer = self._informers.get(gvr)
        if informer is None:
            informer = SharedInformer(self._client, gvr, transform=self._transform)
            self._informers[gvr] = informer
            self._start(informer)
        return informer

    def __contains__(self, gvr: GVR) -> bool:
        """Whether the resource has an informer already."""
        return gvr in self._informers

    def lister(self, gvr: GVR) -> Lister:
        return self.of(gvr).lister

    def _start(self, informer: SharedInformer) -> None:
        if self._group is not None:
            name = f"informer {informer.gvr.group_resource}"
            self._tasks[informer.gvr] = self._group.create_task(informer.run(), name=name)

    def discard(self, gvr: GVR) -> None:
        """Stop and forget an informer, of a resource that is no longer served."""
        self._informers.pop(gvr, None)
        task = self._tasks.pop(gvr, None)
        if task is not None:
            task.cancel()

    def unsynced(self) -> list[GVR]:
        """The resources whose first list has not come yet."""
        return [gvr for gvr, informer in self._informers.items() if not informer.synced]

    async def wait_synced(self, gvrs: Iterable[GVR] | None = None) -> None:
        """Return once these informers, or all there are now, have their first list."""
        for gvr in tuple(self._informers) if gvrs is None else gvrs:
            await self.of(gvr).wait_synced()

    async def run(self) -> None:
        """Keep all informers current until cancelled, also those made later."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for informer in tuple(self._informers.values()):
                    self._start(informer)
                await asyncio.Event().wait()
            finally:
                self._group = None
                self._tasks.clear()
