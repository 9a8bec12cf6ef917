"""What components, upstream's and ours, log about things that went wrong, and which of it is excused."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

HEADER = re.compile(r"([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ (\S+?):\d+\] (.*)")
"""Severity, source file, message; lines without it go on with the message before."""

OWN_HEADER = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ ([A-Z])[A-Z]+ (\S+): (.*)")
"""The same in our own logs, which begin with warnings."""


@dataclass(frozen=True)
class Line:
    """One warning, error or fatal message."""

    severity: str
    source: str
    message: str

    def __str__(self) -> str:
        return f"{self.severity} {self.source}] {self.message}"


@dataclass(frozen=True)
class Excuse:
    """Lines that say nothing against the API server, because upstream's own causes them as well."""

    pattern: str
    reason: str

    def covers(self, line: Line) -> bool:
        return re.search(self.pattern, str(line)) is not None


def troubles(text: str) -> Iterator[Line]:
    """Warnings and worse, in order; a panic's trace is an error too, whatever its lines look like."""
    for line in text.splitlines():
        if found := HEADER.match(line):
            if found[1] != "I":
                yield Line(found[1], found[2], found[3])
        elif line.startswith(("panic:", "fatal error:")):
            yield Line("F", "runtime", line)


def own_troubles(text: str) -> Iterator[Line]:
    """What our components log; what has no header is wrong only where it follows none."""
    headed = False
    for line in text.splitlines():
        if found := OWN_HEADER.match(line):
            headed = True
            yield Line(found[1], found[2], found[3])
        elif not headed:
            yield Line("F", "stderr", line)


def judge(lines: Iterable[Line], excuses: Sequence[Excuse]) -> tuple[Counter[Excuse], list[Line]]:
    """How often each excuse was needed, and what none covers."""
    needed: Counter[Excuse] = Counter()
    wrong: list[Line] = []
    for line in lines:
        excuse = next((each for each in excuses if each.covers(line)), None)
        if excuse:
            needed[excuse] += 1
        else:
            wrong.append(line)
    return needed, wrong
