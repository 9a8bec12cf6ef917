"""What a scheduler plugin is: the contract between the cycle and the pages in ``plugins/``.

A plugin inherits from the extension points it serves. For one pod they are called in this order::

    pre_enqueue            may the pod be tried at all
    pre_filter             once: compute what the filter needs, or reject, or bow out with SKIP
    filter                 which of these nodes fit; all nodes at once, as a vector
    post_filter            nothing fits: make room
    pre_score, score, normalize    how good the nodes that fit are; again vectors
    reserve, permit        the node is chosen; hold what it takes, or say no, or ask to wait
    pre_bind, bind, post_bind      write; the only steps that may await
    unreserve              something after reserve failed: undo it

Everything up to ``permit`` runs synchronously between two awaits, so the snapshot does not change
meanwhile. An exception out of a plugin is an error of the attempt: the pod is tried again.
"""

# upstream: kube-scheduler framework/interface.go

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar

from pykube_cp.scheduler.events import EVERY_EVENT, EventHint
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.vectors import IntVector, Rows

if TYPE_CHECKING:
    from pykube_cp.scheduler.diagnosis import NodeStatuses
    from pykube_cp.scheduler.handle import Handle
    from pykube_cp.scheduler.queue_parts import QueuedPod

MAX_NODE_SCORE = 100

_State = TypeVar("_State")


class Code(IntEnum):
    """How a step ended, where it did not simply succeed; SUCCESS only to say something with it."""

    SUCCESS = 0
    ERROR = 1
    UNSCHEDULABLE = 2
    UNSCHEDULABLE_AND_UNRESOLVABLE = 3
    WAIT = 4
    SKIP = 5
    PENDING = 6


_REJECTED = frozenset({Code.UNSCHEDULABLE, Code.UNSCHEDULABLE_AND_UNRESOLVABLE, Code.PENDING})


@dataclass(frozen=True, slots=True)
class Status:
    """Why a step did not succeed; success is None.

    ``UNSCHEDULABLE_AND_UNRESOLVABLE`` means that removing pods would not help either.
    """

    code: Code
    reasons: tuple[str, ...] = ()
    plugin: str = ""
    error: Exception | None = None

    @property
    def message(self) -> str:
        return ", ".join(self.reasons)

    @property
    def is_rejected(self) -> bool:
        return self.code in _REJECTED

    def by(self, plugin: str) -> "Status":
        """The same, said by ``plugin``."""
        return replace(self, plugin=plugin)


SKIP = Status(Code.SKIP)


def unschedulable(*reasons: str) -> Status:
    return Status(Code.UNSCHEDULABLE, reasons)


def unresolvable(*reasons: str) -> Status:
    return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, reasons)


def error_status(text: str, error: Exception | None = None) -> Status:
    return Status(Code.ERROR, (text,), error=error)


@dataclass(slots=True)
class CycleState:
    """What plugins note about one pod for the steps that follow.

    Each plugin keeps what it computed under its own type: ``state.put(FitState(...))``, later
    ``state.get(FitState)``.
    """

    pod: PodInfo
    skip_filter: set[str] = field(default_factory=set)
    skip_score: set[str] = field(default_factory=set)
    skip_pre_bind: set[str] = field(default_factory=set)
    _data: dict[type, Any] = field(default_factory=dict)

    def put(self, data: object) -> None:
        self._data[type(data)] = data

    def get(self, kind: type[_State]) -> _State:
        found: _State = self._data[kind]
        return found

    def find(self, kind: type[_State]) -> _State | None:
        return self._data.get(kind)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """A filter's answer: per row 0 if the node fits, else a code that ``status`` explains."""

    codes: IntVector
    status: Callable[[int], Status]


def verdicts(codes: IntVector, statuses: Sequence[Status]) -> Verdicts | None:
    """Verdicts whose code ``n`` is ``statuses[n - 1]``; None if every node fits."""
    if not codes.any():
        return None
    return Verdicts(codes, lambda code: statuses[code - 1])


@dataclass(frozen=True, slots=True)
class NominatingInfo:
    """What is to become of the pod's nominated node; ``""`` clears it."""

    node_name: str


CLEAR_NOMINATION = NominatingInfo("")

SortKey: TypeAlias = tuple[Any, ...]
Arguments: TypeAlias = Mapping[str, Any]


class Plugin(ABC):
    """Common to all plugins. ``arguments`` are those of the profile, as upstream spells them."""

    name: ClassVar[str]

    def __init__(self, handle: "Handle", arguments: Arguments) -> None:
        self.handle = handle
        self.arguments = arguments

    def events_to_register(self) -> tuple[EventHint, ...]:
        """Events that may make a pod schedulable which this plugin rejected."""
        return EVERY_EVENT if isinstance(self, _REJECTORS) else ()


class PreEnqueuePlugin(Plugin):
    """Keeps a pod out of the queue until some event."""

    @abstractmethod
    def pre_enqueue(self, pod: PodInfo) -> Status | None: ...


class QueueSortPlugin(Plugin):
    """Orders the queue; a profile has exactly one."""

    @abstractmethod
    def sort_key(self, queued: "QueuedPod") -> SortKey:
        """Smaller goes first."""


class PreFilterPlugin(Plugin):
    """Prepares the filter of the same plugin, and follows pods that are put or removed on trial."""

    follows_pods: ClassVar[bool] = False

    @abstractmethod
    def pre_filter(self, state: CycleState) -> Status | set[str] | None:
        """A rejection, SKIP, the names of the only nodes that come into question, or None."""

    def add_pod(self, state: CycleState, pod: PodInfo, row: int) -> None:
        """Account for ``pod`` as if it ran on ``row``; called if ``follows_pods``."""

    def remove_pod(self, state: CycleState, pod: PodInfo, row: int) -> None:
        """Account for ``pod`` as if it no longer ran on ``row``; called if ``follows_pods``."""


class FilterPlugin(Plugin):
    """Says which nodes fit."""

    @abstractmethod
    def filter(self, state: CycleState, rows: Rows) -> Verdicts | None:
        """One verdict per row; None if all fit."""


class PostFilterPlugin(Plugin):
    """Tries to make room where nothing fits."""

    @abstractmethod
    def post_filter(
        self, state: CycleState, statuses: "NodeStatuses"
    ) -> tuple[NominatingInfo | None, Status | None]:
        """A node that will have room, or why there is none; either may be commented on."""


class PreScorePlugin(Plugin):
    """Prepares the score of the same plugin."""

    @abstractmethod
    def pre_score(self, state: CycleState, rows: Rows) -> Status | None:
        """``rows`` are the nodes that fit; SKIP leaves the plugin out of scoring."""


class ScorePlugin(Plugin):
    """Says how good nodes are."""

    @abstractmethod
    def score(self, state: CycleState, rows: Rows) -> IntVector:
        """One number per row, higher is better; after ``normalize`` from 0 to 100."""

    def normalize(self, state: CycleState, scores: IntVector) -> IntVector:
        return scores


class ReservePlugin(Plugin):
    """Holds in memory what the pod will take."""

    @abstractmethod
    def reserve(self, state: CycleState, pod: PodInfo, node: str) -> Status | None: ...

    @abstractmethod
    def unreserve(self, state: CycleState, pod: PodInfo, node: str) -> None: ...


class PermitPlugin(Plugin):
    """Has the last word before binding."""

    @abstractmethod
    def permit(self, state: CycleState, pod: PodInfo, node: str) -> tuple[Status | None, float]:
        """None, a rejection, or ``WAIT`` with the longest time to wait in seconds."""


class PreBindPlugin(Plugin):
    """Writes what must be there before the pod is bound."""

    @abstractmethod
    def pre_bind_pre_flight(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        """SKIP if ``pre_bind`` will have nothing to do."""

    @abstractmethod
    async def pre_bind(self, state: CycleState, pod: PodInfo, node: str) -> Status | None: ...


class BindPlugin(Plugin):
    """Binds the pod."""

    @abstractmethod
    async def bind(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        """SKIP leaves it to the next plugin."""


class PostBindPlugin(Plugin):
    """Is told that the pod is bound."""

    @abstractmethod
    def post_bind(self, state: CycleState, pod: PodInfo, node: str) -> None: ...


_REJECTORS = (PreEnqueuePlugin, PreFilterPlugin, FilterPlugin, ReservePlugin, PermitPlugin)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the catalogue. ``weight`` multiplies the score; 0 for plugins that do not score.

    A profile that does not name the plugin has it only if it is there ``by_default``.
    """

    factory: type[Plugin]
    weight: int = 0
    by_default: bool = True

    @property
    def name(self) -> str:
        return self.factory.name
