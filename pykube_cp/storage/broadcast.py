"""Telling listeners of writes, in order."""

from collections.abc import Callable, Sequence

from pykube_cp.storage.interface import Event, Listener


class Broadcast:
    """Calls every listener with every batch. Listeners are quick and never raise."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, events: Sequence[Event]) -> None:
        for listener in self._listeners:
            listener(events)
