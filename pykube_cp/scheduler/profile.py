"""The plugins of one scheduler name, and how each extension point is run."""

# upstream: pkg/scheduler/framework/runtime/framework.go

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pykube_cp.config import SchedulerProfile
from pykube_cp.scheduler.diagnosis import NodeStatuses
from pykube_cp.scheduler.handle import Handle
from pykube_cp.scheduler.interface import (
    MAX_NODE_SCORE,
    BindPlugin,
    Code,
    CycleState,
    Entry,
    FilterPlugin,
    NominatingInfo,
    PermitPlugin,
    Plugin,
    PostBindPlugin,
    PostFilterPlugin,
    PreBindPlugin,
    PreEnqueuePlugin,
    PreFilterPlugin,
    PreScorePlugin,
    QueueSortPlugin,
    ReservePlugin,
    ScorePlugin,
    Status,
    Verdicts,
    error_status,
    unresolvable,
    unschedulable,
)
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.vectors import IntVector, Rows, zeros

_Result = TypeVar("_Result")


# How errors of each extension point read.
_PRE_FILTER = 'running PreFilter plugin "{}": {}'
_FILTER = 'running "{}" filter plugin: {}'
_PRE_SCORE = 'running PreScore plugin "{}": {}'
_SCORE = 'running Score plugins: plugin "{}" failed with: {}'
_NORMALIZE = 'running Normalize on Score plugins: plugin "{}" failed with: {}'
_RESERVE = 'running Reserve plugin "{}": {}'
_PERMIT = 'running Permit plugin "{}": {}'
_PRE_FLIGHT = 'running PreBindPreFlight "{}": {}'
_PRE_BIND = 'running PreBind plugin "{}": {}'
_BIND = 'running Bind plugin "{}": {}'


_FINAL = frozenset({Code.SUCCESS, Code.UNSCHEDULABLE_AND_UNRESOLVABLE})


class PluginError(Exception):
    """A plugin failed; the attempt is an error, not a rejection."""


@dataclass(frozen=True, slots=True)
class PreFilterOutcome:
    """What all pre-filters together say: a rejection, or the only nodes that matter."""

    rejection: Status | None = None
    node_names: set[str] | None = None
    limiting_plugins: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Rejection:
    """Nodes that got as far as ``plugin``, and what it said about them."""

    plugin: str
    rows: Rows
    verdicts: Verdicts


class Profile:
    """One set of plugins."""

    def __init__(self, config: SchedulerProfile, catalog: Iterable[Entry], handle: Handle) -> None:
        self.name = config.scheduler_name
        self.percentage_of_nodes_to_score = config.percentage_of_nodes_to_score
        self.handle = handle
        self.plugins: list[Plugin] = []
        self._weights: dict[str, int] = {}
        for entry, weight in _chosen(config, catalog):
            self.plugins.append(entry.factory(handle, config.arguments.get(entry.name, {})))
            self._weights[entry.name] = weight
        self.pre_enqueue: list[PreEnqueuePlugin] = self._at(PreEnqueuePlugin)
        self.queue_sort: QueueSortPlugin = self._at(QueueSortPlugin)[0]
        self._pre_filters: list[PreFilterPlugin] = self._at(PreFilterPlugin)
        self._filters: list[FilterPlugin] = self._at(FilterPlugin)
        self._followers = [plugin for plugin in self._pre_filters if plugin.follows_pods]
        self._post_filters: list[PostFilterPlugin] = self._at(PostFilterPlugin)
        self._pre_scores: list[PreScorePlugin] = self._at(PreScorePlugin)
        self._scores: list[ScorePlugin] = self._at(ScorePlugin)
        self._reserves: list[ReservePlugin] = self._at(ReservePlugin)
        self._permits: list[PermitPlugin] = self._at(PermitPlugin)
        self._pre_binds: list[PreBindPlugin] = self._at(PreBindPlugin)
        self._binds: list[BindPlugin] = self._at(BindPlugin)
        self._post_binds: list[PostBindPlugin] = self._at(PostBindPlugin)

    def _at(self, point: type[Any]) -> list[Any]:
        return [plugin for plugin in self.plugins if isinstance(plugin, point)]

    # Finding nodes.

    def run_pre_filters(self, state: CycleState) -> PreFilterOutcome:
        """Let each plugin prepare; those that bow out are left out of filtering."""
        names: set[str] | None = None
        limiting: set[str] = set()
        rejection: Status | None = None
        for plugin in self._pre_filters:
            result = _guarded(_PRE_FILTER, plugin, plugin.pre_filter, state)
            if isinstance(result, Status):
                if result.code is Code.SKIP:
                    state.skip_filter.add(plugin.name)
                    continue
                if result.code is Code.UNSCHEDULABLE_AND_UNRESOLVABLE:
                    return PreFilterOutcome(result.by(plugin.name))
                if result.code is not Code.UNSCHEDULABLE:
                    raise _error(_PRE_FILTER, plugin, result.message)
                rejection = result.by(plugin.name)
            elif result is not None:
                limiting.add(plugin.name)
                names = result if names is None else names & result
                if not names:
                    return PreFilterOutcome(_no_common_node(limiting), names, limiting)
        return PreFilterOutcome(rejection, names, limiting)

    def run_filters(self, state: CycleState, rows: Rows) -> tuple[Rows, list[Rejection]]:
        """Nodes that fit, and the rejections of the others, each by the first plugin to object."""
        rejections: list[Rejection] = []
        for plugin in self._filters:
            if plugin.name in state.skip_filter:
                continue
            if not len(rows):
                break
            found = _guarded(_FILTER, plugin, plugin.filter, state, rows)
            if found is not None:
                rejections.append(Rejection(plugin.name, rows, found))
                rows = rows[found.codes == 0]
        return rows, rejections

    def put(self, state: CycleState, pod: PodInfo, row: int) -> None:
        """As if ``pod`` ran on ``row``, for the snapshot and for what plugins have computed."""
        self.handle.snapshot.put(pod, row)
        for plugin in self._following(state):
            plugin.add_pod(state, pod, row)

    def take(self, state: CycleState, pod: PodInfo, row: int) -> None:
        """As if ``pod`` did not run on ``row``."""
        self.handle.snapshot.take(pod, row)
        for plugin in self._following(state):
            plugin.remove_pod(state, pod, row)

    def _following(self, state: CycleState) -> Iterator[PreFilterPlugin]:
        return (plugin for plugin in self._followers if plugin.name not in state.skip_filter)

    def run_post_filters(
        self, state: CycleState, statuses: NodeStatuses
    ) -> tuple[NominatingInfo | None, Status | None]:
        """The first plugin that makes room, or what all of them say."""
        nomination: NominatingInfo | None = None
        reasons: list[str] = []
        for plugin in self._post_filters:
            try:
                info, status = plugin.post_filter(state, statuses)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises
                return None, error_status(str(error), error).by(plugin.name)
            if status is None or status.code in _FINAL:
                return info, status
            if not status.is_rejected:
                return None, status
            nomination = info if info is not None else nomination
            reasons.extend(status.reasons)
        return nomination, unschedulable(*reasons)

    @property
    def has_post_filters(self) -> bool:
        return bool(self._post_filters)

    # Choosing among nodes.

    def run_scores(self, state: CycleState, rows: Rows) -> IntVector:
        """Weighted sum of all scores."""
        for pre_score in self._pre_scores:
            status = _guarded(_PRE_SCORE, pre_score, pre_score.pre_score, state, rows)
            if status is not None:
                if status.code is not Code.SKIP:
                    raise _error(_PRE_SCORE, pre_score, status.message)
                state.skip_score.add(pre_score.name)
        total = zeros(len(rows))
        for plugin in self._scores:
            if plugin.name in state.skip_score:
                continue
            scores = _guarded(_SCORE, plugin, plugin.score, state, rows)
            scores = _guarded(_NORMALIZE, plugin, plugin.normalize, state, scores)
            _check_range(plugin.name, scores)
            total += scores * self._weights[plugin.name]
        return total

    # Taking the node.

    def run_reserves(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        for plugin in self._reserves:
            status = _guarded(_RESERVE, plugin, plugin.reserve, state, pod, node)
            if status is not None:
                return _attributed(_RESERVE, plugin, status)
        return None

    def run_unreserves(self, state: CycleState, pod: PodInfo, node: str) -> None:
        for plugin in reversed(self._reserves):
            plugin.unreserve(state, pod, node)

    def run_permits(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        """None if the pod may go on; it may still have to wait, see ``Handle.waiting``."""
        waits: dict[str, float] = {}
        for plugin in self._permits:
            status, seconds = _guarded(_PERMIT, plugin, plugin.permit, state, pod, node)
            if status is None:
                continue
            if status.code is not Code.WAIT:
                return _attributed(_PERMIT, plugin, status)
            waits[plugin.name] = seconds
        if waits:
            self.handle.waiting.add(pod, waits)
        return None

    # Writing.

    def run_pre_flights(self, state: CycleState, pod: PodInfo, node: str) -> bool:
        """Whether anything has to be written before binding."""
        needed = False
        for plugin in self._pre_binds:
            status = _guarded(_PRE_FLIGHT, plugin, plugin.pre_bind_pre_flight, state, pod, node)
            if status is None:
                needed = True
            elif status.code is Code.SKIP:
                state.skip_pre_bind.add(plugin.name)
            else:
                raise _error(_PRE_FLIGHT, plugin, status.message)
        return needed

    async def run_pre_binds(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        for plugin in self._pre_binds:
            if plugin.name in state.skip_pre_bind:
                continue
            try:
                status = await plugin.pre_bind(state, pod, node)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises
                return _failed(_PRE_BIND, plugin, error)
            if status is not None:
                return _attributed(_PRE_BIND, plugin, status)
        return None

    async def run_binds(self, state: CycleState, pod: PodInfo, node: str) -> Status | None:
        for plugin in self._binds:
            try:
                status = await plugin.bind(state, pod, node)
            except Exception as error:  # noqa: BLE001 - whatever a plugin raises
                return _failed(_BIND, plugin, error)
            if status is None:
                return None
            if status.code is not Code.SKIP:
                return _attributed(_BIND, plugin, status)
        return Status(Code.SKIP)

    def run_post_binds(self, state: CycleState, pod: PodInfo, node: str) -> None:
        for plugin in self._post_binds:
            plugin.post_bind(state, pod, node)


def _chosen(config: SchedulerProfile, catalog: Iterable[Entry]) -> Iterator[tuple[Entry, int]]:
    """Lines of the catalogue that the profile has, with their weights."""
    # upstream: pkg/scheduler/apis/config/v1/default_plugins.go mergePlugins
    disabled = set(config.disabled)
    for entry in catalog:
        if entry.name in config.enabled:
            yield entry, config.enabled[entry.name] or entry.weight or 1
        elif entry.by_default and not disabled & {entry.name, "*"}:
            yield entry, entry.weight


def _no_common_node(plugins: set[str]) -> Status:
    if len(plugins) == 1:
        return unresolvable(f"node(s) didn't satisfy plugin {next(iter(plugins))}")
    names = " ".join(sorted(plugins))
    return unresolvable(f"node(s) didn't satisfy plugin(s) [{names}] simultaneously")


def _check_range(plugin: str, scores: IntVector) -> None:
    if not len(scores):
        return
    lowest, highest = int(scores.min()), int(scores.max())
    if lowest < 0 or highest > MAX_NODE_SCORE:
        score = lowest if lowest < 0 else highest
        raise PluginError(
            f'applying score defaultWeights on Score plugins: plugin "{plugin}" returns an invalid '
            f"score {score}, it should in the range of [0, {MAX_NODE_SCORE}] after normalizing"
        )


def _guarded(text: str, plugin: Plugin, call: Callable[..., _Result], *args: Any) -> _Result:
    """Whatever a plugin raises becomes an error of the attempt that names it."""
    try:
        return call(*args)
    except Exception as error:
        raise _error(text, plugin, error) from error


def _error(text: str, plugin: Plugin, reason: object) -> PluginError:
    return PluginError(text.format(plugin.name, reason))


def _failed(text: str, plugin: Plugin, error: Exception) -> Status:
    return error_status(text.format(plugin.name, error), error)


def _attributed(text: str, plugin: Plugin, status: Status) -> Status:
    """A rejection in the plugin's name; anything else is an error."""
    if status.is_rejected:
        return status.by(plugin.name)
    return error_status(text.format(plugin.name, status.message), status.error)
