"""One value laid over another: the applied configuration over the live object."""
# upstream: structured-merge-diff typed/merge.go

from collections.abc import Collection, Sequence
from typing import Any

from pykube_cp.machinery.apply.elements import elements_of
from pykube_cp.machinery.apply.fields import FieldsError, element_text
from pykube_cp.machinery.apply.shapes import ABSENT, Kind, ListShape, MapShape, Shape


def merge(shape: Shape, live: Any, config: Any) -> Any:
    """``live`` with all that ``config`` says; shares branches with both."""
    return _merge(shape, live, config)


def _merge(shape: Shape, live: Any, config: Any) -> Any:
    """``ABSENT`` when nothing is left; either argument may be ``ABSENT``, not both."""
    value = live if config is ABSENT else config
    return _handle(shape, shape.kind_of(value), live, config)


def _handle(shape: Shape, kind: Kind, live: Any, config: Any) -> Any:
    if kind == "map" and shape.map is not None and not shape.map.atomic:
        old = live if isinstance(live, dict) else {}
        new = config if isinstance(config, dict) else {}
        if old or new:
            return _merge_maps(shape.map, old, new)
    elif kind == "list" and shape.list is not None and not shape.list.atomic:
        olds = live if isinstance(live, list) else []
        news = config if isinstance(config, list) else []
        if olds or news:
            return _merge_lists(shape.list, olds, news)
    return live if config is ABSENT else config


def _merge_maps(shape: MapShape, live: dict[str, Any], config: dict[str, Any]) -> Any:
    made: dict[str, Any] = {}
    for name, value in live.items():
        member = shape.member(name)
        if name not in config or member is None:
            merged = _merge(member, value, ABSENT) if member is not None else value
        else:
            merged = _merge(member, value, config[name])
        if merged is not ABSENT:
            made[name] = merged
    for name, value in config.items():
        if name not in live:
            member = shape.member(name)
            merged = _merge(member, ABSENT, value) if member is not None else value
            if merged is not ABSENT:
                made[name] = merged
    return made or ABSENT


def _merge_lists(shape: ListShape, live: list[Any], config: list[Any]) -> Any:
    """Live's elements in live's order, config's in config's, those of both in config's.

    For live ``a b c d`` and config ``d x b`` that is ``a d x b c``.
    """
    lefts, rights = elements_of(shape, live), elements_of(shape, config)
    by_left, by_right = _index(lefts, live), dict(zip(rights, config, strict=True))
    if len(by_right) < len(rights):
        raise FieldsError(f"duplicate entries for key {element_text(_repeated(rights))}")
    made: list[Any] = []

    def take(element: str) -> None:
        left, right = by_left.get(element, ABSENT), by_right.get(element, ABSENT)
        merged = _merge(shape.element, left, right)
        if merged is not ABSENT:
            made.append(merged)

    for source, at in _order(lefts, rights, by_left.keys(), by_right.keys()):
        if source == "left" and by_left[lefts[at]] is None:
            made.append(live[at])  # stands there twice
        else:
            take(lefts[at] if source == "left" else rights[at])
    return made or ABSENT


def _index(elements: Sequence[str], items: Sequence[Any]) -> dict[str, Any]:
    """Items by element; None for those that stand there twice."""
    made: dict[str, Any] = {}
    for element, item in zip(elements, items, strict=True):
        made[element] = None if element in made else item
    return made


def _repeated(elements: Sequence[str]) -> str:
    return next(found for at, found in enumerate(elements) if found in elements[:at])


def _order(
    lefts: Sequence[str], rights: Sequence[str], in_left: Collection[str], in_right: Collection[str]
) -> list[tuple[str, int]]:
    """Which element comes next, from which list: ``("left" | "right", index)``."""
    shared = [element for element in rights if element in in_left]
    shared.reverse()
    merged: set[str] = set()
    made: list[tuple[str, int]] = []
    left = right = 0
    following = shared.pop() if shared else None
    while left < len(lefts) or right < len(rights):
        if left < len(lefts) and right < len(rights):
            element = lefts[left]
            if element == rights[right]:
                merged.add(element)
                made.append(("right", right))
                left, right = left + 1, right + 1
                following = shared.pop() if shared else None
                continue
            if element in in_right and following is not None and following != element:
                left += 1  # comes later, where config has it
                continue
        if left < len(lefts):
            element = lefts[left]
            if element not in in_right:
                made.append(("left", left))
                left += 1
                continue
            if element in merged:
                left += 1
        if right < len(rights):
            element = rights[right]
            merged.add(element)
            made.append(("right", right))
            right += 1
            if following == element:
                following = shared.pop() if shared else None
    return made
