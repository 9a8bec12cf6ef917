"""What plugins get to work with."""

import random as random_module
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pykube_cp.client.informer import Informers
from pykube_cp.client.interface import Client
from pykube_cp.machinery import objects
from pykube_cp.machinery.gvk import GVR
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.nominator import Nominator
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.snapshot import Snapshot
from pykube_cp.scheduler.waiting_pods import WaitingPods

if TYPE_CHECKING:
    from pykube_cp.scheduler.profile import Profile


class EventSink(Protocol):
    """As in ``client.recorder``."""

    def event(
        self,
        obj: Object,
        kind: str,
        reason: str,
        message: str,
        *,
        action: str = "",
        related: Object | None = None,
    ) -> object: ...


@dataclass(slots=True)
class Handle:
    """The scheduler as plugins see it.

    Attributes:
        nominator: pods for which room is being made.
        activate: puts pods back into the queue at once, whatever rejected them.
        spawn: runs a coroutine in the background, as long as the scheduler runs.
        profiles: the sets of plugins by scheduler name, complete once the scheduler runs.
        waiting: pods that a permit plugin holds back.
    """

    client: Client
    informers: Informers
    recorder: EventSink
    snapshot: Snapshot
    nominator: Nominator
    activate: Callable[[Iterable[PodInfo]], None]
    spawn: Callable[..., object]
    profiles: dict[str, "Profile"] = field(default_factory=dict)
    waiting: WaitingPods = field(default_factory=WaitingPods)
    random: random_module.Random = field(default_factory=random_module.Random)

    def get(self, gvr: GVR, name: str, namespace: str = "") -> Object | None:
        """What the informer knows under that name."""
        return self.informers.of(gvr).lister.get(objects.join_key(namespace, name))

    def list(self, gvr: GVR, namespace: str = "") -> list[Object]:
        return self.informers.of(gvr).lister.list(namespace)
