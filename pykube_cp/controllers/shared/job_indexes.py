"""Completion indexes of Indexed Jobs: sets of small numbers written as ``1,3-5,7``."""

# upstream: pkg/controller/job/indexed_job_utils.go

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pykube_cp.machinery import objects
from pykube_cp.machinery.objects import Object

COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index"
FAILURE_COUNT = "batch.kubernetes.io/job-index-failure-count"
IGNORED_FAILURE_COUNT = "batch.kubernetes.io/job-index-ignored-failure-count"
UNKNOWN_INDEX = -1
_MAX_INT32 = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Indexes:
    """A set of indexes as ordered, disjoint, non-adjacent intervals ``(first, last)``."""

    intervals: tuple[tuple[int, int], ...] = ()

    @classmethod
    def of(cls, indexes: Iterable[int]) -> "Indexes":
        return cls(tuple(_merged((index, index) for index in sorted(indexes))))

    @classmethod
    def parse(cls, text: str, completions: int) -> "Indexes":
        """Read a status field; what is not below ``completions`` or not a number is left out."""
        intervals = []
        for part in filter(None, text.split(",")):
            first, _, last = part.partition("-")
            if not first.isdecimal() or (last and not last.isdecimal()):
                continue
            if int(first) >= completions:
                break
            intervals.append((int(first), min(int(last or first), completions - 1)))
        return cls(tuple(_merged(intervals)))

    def union(self, other: "Indexes") -> "Indexes":
        return Indexes(tuple(_merged(sorted(self.intervals + other.intervals))))

    def overlap(self, other: "Indexes") -> int:
        """How many indexes are in both."""
        return sum(
            max(0, min(last, other_last) - max(first, other_first) + 1)
            for first, last in self.intervals
            for other_first, other_last in other.intervals
        )

    def missing(self, completions: int) -> Iterator[int]:
        """Indexes below ``completions`` that are not in the set, in order."""
        start = 0
        for first, last in self.intervals:
            yield from range(start, min(first, completions))
            start = last + 1
        yield from range(start, completions)

    def __contains__(self, index: int) -> bool:
        return any(first <= index <= last for first, last in self.intervals)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.intervals)

    def __str__(self) -> str:
        return ",".join(map(_interval_text, self.intervals))


def _interval_text(interval: tuple[int, int]) -> str:
    first, last = interval
    if first == last:
        return str(first)
    return f"{first},{last}" if last == first + 1 else f"{first}-{last}"


def _merged(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    result: list[tuple[int, int]] = []
    for first, last in intervals:
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return result


def completion_index(pod: Object) -> int:
    """The pod's index, ``UNKNOWN_INDEX`` if it has none that makes sense."""
    text = objects.annotations(pod).get(COMPLETION_INDEX, "")
    return int(text) if text.isascii() and text.isdigit() else UNKNOWN_INDEX


def indexes_of(pods: Iterable[Object]) -> Indexes:
    found = {completion_index(pod) for pod in pods}
    return Indexes.of(found - {UNKNOWN_INDEX})


def failure_count(pod: Object) -> int:
    return _count(pod, FAILURE_COUNT)


def absolute_failure_count(pod: Object) -> int:
    """Failures of the pod's index, with those that the failure policy ignores."""
    return _count(pod, FAILURE_COUNT) + _count(pod, IGNORED_FAILURE_COUNT)


def ignored_failure_count(pod: Object) -> int:
    return _count(pod, IGNORED_FAILURE_COUNT)


def _count(pod: Object, annotation: str) -> int:
    text = objects.annotations(pod).get(annotation, "")
    count = int(text) if text.isascii() and text.isdigit() else 0
    return count if count <= _MAX_INT32 else 0
