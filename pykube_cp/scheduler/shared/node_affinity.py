"""Which nodes a node selector means: as a vector over the snapshot, or for one node."""

# upstream: component-helpers scheduling/corev1/nodeaffinity/nodeaffinity.go

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import orjson

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.shared.affinity_terms import canonical
from pykube_cp.scheduler.snapshot import Snapshot
from pykube_cp.scheduler.vectors import BoolVector, IntVector, Rows, zeros

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_ValueTest: TypeAlias = Callable[[str | None], bool]


class Requirement:
    """One expression about a label; raises ``ValueError`` if it makes no sense."""

    __slots__ = ("key", "operator", "test", "values")

    def __init__(self, expression: Object) -> None:
        self.key: str = expression["key"]
        self.operator: str = expression.get("operator", "")
        self.values: list[str] = expression.get("values") or []
        self.test = self._test()

    def _test(self) -> _ValueTest:
        values = frozenset(self.values)
        match self.operator:
            case "In" if values:
                return lambda value: value in values
            case "NotIn" if values:
                return lambda value: value not in values
            case "Exists" if not values:
                return lambda value: value is not None
            case "DoesNotExist" if not values:
                return lambda value: value is None
            case "Gt" if len(self.values) == 1:
                return _comparison(self.values[0], greater=True)
            case "Lt" if len(self.values) == 1:
                return _comparison(self.values[0], greater=False)
        raise ValueError(f"invalid node selector requirement for {self.key}")

    def matches(self, snapshot: Snapshot, rows: Rows) -> BoolVector:
        column = snapshot.label(self.key)
        match self.operator:
            case "In":
                return column.is_any_of(self.values, rows)
            case "NotIn":
                return ~column.is_any_of(self.values, rows)
            case "Exists":
                return column.has(rows)
            case "DoesNotExist":
                return ~column.has(rows)
            case _:
                return column.satisfies(self.test, rows)


def _integer(text: str) -> int:
    """As Go reads an int64; ``ValueError`` otherwise."""
    number = int(text) if _INTEGER.fullmatch(text) else None
    if number is None or not -(2**63) <= number < 2**63:
        raise ValueError(f"{text} is no integer")
    return number


def _comparison(limit: str, *, greater: bool) -> _ValueTest:
    bound = _integer(limit)

    def test(value: str | None) -> bool:
        try:
            number = _integer(value or "")
        except ValueError:
            return False
        return number > bound if greater else number < bound

    return test


class FieldRequirement:
    """One expression about a field; nodes have only ``metadata.name``."""

    __slots__ = ("key", "negated", "value")

    def __init__(self, expression: Object) -> None:
        values = expression.get("values") or []
        if expression.get("operator") not in {"In", "NotIn"} or len(values) != 1:
            raise ValueError(f"invalid field selector requirement for {expression['key']}")
        self.key: str = expression["key"]
        self.negated = expression["operator"] == "NotIn"
        self.value: str = values[0]

    def test(self, name: str) -> bool:
        found = name if self.key == "metadata.name" else ""
        return (found == self.value) is not self.negated

    def matches(self, snapshot: Snapshot, rows: Rows) -> BoolVector:
        return np.fromiter((self.test(snapshot.names[row]) for row in rows), np.bool_, len(rows))


class Term:
    """All of its requirements must hold. One that does not parse matches nothing."""

    __slots__ = ("_requirements", "fields", "labels", "valid")

    def __init__(self, term: Object) -> None:
        self.labels: list[Requirement] = []
        self.fields: list[FieldRequirement] = []
        self.valid = True
        try:
            self.labels = [Requirement(one) for one in term.get("matchExpressions") or ()]
            self.fields = [FieldRequirement(one) for one in term.get("matchFields") or ()]
        except ValueError:
            self.valid = False
        self._requirements: Sequence[Requirement | FieldRequirement] = (*self.labels, *self.fields)

    def matches(self, snapshot: Snapshot, rows: Rows) -> BoolVector:
        matched: BoolVector = np.full(len(rows), self.valid)
        if self.valid:
            for requirement in self._requirements:
                matched &= requirement.matches(snapshot, rows)
        return matched

    def matches_labels(self, labels: Mapping[str, str], name: str) -> bool:
        return (
            self.valid
            and all(one.test(labels.get(one.key)) for one in self.labels)
            and all(one.test(name) for one in self.fields)
        )


def _is_empty(term: Object) -> bool:
    return not (term.get("matchExpressions") or term.get("matchFields"))


class NodeSelector:
    """Any of its terms may hold; empty terms match nothing."""

    def __init__(self, terms: Iterable[Object]) -> None:
        self._terms = [Term(term) for term in terms if not _is_empty(term)]

    def matches(self, snapshot: Snapshot, rows: Rows) -> BoolVector:
        matched: BoolVector = np.zeros(len(rows), np.bool_)
        for term in self._terms:
            matched |= term.matches(snapshot, rows)
        return matched

    def matches_labels(self, labels: Mapping[str, str], name: str = "") -> bool:
        return any(term.matches_labels(labels, name) for term in self._terms)


@lru_cache(maxsize=1024)
def _node_selector(key: bytes) -> NodeSelector:
    return NodeSelector(orjson.loads(key))


def node_selector(selector: Object) -> NodeSelector:
    """The compiled ``v1.NodeSelector``."""
    return _node_selector(canonical(selector.get("nodeSelectorTerms") or []))


class RequiredAffinity:
    """What a pod demands of its node: ``nodeSelector`` and required node affinity."""

    def __init__(self, key: bytes) -> None:
        self.key = key
        labels, terms = orjson.loads(key)
        self._labels: dict[str, str] = labels
        self._selector = None if terms is None else NodeSelector(terms)

    def _matches(self, snapshot: Snapshot, rows: Rows) -> BoolVector:
        matched: BoolVector = np.ones(len(rows), np.bool_)
        for label, value in self._labels.items():
            matched &= snapshot.label(label).is_any_of((value,), rows)
        if self._selector is not None:
            matched &= self._selector.matches(snapshot, rows)
        return matched

    def vector(self, snapshot: Snapshot) -> BoolVector:
        """For every row of the snapshot; shared with all pods that demand the same."""
        return snapshot.node_vectors.get(
            ("required", self.key), snapshot.size, lambda rows: self._matches(snapshot, rows)
        )

    def matches_node(self, node: Object) -> bool:
        labels = objects.labels(node)
        if any(labels.get(label) != value for label, value in self._labels.items()):
            return False
        return self._selector is None or self._selector.matches_labels(labels, objects.name(node))


@lru_cache(maxsize=1024)
def _required(key: bytes) -> RequiredAffinity:
    return RequiredAffinity(key)


def required_affinity(pod: Object) -> RequiredAffinity | None:
    """The pod's demands, None if it has none."""
    spec = pod["spec"]
    required = objects.nested(spec.get("affinity"), "nodeAffinity", _REQUIRED)
    labels = spec.get("nodeSelector") or {}
    if required is None and not labels:
        return None
    terms = None if required is None else required.get("nodeSelectorTerms") or []
    return _required(canonical([labels, terms]))


def required_terms(pod: Object) -> list[Object]:
    found: list[Object] = objects.nested(
        pod["spec"].get("affinity"), "nodeAffinity", _REQUIRED, "nodeSelectorTerms", default=[]
    )
    return found


def preferred_terms(pod: Object) -> list[Object]:
    found: list[Object] = objects.nested(
        pod["spec"].get("affinity"), "nodeAffinity", _PREFERRED, default=[]
    )
    return found


@lru_cache(maxsize=1024)
def _weighted_terms(key: bytes) -> list[tuple[Term, int]]:
    terms = []
    for preferred in orjson.loads(key):
        if preferred.get("weight") and not _is_empty(preferred["preference"]):
            terms.append((Term(preferred["preference"]), preferred["weight"]))
    if not all(term.valid for term, _ in terms):
        raise ValueError("invalid preferred node affinity")
    return terms


def preference_vector(snapshot: Snapshot, preferred: Sequence[Object]) -> IntVector:
    """Per row the sum of the weights of all terms that match; shared by equal preferences."""
    key = canonical(preferred)
    terms = _weighted_terms(key)

    def scores(rows: Rows) -> IntVector:
        total = zeros(len(rows))
        for term, weight in terms:
            total += weight * term.matches(snapshot, rows)
        return total

    return snapshot.node_vectors.get(("preferred", key), snapshot.size, scores)
