"""Selectors of workloads and policies, compiled once per selector."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from pykube_cp.machinery import objects, selectors
from pykube_cp.machinery.objects import Object
from pykube_cp.machinery.selectors import Selector


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
    return compile_selector(objects.nested(owner, "spec", "selector"))


def compile_selector(spec: Any) -> OwnerSelector:
    """A LabelSelector, or the plain map of labels of a ReplicationController."""
    return _compile(orjson.dumps(spec))


@lru_cache(maxsize=4096)
def _compile(written: bytes) -> OwnerSelector:
    spec = orjson.loads(written)
    if spec and any(isinstance(value, str) for value in spec.values()):
        spec = {"matchLabels": spec}
    return OwnerSelector(selectors.from_label_selector(spec), is_empty=is_empty_selector(spec))


def is_empty_selector(spec: Any) -> bool:
    """Whether a LabelSelector has no requirement at all."""
    return not spec or not (spec.get("matchLabels") or spec.get("matchExpressions"))
