"""Which events are worth another attempt, for which rejected pods."""

# upstream: pkg/scheduler/backend/queue/scheduling_queue.go isPodWorthRequeuing

import logging
from collections.abc import Iterable, Mapping
from enum import IntEnum

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.events import Action, ClusterEvent, EventHint, Hint, Resource
from pykube_cp.scheduler.interface import Plugin
from pykube_cp.scheduler.queue_parts import QueuedPod

log = logging.getLogger(__name__)


class Strategy(IntEnum):
    """What an event means for a pod; higher is more urgent."""

    SKIP = 0
    AFTER_BACKOFF = 1
    IMMEDIATELY = 2


class QueueingHints:
    """What the plugins of each profile have registered."""

    def __init__(self, profiles: Mapping[str, Iterable[Plugin]]) -> None:
        self._hints = {
            name: [(plugin.name, hint) for plugin in plugins for hint in _unrolled(plugin)]
            for name, plugins in profiles.items()
        }
        self._matching: dict[tuple[str, ClusterEvent], dict[str, list[Hint | None]]] = {}

    def events_of(self, plugin: str) -> tuple[ClusterEvent, ...]:
        """All events that a plugin waits for."""
        hints = (hint for found in self._hints.values() for hint in found)
        return tuple(hint.event for name, hint in hints if name == plugin)

    def interested_plugins(self, event: ClusterEvent) -> set[str]:
        """Plugins of any profile that wait for such an event."""
        return {plugin for name in self._hints for plugin in self._functions(name, event)}

    def _functions(self, profile: str, event: ClusterEvent) -> dict[str, list[Hint | None]]:
        key = (profile, event)
        found = self._matching.get(key)
        if found is None:
            found = self._matching[key] = {}
            for plugin, hint in self._hints[profile]:
                if hint.event.covers(event):
                    found.setdefault(plugin, []).append(hint.worthwhile)
        return found

    def strategy(
        self, pod: QueuedPod, event: ClusterEvent, old: Object | None, new: Object | None
    ) -> Strategy:
        """What is to be done with a rejected pod now that ``event`` has happened."""
        rejectors = pod.rejectors
        if not rejectors:
            return Strategy.AFTER_BACKOFF
        if event.is_wildcard:
            concerned = new is None or objects.uid(new) == pod.uid
            return Strategy.AFTER_BACKOFF if concerned else Strategy.SKIP
        if pod.info.scheduler_name not in self._hints:
            return Strategy.AFTER_BACKOFF
        best = Strategy.SKIP
        for plugin, functions in self._functions(pod.info.scheduler_name, event).items():
            if plugin not in rejectors or not any(
                _is_worthwhile(plugin, function, pod, old, new) for function in functions
            ):
                continue
            if plugin in pod.pending_plugins:
                return Strategy.IMMEDIATELY
            best = Strategy.AFTER_BACKOFF
        return best


def _is_worthwhile(
    plugin: str, function: Hint | None, pod: QueuedPod, old: Object | None, new: Object | None
) -> bool:
    if function is None:
        return True
    try:
        return function(pod.info.pod, old, new)
    except Exception:
        log.exception("queueing hint of %s failed for pod %s", plugin, pod.info.key)
        return True


def _unrolled(plugin: Plugin) -> Iterable[EventHint]:
    """The plugin's events, with those of pods split by the state the pod is in."""
    # upstream: pkg/scheduler/framework/types.go UnrollPodEvent
    for hint in plugin.events_to_register():
        if hint.event.resource is not Resource.POD:
            yield hint
            continue
        for resource in (Resource.ASSIGNED_POD, Resource.UNSCHEDULED_POD, Resource.TARGET_POD):
            yield hint._replace(event=ClusterEvent(resource, Action(hint.event.action)))
