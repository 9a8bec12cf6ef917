"""What the rounds came to: medians, ratios, the table for people and the files for programs."""

import json
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Measurement:
    """One round of one row on one server, as the load generator saw it."""

    row: str
    server: str
    round: int
    protocol: str
    operations: int
    seconds: float
    cpu_seconds: float
    p50_ms: float
    p99_ms: float
    bytes: int

    @property
    def cpu_ms(self) -> float:
        """Of the server, per operation."""
        return self.cpu_seconds * 1000 / self.operations

    @property
    def throughput(self) -> float:
        """Operations a second."""
        return self.operations / self.seconds


@dataclass(frozen=True)
class Side:
    """The medians of one server's rounds of one row."""

    cpu_ms: float
    throughput: float
    p50_ms: float
    p99_ms: float
    protocol: str


@dataclass(frozen=True)
class Row:
    """One row, both sides. ``lowest`` and ``highest`` are the ratios of single rounds."""

    name: str
    ours: Side
    upstream: Side
    lowest: float
    highest: float

    @property
    def ratio(self) -> float:
        """How many times more CPU upstream needs for the same."""
        return self.upstream.cpu_ms / self.ours.cpu_ms


def summarize(name: str, ours: Sequence[Measurement], upstream: Sequence[Measurement]) -> Row:
    ratios = [theirs.cpu_ms / mine.cpu_ms for mine, theirs in zip(ours, upstream, strict=True)]
    return Row(name, side(ours), side(upstream), min(ratios), max(ratios))


def side(rounds: Sequence[Measurement]) -> Side:
    def median(of: Callable[[Measurement], float]) -> float:
        return statistics.median(of(each) for each in rounds)

    return Side(
        median(lambda each: each.cpu_ms),
        median(lambda each: each.throughput),
        median(lambda each: each.p50_ms),
        median(lambda each: each.p99_ms),
        rounds[0].protocol,
    )


HEAD = (
    f"{'':14}{'server CPU per operation':^38}{'operations a second':^20}"
    f"{'ours, p50 / p99':^21}{'upstream, p50 / p99':^21}\n"
    f"{'':14}{'ours':>9}{'upstream':>10}{'ratio':>8}{'(rounds)':>11}{'ours':>10}{'upstream':>10}\n"
)


def table(rows: Sequence[Row]) -> str:
    """With what upstream was asked by: HTTP/1.1 or HTTP/2, as it does better."""
    lines = [_line(row) for row in rows]
    for protocol in sorted({row.upstream.protocol for row in rows}):
        names = [row.name for row in rows if row.upstream.protocol == protocol]
        lines.append(f"upstream over {protocol}: {', '.join(names)}")
    return HEAD + "\n".join(lines)


def _line(row: Row) -> str:
    ours, upstream = row.ours, row.upstream
    cpu = f"{_ms(ours.cpu_ms):>9}{_ms(upstream.cpu_ms):>10}{row.ratio:>7.1f}x"
    spread = f"{row.lowest:.1f}-{row.highest:.1f}"
    rates = f"{_rate(ours.throughput):>10}{_rate(upstream.throughput):>10}"
    return f"{row.name:14}{cpu}{spread:>11}{rates}{_latency(ours)}{_latency(upstream)}"


def _latency(side: Side) -> str:
    return f"{_ms(side.p50_ms):>10} /{_ms(side.p99_ms):>8} "


def _rate(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"


def _ms(value: float) -> str:
    """Three figures."""
    if value < 1:
        return f"{value * 1000:.3g} us"
    return f"{value:.3g} ms" if value < 1000 else f"{value:.0f} ms"


def verdict(rows: Sequence[Row]) -> str:
    faster = [f"{row.name} ({row.ratio:.1f}x)" for row in rows if row.ratio > 1]
    slower = [f"{row.name} ({row.ratio:.2f}x)" for row in rows if row.ratio <= 1]
    text = f"pykube-cp needs less CPU on {len(faster)} of {len(rows)} rows"
    text += f": {', '.join(faster)}" if faster else ""
    return f"{text}\nslower: {', '.join(slower)}" if slower else text


def write(
    folder: Path, rows: Sequence[Row], rounds: Sequence[Measurement], about: dict[str, Any]
) -> None:
    """``bench.tsv`` holds the table, ``bench.json`` every round besides."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {
        **about,
        "rows": [{**asdict(row), "ratio": row.ratio} for row in rows],
        "rounds": [asdict(each) for each in rounds],
    }
    (folder / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    columns = ("cpu_ms", "throughput", "p50_ms", "p99_ms", "protocol")
    names = [f"{who}_{column}" for who in ("ours", "upstream") for column in columns]
    lines = ["\t".join(("row", "ratio", *names))]
    for row in rows:
        values = [getattr(who, column) for who in (row.ours, row.upstream) for column in columns]
        shown = [value if isinstance(value, str) else f"{value:.6g}" for value in values]
        lines.append("\t".join((row.name, f"{row.ratio:.3f}", *shown)))
    (folder / "bench.tsv").write_text("\n".join(lines) + "\n")
