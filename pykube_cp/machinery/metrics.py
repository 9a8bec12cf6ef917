"""What is counted and measured, and Prometheus' text form of it.

Whoever measures something keeps a metric and adds to it; nothing is registered anywhere. Who shows
metrics gathers those it knows. Values of labels are given in the order of the labels.
"""
# upstream: prometheus client_golang, common expfmt/text_create.go

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from pykube_cp.machinery.go_text import number

Values = tuple[str, ...]
POWERS_OF_TWO = tuple(0.001 * 2**power for power in range(15))
"""Bounds of what takes milliseconds."""
REQUEST_SECONDS = (
    *(0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8),
    *(1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60),
)
"""Bounds of what takes up to a minute."""
TEXT = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"


class Metric:
    """A family of samples.

    Args:
        help: what it is, upstream's words.
        labels: in alphabetical order.
    """

    type = ""

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:  # noqa: A002 - Prometheus' word
        assert list(labels) == sorted(labels)
        self.name = name
        self.help = help
        self.labels = tuple(labels)

    def lines(self) -> Iterator[str]:
        """Its samples, without the head; nothing when there are none."""
        raise NotImplementedError

    def labelled(self, values: Values, **more: str) -> str:
        pairs = [*zip(self.labels, values, strict=True), *more.items()]
        written = ",".join(f'{name}="{_escaped(value)}"' for name, value in pairs)
        return f"{{{written}}}" if written else ""


class Counter(Metric):
    """Only grows."""

    type = "counter"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:  # noqa: A002 - as above
        super().__init__(name, help, labels)
        self.values: dict[Values, float] = {} if labels else {(): 0.0}

    def add(self, *values: str, amount: float = 1) -> None:
        self.values[values] = self.values.get(values, 0) + amount

    def lines(self) -> Iterator[str]:
        for values in sorted(self.values):
            yield f"{self.name}{self.labelled(values)} {number(float(self.values[values]))}"


class Gauge(Counter):
    """Goes up and down."""

    type = "gauge"

    def set(self, *values: str, to: float) -> None:
        self.values[values] = to


class Read(Metric):
    """Asked for when someone looks: ``read`` gives the samples of now."""

    def __init__(
        self,
        kind: str,
        name: str,
        help: str,  # noqa: A002 - as above
        read: Callable[[], Mapping[Values, float]],
        labels: Sequence[str] = (),
    ) -> None:
        super().__init__(name, help, labels)
        self.type = kind
        self._read = read

    def lines(self) -> Iterator[str]:
        for values, value in sorted(self._read().items()):
            yield f"{self.name}{self.labelled(values)} {number(float(value))}"


class Series:
    """Values of one set of labels. Whoever measures often keeps the series at hand."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        return sum(self.counts)


class Histogram(Metric):
    """How many values were at most as large as each bound, and their sum."""

    type = "histogram"

    def __init__(
        self,
        name: str,
        help: str,  # noqa: A002 - as above
        bounds: Sequence[float],
        labels: Sequence[str] = (),
    ) -> None:
        super().__init__(name, help, labels)
        self.bounds = tuple(bounds)
        self.series: dict[Values, Series] = {}

    def of(self, *values: str) -> Series:
        """Where values of these labels go; shown once there are any."""
        series = self.series.get(values)
        if series is None:
            series = self.series[values] = Series(self.bounds)
        return series

    def observe(self, value: float, *values: str) -> None:
        series = self.series.get(values) or self.of(*values)
        series.counts[bisect_left(self.bounds, value)] += 1
        series.sum += value

    def counted(self) -> dict[Values, float]:
        """How many values there were."""
        found = ((values, series.count) for values, series in self.series.items())
        return {values: count for values, count in found if count}

    def include(self, other: "Histogram") -> None:
        """Show the samples of another one, with the same bounds, as well."""
        self.series.update(other.series)

    def lines(self) -> Iterator[str]:
        ends = [*(number(float(bound)) for bound in self.bounds), "+Inf"]
        for values, series in sorted(self.series.items(), key=lambda item: item[0]):
            if series.count:
                yield from self._series_lines(values, series, ends)

    def _series_lines(self, values: Values, series: Series, ends: Sequence[str]) -> Iterator[str]:
        running = 0
        for end, count in zip(ends, series.counts, strict=True):
            running += count
            yield f"{self.name}_bucket{self.labelled(values, le=end)} {running}"
        labelled = self.labelled(values)
        yield f"{self.name}_sum{labelled} {number(series.sum)}"
        yield f"{self.name}_count{labelled} {running}"


def exposition(metrics: Iterable[Metric]) -> str:
    """Families by name; those without samples are left out."""
    parts: list[str] = []
    for metric in sorted(metrics, key=lambda found: found.name):
        lines = list(metric.lines())
        if lines:
            parts.append(f"# HELP {metric.name} {_escaped_help(metric.help)}")
            parts.append(f"# TYPE {metric.name} {metric.type}")
            parts += lines
    return "\n".join(parts) + "\n" if parts else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _escaped_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")
