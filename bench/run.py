#!/usr/bin/env python3
"""Measure pykube-cp beside kube-apiserver + etcd: server CPU per operation, throughput, latency.

Both run at the same time on this machine with the same data; the load goes to one, then to the
other, round after round, and medians are compared. Ends with status 1 when pykube-cp needs more
CPU than upstream on any row. See bench/README.md.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import report
import servers
from report import Measurement
from servers import REPO, Place, Server

ROWS = ("get", "list-json", "list-protobuf", "create", "status", "apply", "watch")
CACHE = Path(os.environ.get("PYKUBE_CP_CACHE", Path.home() / ".cache/pykube-cp"))
GROUP = "bench"
WARMUP = 1.0


@dataclass(frozen=True)
class Load:
    """The load generator, and what it is to do."""

    program: Path
    place: Place
    options: argparse.Namespace

    def run(self, server: Server, what: str, *, admin: bool = False, **flags: object) -> str:
        """What it prints."""
        user, group = ("bench-admin", "system:masters") if admin else ("bench-user", GROUP)
        identity = servers.certificate(self.place, server, user, group)
        given = {
            "server": server.url,
            "ca": server.pki / "ca.crt",
            "cert": f"{identity}.crt",
            "key": f"{identity}.key",
            "pids": ",".join(map(str, server.pids)),
            "pods": self.options.pods,
            "watchers": self.options.watchers,
            "workers": self.options.workers,
            **flags,
        }
        command = [str(self.program), *(f"-{name}={value}" for name, value in given.items()), what]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            sys.exit(f"bench: {what} on {server.name} failed")
        return done.stdout

    def measure(
        self, server: Server, row: str, number: int, protocol: str, seconds: float
    ) -> Measurement:
        text = self.run(server, row, http=protocol, seconds=f"{seconds}s")
        seen: dict[str, Any] = json.loads(text)
        if seen["errors"] or not seen["operations"]:
            sys.exit(f"bench: {row} on {server.name}: {seen['errors']} errors: {seen}")
        known = {field.name for field in fields(Measurement)} & seen.keys()
        found = Measurement(
            server=server.name, round=number, **{name: seen[name] for name in known}
        )
        rate = f"{found.cpu_ms:9.3f} ms CPU {found.throughput:9.1f}/s"
        say(f"  {row:14} {server.name:22} {found.protocol:9} {rate}")
        return found


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def settle_protocol(load: Load, server: Server, row: str) -> str:
    """The HTTP version with which the server needs the least CPU; a warm-up besides."""
    seconds = load.options.seconds
    tried = [(load.measure(server, row, 0, each, seconds), each) for each in server.protocols]
    return min(tried, key=lambda pair: pair[0].cpu_ms)[1]


def measure_row(load: Load, both: Sequence[Server], row: str) -> list[Measurement]:
    """The rounds, in turn; the warm-up that settles the protocol is not among them."""
    protocols = {server.name: settle_protocol(load, server, row) for server in both}
    return [
        load.measure(server, row, number, protocols[server.name], load.options.seconds)
        for number in range(1, load.options.rounds + 1)
        for server in both
    ]


def fill(load: Load, server: Server) -> None:
    say(f"{server.name}: the data set")
    load.run(server, "admit", admin=True)
    load.run(server, "seed")
    load.run(server, "clean")


def run(options: argparse.Namespace, place: Place, program: Path) -> list[Measurement]:
    load = Load(program, place, options)
    starts = {"ours": [servers.ours], "upstream": [servers.upstream]}
    chosen = starts.get(options.only, [servers.ours, servers.upstream])
    with ExitStack() as stack:
        both = [stack.enter_context(start(place)) for start in chosen]
        for server in both:
            fill(load, server)
        found: list[Measurement] = []
        for row in options.rows:
            say(f"{row}: warm-up, then {options.rounds} rounds")
            found += measure_row(load, both, row)
        for server in both:
            say(f"{server.name}: {server.resident():.0f} MiB resident")
    return found


def rows_of(text: str) -> list[str]:
    """Rows by name; ``list`` is both lists."""
    found: list[str] = []
    for part in text.split(","):
        named = [name for name in ROWS if name == part or name.startswith(f"{part}-")]
        if not named:
            raise argparse.ArgumentTypeError(f"no row {part}; there are: {', '.join(ROWS)}")
        found += named
    return found


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rows", type=rows_of, default=list(ROWS), help=f"of {','.join(ROWS)} (default: all)"
    )
    parser.add_argument("--rounds", type=int, default=5, help="of each row and server (default: 5)")
    parser.add_argument("--seconds", type=float, default=3, help="length of a round (default: 3)")
    parser.add_argument("--pods", type=int, default=10000, help="size of the list (default: 10000)")
    parser.add_argument("--watchers", type=int, default=1000, help="default: 1000")
    parser.add_argument("--workers", type=int, default=8, help="requests at once (default: 8)")
    parser.add_argument("--state", type=Path, default=CACHE / "bench/state", help="data and logs")
    parser.add_argument(
        "--port", type=int, default=26443, help="the first of four (default: 26443)"
    )
    parser.add_argument("--results", type=Path, default=REPO / "build/bench", help="result files")
    parser.add_argument("--keep", action="store_true", help="use the data set of the last run")
    parser.add_argument("--only", choices=("ours", "upstream"), help="one side, without ratios")
    return parser.parse_args()


def conclude(options: argparse.Namespace, found: Sequence[Measurement], load: float) -> int:
    """Print and keep what the rounds came to; the status to end with."""
    measured = [each for each in found if each.round]
    rows = []
    for row in options.rows:
        mine, theirs = (
            [each for each in measured if (each.row, each.server) == (row, name)]
            for name in dict.fromkeys(each.server for each in measured)
        )
        rows.append(report.summarize(row, mine, theirs))
    about = {
        "pods": options.pods,
        "watchers": options.watchers,
        "workers": options.workers,
        "cores": os.cpu_count(),
        "load_average": [load, os.getloadavg()[0]],
    }
    report.write(options.results, rows, measured, about)
    print(f"\n{report.table(rows)}\n\n{report.verdict(rows)}")
    return 0 if all(row.ratio > 1 for row in rows) else 1


def main() -> int:
    options = parse()
    place = Place(options.state.absolute(), options.port)
    servers.prepare(place, keep=options.keep)
    begin, load = time.monotonic(), os.getloadavg()[0]
    try:
        found = run(options, place, CACHE / "bench/load")
    finally:
        if not options.keep:
            servers.remove(place)
    if options.only:
        return 0
    status = conclude(options, found, load)
    minutes = (time.monotonic() - begin) / 60
    say(f"after {minutes:.1f} minutes; {options.results}/bench.tsv and bench.json have the figures")
    return status


if __name__ == "__main__":
    sys.exit(main())
