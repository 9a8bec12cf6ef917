"""Pod affinity terms: which pods they mean, and over which topology."""

# upstream: kube-scheduler framework/types.go AffinityTerm

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from pykube_cp.machinery import objects, selectors
from pykube_cp.machinery.objects import Object

LabelsMatch: TypeAlias = Callable[[Mapping[str, str]], bool]
_NO_LABELS: Mapping[str, str] = {}


def canonical(value: Any) -> bytes:
    """Equal for equal JSON values; serves as a key."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


@lru_cache(maxsize=4096)
def _compiled(key: bytes) -> LabelsMatch:
    match: LabelsMatch = selectors.from_label_selector(orjson.loads(key)).matches
    return match


def label_match(selector: Object | None) -> LabelsMatch:
    """The compiled selector; None matches nothing, ``{}`` everything."""
    return _compiled(canonical(selector))


def is_empty_selector(selector: Object | None) -> bool:
    """Whether it is there but asks for nothing, so that it matches everything."""
    return selector is not None and not (
        selector.get("matchLabels") or selector.get("matchExpressions")
    )


@dataclass(frozen=True, slots=True)
class AffinityTerm:
    """One term, compiled. Terms are equal if they mean the same pods over the same topology.

    ``namespace_selector`` is None where the term has none, and once it is resolved to names.
    """

    topology_key: str
    namespaces: frozenset[str]
    namespace_selector: bytes | None
    selector: bytes

    def matches(
        self,
        namespace: str,
        labels: Mapping[str, str],
        namespace_labels: Mapping[str, str] = _NO_LABELS,
    ) -> bool:
        """Whether a pod with these labels in that namespace is meant."""
        if namespace not in self.namespaces and (
            self.namespace_selector is None
            or not _compiled(self.namespace_selector)(namespace_labels)
        ):
            return False
        return _compiled(self.selector)(labels)

    def resolved(self, namespaces: Iterable[Object]) -> "AffinityTerm":
        """The same with the namespace selector replaced by the names it selects now.

        One that selects everything stays: it matches whatever the labels are.
        """
        # upstream: pkg/scheduler/framework/plugins/interpodaffinity/plugin.go
        # mergeAffinityTermNamespacesIfNotEmpty
        if self.namespace_selector is None or is_empty_selector(
            orjson.loads(self.namespace_selector)
        ):
            return self
        match = _compiled(self.namespace_selector)
        selected = {objects.name(found) for found in namespaces if match(objects.labels(found))}
        return replace(self, namespaces=self.namespaces | selected, namespace_selector=None)


@dataclass(frozen=True, slots=True)
class WeightedTerm:
    """A preferred term."""

    term: AffinityTerm
    weight: int


@lru_cache(maxsize=4096)
def _parsed(key: bytes, namespace: str) -> AffinityTerm:
    term = orjson.loads(key)
    namespaces = term.get("namespaces") or ()
    selector = term.get("namespaceSelector")
    if not namespaces and selector is None:
        namespaces = (namespace,)
    return AffinityTerm(
        topology_key=term.get("topologyKey", ""),
        namespaces=frozenset(namespaces),
        namespace_selector=None if selector is None else canonical(selector),
        selector=canonical(term.get("labelSelector")),
    )


def parse_term(term: Object, namespace: str) -> AffinityTerm:
    """The compiled term of a pod in ``namespace``; the same object for equal terms."""
    return _parsed(canonical(term), namespace)


def required_terms(affinity: Object | None, kind: str, namespace: str) -> tuple[AffinityTerm, ...]:
    """Required terms of ``podAffinity`` or ``podAntiAffinity``."""
    path = (kind, "requiredDuringSchedulingIgnoredDuringExecution")
    return tuple(
        parse_term(term, namespace) for term in objects.nested(affinity, *path, default=())
    )


def preferred_terms(affinity: Object | None, kind: str, namespace: str) -> tuple[WeightedTerm, ...]:
    """Preferred terms of ``podAffinity`` or ``podAntiAffinity``."""
    path = (kind, "preferredDuringSchedulingIgnoredDuringExecution")
    return tuple(
        WeightedTerm(parse_term(one["podAffinityTerm"], namespace), one["weight"])
        for one in objects.nested(affinity, *path, default=())
    )
