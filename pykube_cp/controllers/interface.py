"""What a controller is: the contract between ``manager.py`` and the pages of this folder.

A page exports ``CONTROLLER``. In the common case it names what it watches, which keys a change
concerns, and ``reconcile``, which brings the world in line with one key::

    async def reconcile(ctx: ControllerContext, key: str) -> Result | None:
        owner = ctx.lister(REPLICA_SETS).get(key)
        ...

    CONTROLLER = Controller(
        name="replicaset-controller",
        identity="replicaset-controller",
        watches=(Watch(REPLICA_SETS), Watch(PODS, changed=pod_changed, indexes={...})),
        reconcile=reconcile,
        workers=5,
    )

``reconcile`` is level-based: it looks at the state as it is, not at what happened, and may be
called at any time for any key, also for one that no longer exists. Never twice at once for the same
key. If it raises, the key comes back later, ever later while it keeps failing. It does not wait
inside: it answers ``Result(requeue_after=...)``, and does not poll: changes come by themselves.

Informers, queues, workers, backoff, identity, metrics and stopping belong to the manager.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from pykube_cp.client.expectations import Expectations
from pykube_cp.client.informer import Informers
from pykube_cp.client.interface import Client
from pykube_cp.client.lister import IndexFunction, Lister
from pykube_cp.client.recorder import Recorder
from pykube_cp.client.work_queue import WorkQueue
from pykube_cp.config import ControllerManagerConfig
from pykube_cp.machinery import objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object

MAIN = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What ``reconcile`` asks for: to be called again for the same key after so many seconds.

    To be called again with growing pauses, raise. ``None`` instead of a Result asks for nothing.
    """

    requeue_after: float = 0


@dataclass(slots=True)
class ControllerContext:
    """What one running controller works with.

    Attributes:
        client: acts as the controller's own service account.
        informers: shared by all controllers; objects that come out are read-only.
        recorder: writes events in the controller's name.
        config: settings of the whole controller manager.
        queues: work queues by name; ``MAIN`` is always there.
        expectations: writes whose effect has not come back by the informers yet.
        state: whatever ``setup`` returned.
    """

    client: Client
    informers: Informers
    recorder: Recorder
    config: ControllerManagerConfig
    queues: Mapping[str, WorkQueue]
    expectations: Expectations = field(default_factory=Expectations)
    state: Any = None

    @property
    def queue(self) -> WorkQueue:
        """The main queue, whose keys go to ``Controller.reconcile``."""
        return self.queues[MAIN]

    def lister(self, gvr: GVR) -> Lister:
        """What the informers know of ``gvr``; declare it in ``watches`` or ``reads``."""
        return self.informers.of(gvr).lister


Reconcile: TypeAlias = Callable[[ControllerContext, str], Awaitable[Result | None]]
KeysOf: TypeAlias = Callable[[Object], Iterable[str]]
Changed: TypeAlias = Callable[[ControllerContext, Object | None, Object | None], Iterable[str]]
NO_INDEXES: Mapping[str, IndexFunction] = MappingProxyType({})


def own_key(obj: Object) -> Iterable[str]:
    """``namespace/name`` of the object itself."""
    return (objects.key(obj),)


def controller_key(kind: str, group: str | None = None) -> KeysOf:
    """Keys of the controlling owner, where that is of ``kind`` (and ``group``, unless None)."""

    def keys(obj: Object) -> Iterable[str]:
        ref = objects.controller_of(obj)
        if ref is None or ref.get("kind") != kind:
            return ()
        if group is not None and ref.get("apiVersion", "").rpartition("/")[0] != group:
            return ()
        return (objects.join_key(objects.namespace(obj), ref["name"]),)

    return keys


@dataclass(frozen=True, slots=True)
class Watch:
    """Whose changes wake a controller, and which keys they put on its queue.

    Attributes:
        gvr: what is watched, in all namespaces.
        keys: keys that an object concerns; on an update those of the old and of the new object.
        changed: instead of ``keys``, where more must be known: called as ``changed(ctx, old, new)``
            with ``old=None`` for an addition and ``new=None`` for a deletion, and answers with the
            keys. Called in the order of events, synchronously: it must be quick. It may also
            observe expectations, or put keys on queues itself (``ctx.queue.add_after``).
        queue: the queue the keys go to.
        indexes: further indexes of the informer: name -> values of an object. The same name must
            mean the same function everywhere: prefix it with the controller's name.
    """

    gvr: GVR
    keys: KeysOf = own_key
    changed: Changed | None = None
    queue: str = MAIN
    indexes: Mapping[str, IndexFunction] = field(default_factory=lambda: NO_INDEXES)


@dataclass(frozen=True, slots=True)
class Queue:
    """A further queue besides the main one, with workers of its own."""

    name: str
    reconcile: Reconcile
    workers: int = 1


def always(_config: ControllerManagerConfig) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """One page.

    Attributes:
        name: upstream's name, as in ``facts`` and ``--controllers``: ``deployment-controller``.
        identity: service account in ``kube-system`` that the controller acts as.
        watches: what wakes it.
        reads: what it looks up by listers besides; workers start once all of both are synced.
        reconcile: does the work for one key of the main queue.
        workers: how many keys of the main queue are worked on at once.
        queues: further queues.
        setup: called once, before any event; its result becomes ``ctx.state``. Not awaited: it
            prepares memory and may add handlers by ``ctx.informers.of(gvr).on(...)``.
        run: a coroutine for what does not follow from keys (deadlines, graphs); started when all is
            synced, cancelled at the end, started again after a pause if it fails. May stand beside
            ``reconcile`` or instead of it.
        wanted: whether the configuration asks for this controller at all.
        event_source: component its events name; the controller's name if empty.
        aliases: upstream's older names.
        on_by_default: False for what has to be named in ``--controllers``.
    """

    name: str
    identity: str
    watches: tuple[Watch, ...] = ()
    reads: tuple[GVR, ...] = ()
    reconcile: Reconcile | None = None
    workers: int = 1
    queues: tuple[Queue, ...] = ()
    setup: Callable[[ControllerContext], Any] | None = None
    run: Callable[[ControllerContext], Awaitable[None]] | None = None
    wanted: Callable[[ControllerManagerConfig], bool] = always
    event_source: str = ""
    aliases: tuple[str, ...] = ()
    on_by_default: bool = True
