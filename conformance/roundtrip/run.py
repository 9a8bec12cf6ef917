"""Sends every kind around: upstream's encodings to our objects to our encodings to upstream's objects."""

import argparse
import re
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from broken import Breaker
from cases import Case, fixtures, folders, random_cases
from checks import SHORT, Checker, has_list
from tally import Tally
from upstream import Upstream


def main() -> int:
    options = parse()
    begun = time.monotonic()
    tally = Tally()
    with closing(Upstream(options.upstream)) as upstream:
        run = Run(upstream, Checker(upstream, tally), options.only)
        for folder in [each for testdata in options.testdata for each in folders(testdata)]:
            run.folder(folder)
        run.random(options.fuzz, options.seed)
        run.broken(Breaker(upstream, tally, options.seed), options.broken)
    print("\n".join(tally.table()))
    print(f"{run.files} files of fixtures, in {time.monotonic() - begun:.0f} s")
    print(tally.closing())
    return 1 if tally.failed else 0


class Run:
    """Feeds the checks, and says what was fed."""

    def __init__(self, upstream: Upstream, checker: Checker, only: re.Pattern[str]) -> None:
        self._upstream = upstream
        self._checker = checker
        self._only = only
        self._known = upstream.kinds()
        self._current: list[Case] = []
        self.files = 0

    def folder(self, folder: Path) -> None:
        cases = [case for case in fixtures(folder) if self._only.search(case.name)]
        counts = _files(cases)
        self.files += counts.total()
        each = ", ".join(f"{number} {name}" for name, number in counts.items()) or "none chosen"
        print(f"{folder}: {each}", flush=True)
        removed = [case for case in cases if case.gvk not in self._known]
        for case in removed:
            print(f"  left out: {case.name}: upstream has removed the kind, and so have we")
            self._checker.removed(case)
        for case in cases:
            if case not in removed:
                self._fixture(case)

    def _fixture(self, case: Case) -> None:
        self._checker.object(case)
        if case.source == "HEAD":
            self._current.append(case)
        if case.source == "HEAD" and case.typed:
            self._checker.watch(case)
            if has_list(case):
                self._checker.list_of(case)

    def random(self, count: int, seed: int) -> None:
        kinds = len(self._known)
        print(f"random: {count} objects of each of {kinds} kinds, seed {seed}", flush=True)
        left_out = self._checker.left_out
        for case in random_cases(self._upstream, count, seed):
            if self._only.search(case.name):
                self._checker.object(case)
                missing = [name for key, name in SHORT.items() if key not in case.forms]
                left_out.update(
                    f"{name}: upstream has no such form of the object" for name in missing
                )
        for text, number in left_out.items():
            print(f"  left out: {number} times {text}")

    def broken(self, breaker: Breaker, count: int) -> None:
        print(f"broken: {count} fixtures of HEAD in each encoding but CBOR", flush=True)
        breaker.run(self._current, count)
        for text, number in breaker.tolerated.items():
            print(f"  left out: {number} times {text}")


def _files(cases: Iterable[Case]) -> Counter[str]:
    """How many files there are of each encoding."""
    return Counter(
        SHORT[media_type]
        for case in cases
        for forms in (case.forms, case.after)
        for media_type in forms
    )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upstream", required=True, help="the program made of main.go")
    parser.add_argument(
        "--testdata", action="append", type=Path, default=[], help="a folder of HEAD and v1.*"
    )
    parser.add_argument("--fuzz", type=int, default=4, metavar="N", help="random objects per kind")
    parser.add_argument("--broken", type=int, default=500, metavar="N", help="broken fixtures")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="the same gives the same")
    parser.add_argument("--only", type=re.compile, default=re.compile(""), metavar="REGEXP")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
