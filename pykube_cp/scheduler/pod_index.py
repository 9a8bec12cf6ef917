"""Where pods run, counted per node by what they look like, so that nobody walks over all pods.

Pods with equal labels in one namespace form a class. A *tally* counts per row the pods that match
some selector; it is filled once from the classes and then kept current. Terms of pods that run
already are counted per node, too: those of equal pods once.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeAlias, TypeVar

from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.shared.affinity_terms import AffinityTerm
from pykube_cp.scheduler.vectors import IntVector, enlarged, zeros

_MOST_TALLIES = 1024
_Key = TypeVar("_Key")


class PodClass:
    """Pods that no selector can tell apart; ``rows`` has their number on each node."""

    __slots__ = ("labels", "namespace", "rows", "tallies", "terminating")

    def __init__(self, pod: PodInfo) -> None:
        self.namespace = pod.namespace
        self.labels: Mapping[str, str] = pod.labels
        self.terminating = pod.terminating
        self.rows: dict[int, int] = {}
        self.tallies: list[Tally] = []


ClassTest: TypeAlias = Callable[[PodClass], bool]


class Tally:
    """The number of matching pods on each row; an enlarged snapshot gives it a new vector."""

    __slots__ = ("counts", "matches")

    def __init__(self, matches: ClassTest, size: int) -> None:
        self.matches = matches
        self.counts: IntVector = zeros(size)


class TermCounts:
    """Terms of one sort that running pods have, with the number of such pods on each row."""

    def __init__(self) -> None:
        self._rows: dict[tuple[AffinityTerm, int], dict[int, int]] = {}
        self._by_namespace: dict[str, dict[tuple[AffinityTerm, int], None]] = {}
        self._anywhere: dict[tuple[AffinityTerm, int], None] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, term: AffinityTerm, weight: int, row: int) -> None:
        key = (term, weight)
        rows = self._rows.get(key)
        if rows is None:
            rows = self._rows[key] = {}
            for index in self._indexes(term):
                index[key] = None
        rows[row] = rows.get(row, 0) + 1

    def remove(self, term: AffinityTerm, weight: int, row: int) -> None:
        key = (term, weight)
        rows = self._rows[key]
        _decrement(rows, row)
        if rows:
            return
        del self._rows[key]
        for index in self._indexes(term):
            del index[key]
        for namespace in term.namespaces:
            if not self._by_namespace.get(namespace, True):
                del self._by_namespace[namespace]

    def _indexes(self, term: AffinityTerm) -> list[dict[tuple[AffinityTerm, int], None]]:
        if term.namespace_selector is not None:
            return [self._anywhere]
        return [self._by_namespace.setdefault(name, {}) for name in term.namespaces]

    def matching(
        self, pod: PodInfo, namespace_labels: Mapping[str, str]
    ) -> Iterator[tuple[AffinityTerm, int, Mapping[int, int]]]:
        """Terms that mean ``pod``: term, weight, number of pods that have it per row."""
        for index in (self._by_namespace.get(pod.namespace, {}), self._anywhere):
            for key in index:
                term, weight = key
                if term.matches(pod.namespace, pod.labels, namespace_labels):
                    yield term, weight, self._rows[key]


class PodIndex:
    """All pods on nodes.

    Attributes:
        required_affinity, required_anti_affinity, preferred_affinity, preferred_anti_affinity:
            the terms of running pods.
        claims: number of pods that use each PersistentVolumeClaim.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._classes: dict[Hashable, PodClass] = {}
        self._tallies: OrderedDict[Hashable, Tally] = OrderedDict()
        self.required_affinity = TermCounts()
        self.required_anti_affinity = TermCounts()
        self.preferred_affinity = TermCounts()
        self.preferred_anti_affinity = TermCounts()
        self.claims: dict[str, int] = {}

    def add(self, pod: PodInfo, row: int) -> None:
        key = _class_key(pod)
        found = self._classes.get(key)
        if found is None:
            found = self._classes[key] = PodClass(pod)
            found.tallies = [tally for tally in self._tallies.values() if tally.matches(found)]
        found.rows[row] = found.rows.get(row, 0) + 1
        for tally in found.tallies:
            tally.counts[row] += 1
        for terms, term, weight in self._terms(pod):
            terms.add(term, weight, row)
        for claim in pod.claims:
            self.claims[claim] = self.claims.get(claim, 0) + 1

    def remove(self, pod: PodInfo, row: int) -> None:
        key = _class_key(pod)
        found = self._classes[key]
        _decrement(found.rows, row)
        for tally in found.tallies:
            tally.counts[row] -= 1
        if not found.rows:
            del self._classes[key]
        for terms, term, weight in self._terms(pod):
            terms.remove(term, weight, row)
        for claim in pod.claims:
            _decrement(self.claims, claim)

    def _terms(self, pod: PodInfo) -> Iterator[tuple[TermCounts, AffinityTerm, int]]:
        for term in pod.required_affinity:
            yield self.required_affinity, term, 1
        for term in pod.required_anti_affinity:
            yield self.required_anti_affinity, term, 1
        for weighted in pod.preferred_affinity:
            yield self.preferred_affinity, weighted.term, weighted.weight
        for weighted in pod.preferred_anti_affinity:
            yield self.preferred_anti_affinity, weighted.term, weighted.weight

    def tally(self, key: Hashable, matches: ClassTest) -> IntVector:
        """Matching pods per row. ``key`` must say all that ``matches`` depends on."""
        found = self._tallies.get(key)
        if found is None:
            found = self._tallies[key] = self._counted(matches)
            if len(self._tallies) > _MOST_TALLIES:
                self._forget(self._tallies.popitem(last=False)[1])
        else:
            self._tallies.move_to_end(key)
        return found.counts

    def _counted(self, matches: ClassTest) -> Tally:
        tally = Tally(matches, self._size)
        for pods in self._classes.values():
            if matches(pods):
                pods.tallies.append(tally)
                for row, number in pods.rows.items():
                    tally.counts[row] += number
        return tally

    def _forget(self, tally: Tally) -> None:
        for pods in self._classes.values():
            if tally in pods.tallies:
                pods.tallies.remove(tally)

    def enlarge(self, size: int) -> None:
        self._size = size
        for tally in self._tallies.values():
            tally.counts = enlarged(tally.counts, size)


def _class_key(pod: PodInfo) -> Hashable:
    return pod.namespace, pod.terminating, frozenset(pod.labels.items())


def _decrement(counts: dict[_Key, int], key: _Key) -> None:
    left = counts[key] - 1
    if left:
        counts[key] = left
    else:
        del counts[key]
