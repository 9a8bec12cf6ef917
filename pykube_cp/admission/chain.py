"""Admission plugins in order: all mutate, later all validate."""
# upstream: apiserver pkg/admission/chain.go

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from pykube_cp.admission.base import BasePlugin
from pykube_cp.admission.interface import Attributes, Operation, Plugin, Services
from pykube_cp.machinery import clock
from pykube_cp.machinery.metrics import Histogram

# upstream: apiserver pkg/admission/metrics/metrics.go; plugins are measured where they are asked
_BOUNDS = (0.005, 0.025, 0.1, 0.5, 1.0, 2.5)
STEPS = Histogram(
    "apiserver_admission_step_admission_duration_seconds",
    "[STABLE] Admission sub-step latency histogram in seconds, broken out for each operation and API "
    "resource and step type (validate or admit).",
    _BOUNDS,
    ("operation", "rejected", "type"),
)
CONTROLLERS = Histogram(
    "apiserver_admission_controller_admission_duration_seconds",
    "[STABLE] Admission controller latency histogram in seconds, identified by name and broken out for "
    "each operation and API resource and type (validate or admit).",
    _BOUNDS,
    ("name", "operation", "rejected", "type"),
)
METRICS = (STEPS, CONTROLLERS)
_ANY = "*"

_WORDS = ("false", "true")

Call = Callable[[Attributes], Awaitable[None]]
Observe = Callable[[float], None]


class Step:
    """The plugins that mutate, or validate, a kind of write."""

    def __init__(self, kind: str, operation: Operation, plugins: Sequence[Plugin]) -> None:
        unchanged = getattr(BasePlugin, kind)
        self._passed, self._rejected = (
            STEPS.of(operation, rejected, kind).observe for rejected in _WORDS
        )
        self._calls: list[tuple[Call, Observe, Observe]] = [
            (getattr(plugin, kind), *_observers(plugin.name, operation, kind))
            for plugin in plugins
            if getattr(type(plugin), kind) is not unchanged
        ]

    async def run(self, attributes: Attributes) -> None:
        now = clock.monotonic
        begin = since = now()
        rejected = None
        try:
            for call, passed, rejected in self._calls:  # noqa: B007 - of the one that raises
                await call(attributes)
                then, since = since, now()
                passed(since - then)
        except BaseException:
            end = now()
            if rejected is not None:
                rejected(end - since)
            self._rejected(end - begin)
            raise
        self._passed(since - begin)


class _Interested(NamedTuple):
    """Of one kind of write: whether anybody cares, and who does what."""

    is_any: bool
    admit: Step
    validate: Step


class AdmissionChain:
    """Calls the plugins that care about a write; which ones, is looked up once per kind of write."""

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        self._plugins = tuple(plugins)
        self._interested: dict[tuple[Operation, str, str], _Interested] = {}

    def start(self, services: Services) -> None:
        for plugin in self._plugins:
            plugin.start(services)

    async def admit(self, attributes: Attributes) -> bool:
        """Let plugins change the object; whether any had the chance to."""
        found = self._for(attributes)
        await found.admit.run(attributes)
        return found.is_any

    async def validate(self, attributes: Attributes) -> None:
        await self._for(attributes).validate.run(attributes)

    def _for(self, attributes: Attributes) -> _Interested:
        group, _, resource = attributes.resource
        key = (attributes.operation, group, resource)
        found = self._interested.get(key)
        if found is None:
            found = self._interested[key] = self._find(*key)
        return found

    def _find(self, operation: Operation, group: str, resource: str) -> _Interested:
        plugins = [
            plugin
            for plugin in self._plugins
            if operation in plugin.operations and _matches(plugin.resources, group, resource)
        ]
        admit, validate = (Step(kind, operation, plugins) for kind in ("admit", "validate"))
        return _Interested(bool(plugins), admit, validate)


def _observers(name: str, operation: Operation, kind: str) -> tuple[Observe, Observe]:
    """Where the durations of a plugin go: of what it lets pass, and of what it rejects."""
    passed, rejected = (CONTROLLERS.of(name, operation, word, kind).observe for word in _WORDS)
    return passed, rejected


def _matches(wanted: frozenset[tuple[str, str]], group: str, resource: str) -> bool:
    return bool(wanted & {(group, resource), (group, _ANY), (_ANY, resource), (_ANY, _ANY)})
