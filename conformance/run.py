#!/usr/bin/env python3
"""Run tests of the official conformance suite against a running cluster, and say what came of it.

The closing line on standard output is "N passed, N failed, N skipped"; the exit status is 0 when
none failed. Results are in DIR/results.tsv: name, pass|fail|skip, seconds, reason. A run that was
interrupted goes on with --resume.
"""

import argparse
import itertools
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import results
import suite
from results import Outcome, Result

HERE = Path(__file__).resolve().parent
KNOWN_GREEN = HERE / "known_green.txt"


@dataclass(frozen=True)
class Cluster:
    """The cluster under test and the programs that test it."""

    bin: Path
    kubeconfig: Path
    server: str
    nodes: int

    def e2e_flags(self) -> list[str]:
        return [
            "--provider=skeleton",
            f"--kubeconfig={self.kubeconfig}",
            f"--host={self.server}",
            f"--kubectl-path={self.bin / 'kubectl'}",
            "--disable-log-dump",
            f"--num-nodes={self.nodes}",
            "--allowed-not-ready-nodes=0",
            "--node-os-distro=custom",
        ]

    def environment(self) -> dict[str, str]:
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "KUBECONFIG": str(self.kubeconfig), "PATH": path}


class Progress:
    """Says every half minute how many tests are done, by the bullets in ginkgo's output."""

    def __init__(self, log: Path, total: int) -> None:
        self.log, self.total = log, total
        self.begin = time.monotonic()
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> None:
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def watch(self) -> None:
        while not self.over.wait(30):
            text = self.log.read_text(errors="replace").partition("Summarizing")[0]
            failed = len(re.findall(r"^• \[(?:FAILED|PANICKED|TIMEDOUT)\]", text, re.MULTILINE))
            seconds = time.monotonic() - self.begin
            say(f"{text.count('•')} of {self.total} done, {failed} failed, {seconds:.0f} s")


class Run:
    """One directory of results, to which each call of ginkgo adds."""

    def __init__(self, directory: Path, cluster: Cluster) -> None:
        self.directory = directory
        self.cluster = cluster
        self.table = directory / "results.tsv"
        self.results: dict[str, Result] = {}
        self.interrupted = False
        directory.mkdir(parents=True, exist_ok=True)

    def resume(self) -> None:
        self.results = results.read_tsv(self.table)

    def start_over(self) -> None:
        for path in self.directory.iterdir():
            path.unlink()

    def ginkgo(self, names: list[str], procs: int) -> None:
        """Run these tests; each of them has a result afterwards, unless it was interrupted."""
        if not names or self.interrupted:
            return
        prefix = self.fresh_prefix()
        say(f"{len(names)} tests, {procs} at a time; output in {self.directory / prefix}.log")
        with (
            (self.directory / f"{prefix}.log").open("wb") as log,
            Progress(self.directory / f"{prefix}.log", len(names)),
        ):
            self.wait_for(
                subprocess.Popen(
                    self.command(prefix, names, procs),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=self.cluster.environment(),
                    start_new_session=True,
                )
            )
        self.collect(prefix, names)

    def fresh_prefix(self) -> str:
        taken = {path.stem for path in self.directory.iterdir()}
        return next(name for n in itertools.count(1) if (name := f"part-{n:02d}") not in taken)

    def command(self, prefix: str, names: list[str], procs: int) -> list[str]:
        return [
            *("nice", "-n", "5", str(self.cluster.bin / "ginkgo"), "run"),
            *(f"--procs={procs}", "--timeout=6h", "--poll-progress-after=10m"),
            *("--no-color", "--silence-skips", f"--output-dir={self.directory}"),
            f"--junit-report={prefix}.xml",
            *suite.focus_flags(names),
            *(str(self.cluster.bin / "e2e.test"), "--", *self.cluster.e2e_flags()),
        ]

    def wait_for(self, process: subprocess.Popen[bytes]) -> None:
        """An interrupt lets ginkgo clean up and write its report; a second one ends it at once."""
        while process.poll() is None:
            try:
                process.wait()
            except KeyboardInterrupt:
                say("interrupted; waiting for the running tests to clean up")
                kind = signal.SIGKILL if self.interrupted else signal.SIGINT
                self.interrupted = True
                os.killpg(process.pid, kind)

    def collect(self, prefix: str, names: list[str]) -> None:
        found = results.read_junit(self.directory / f"{prefix}.xml")
        asked = {name: result for name, result in found.items() if name in set(names)}
        if not self.interrupted:
            asked = results.with_missing(asked, names)
        self.results |= asked
        results.write_tsv(self.table, self.results.values())
        say(results.closing_line(asked.values()))

    def undone(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name not in self.results]

    def failed(self) -> list[str]:
        return [name for name, result in self.results.items() if result.outcome == Outcome.FAIL]

    def passed(self) -> list[str]:
        return [name for name, result in self.results.items() if result.outcome == Outcome.PASS]


def say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--bin", type=Path, required=True, help="directory with ginkgo, e2e.test and kubectl")
    add("--kubeconfig", type=Path, required=True)
    add("--server", required=True, help="URL of the API server")
    add("--dir", type=Path, required=True, help="directory for the results")
    add("--nodes", type=int, default=2)
    add("--procs", type=int, default=8, help="tests at a time; [Serial] ones run alone")
    add("--focus", default="", help="regular expression that a test's name matches")
    add("--skip", default="", help="regular expression that it does not match")
    add("--serial", choices=["yes", "no", "only"], default="no", help="whether [Serial] tests run")
    add("--list", type=Path, help="file with the names of the tests to run")
    add("--known-green", action="store_true", help="run what known_green.txt lists")
    add("--retry", action="store_true", help="only who fails twice has failed")
    add("--resume", action="store_true", help="leave out the tests that have a result in DIR")
    add("--update-known-green", action="store_true", help="add to known_green.txt what passed")
    return parser.parse_args()


def wanted(options: argparse.Namespace) -> list[str]:
    names = suite.conformance_tests(options.bin / "e2e.test")
    path = KNOWN_GREEN if options.known_green else options.list
    if path:
        listed = set(suite.read_names(path))
        if unknown := listed - set(names):
            sys.exit(f"{path} names tests that the suite does not have: {sorted(unknown)}")
        names = [name for name in names if name in listed]
    return suite.select(names, focus=options.focus, skip=options.skip)


def run_all(run: Run, names: list[str], options: argparse.Namespace) -> None:
    serial = [name for name in names if suite.is_serial(name)]
    together = [name for name in names if not suite.is_serial(name)]
    if options.serial != "only":
        run.ginkgo(run.undone(together), options.procs)
    if options.serial != "no":
        run.ginkgo(run.undone(serial), 1)


def retry(run: Run, procs: int) -> None:
    """A test may fail once where the machine is at fault; then it passes when it runs again."""
    failed = run.failed()
    run.ginkgo([name for name in failed if not suite.is_serial(name)], min(procs, 4))
    run.ginkgo([name for name in failed if suite.is_serial(name)], 1)


def report(run: Run) -> None:
    for name in sorted(run.failed()):
        print(f"FAIL {name}\n     {run.results[name].reason}")
    print(f"results: {run.table}")
    print(results.closing_line(run.results.values()))


def main() -> int:
    options = arguments()
    names = wanted(options)
    cluster = Cluster(options.bin, options.kubeconfig, options.server, options.nodes)
    run = Run(options.dir, cluster)
    if options.resume:
        run.resume()
    else:
        run.start_over()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run_all(run, names, options)
    if options.retry:
        retry(run, options.procs)
    if options.update_known_green:
        say(f"{len(suite.grow(KNOWN_GREEN, run.passed()))} names are new in {KNOWN_GREEN.name}")
    report(run)
    return 1 if run.failed() or run.interrupted or not run.results else 0


if __name__ == "__main__":
    sys.exit(main())
