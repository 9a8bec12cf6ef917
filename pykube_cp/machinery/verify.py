"""Assertions that run under test and cost nothing otherwise.

With ``PYKUBE_CP_VERIFY=1`` in the environment, or after ``enable()``, whoever hands out shared objects
seals them, and ``MutationDetector`` or ``check`` fails when a reader changed one.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import orjson

ENVIRONMENT = "PYKUBE_CP_VERIFY"


class MutationError(AssertionError):
    """A shared object was changed by somebody who only had it to read."""


class _Switch:
    """Whether to verify; one for the process."""

    on = os.environ.get(ENVIRONMENT) == "1"


def enabled() -> bool:
    return _Switch.on


def enable(*, on: bool = True) -> None:
    _Switch.on = on


class Seal(NamedTuple):
    """An object and what it looked like when it was handed out."""

    obj: Any
    content: bytes
    label: str


def _content(obj: Any) -> bytes:
    return orjson.dumps(obj)


def seal(obj: Any, label: str = "") -> Seal | None:
    """Remember what a shared object looks like; None when not verifying."""
    return Seal(obj, _content(obj), label) if _Switch.on else None


def check(found: Seal | None) -> None:
    """``MutationError`` if the object has been changed since."""
    if found is None:
        return
    now = _content(found.obj)
    if now != found.content:
        raise MutationError(
            f"shared object {found.label} was changed by a reader:\n"
            f"was {found.content.decode()}\nis  {now.decode()}"
        )


def require(condition: Callable[[], bool], text: str) -> None:
    """An invariant that is too dear to check in production."""
    if _Switch.on:
        assert condition(), text


class MutationDetector:
    """Seals what a cache hands out and checks all of it on demand.

    Objects that a cache drops stay watched until the next ``check``; then they are forgotten.
    """

    def __init__(self, label: str = "") -> None:
        self._label = label
        self._seals: dict[int, Seal] = {}

    def add(self, *objects: Any) -> None:
        if not _Switch.on:
            return
        for obj in objects:
            if id(obj) not in self._seals:  # the seal keeps the object, so its id stays taken
                self._seals[id(obj)] = Seal(obj, _content(obj), self._label)

    def check(self, live: Iterable[Any] | None = None) -> None:
        """``MutationError`` if any was changed; keeps watching those in ``live``, or all."""
        for found in self._seals.values():
            check(found)
        if live is not None:
            kept = {id(obj) for obj in live}
            self._seals = {key: found for key, found in self._seals.items() if key in kept}
