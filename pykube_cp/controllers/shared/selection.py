"""Selectors of workloads and policies, compiled once per object version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pykube_cp.machinery import objects, selectors
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.selectors import Selector

_MAX_CACHED = 4096
_cache: dict[tuple[str, str], "OwnerSelector"] = {}


@dataclass(frozen=True, slots=True)
class OwnerSelector:
    """What an owner selects. ``is_empty`` when that is everything."""

    selector: Selector
    is_empty: bool

    def matches(self, labels: Mapping[str, str]) -> bool:
        return self.selector.matches(labels)

    def selects(self, labels: Mapping[str, str]) -> bool:
        """As ``matches``; an empty selector, which should not exist, selects nothing."""
        return not self.is_empty and self.selector.matches(labels)


def selector_of(owner: Object) -> OwnerSelector:
    """The selector in ``spec.selector``, of a ReplicationController as of all others."""
    key = (objects.uid(owner), objects.resource_version(owner))
    found = _cache.get(key)
    if found is None or not key[1]:
        if len(_cache) >= _MAX_CACHED:
            _cache.clear()
        found = _cache[key] = compile_selector(objects.nested(owner, "spec", "selector"))
    return found


def compile_selector(spec: Any) -> OwnerSelector:
    """A LabelSelector, or the plain map of labels of a ReplicationController."""
    if spec and any(isinstance(value, str) for value in spec.values()):
        spec = {"matchLabels": spec}
    return OwnerSelector(selectors.from_label_selector(spec), is_empty=is_empty_selector(spec))


def is_empty_selector(spec: Any) -> bool:
    """Whether a LabelSelector has no requirement at all."""
    return not spec or not (spec.get("matchLabels") or spec.get("matchExpressions"))
