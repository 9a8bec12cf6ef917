"""The tests of the official suite by name: which there are, which are asked for."""

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

LISTED = re.compile(r"\s+\S+:\d+: (.*)")
CONFORMANCE = "[Conformance]"
SERIAL = "[Serial]"


def conformance_tests(e2e_test: Path) -> list[str]:
    """Full names of all [Conformance] tests, in the suite's order."""
    done = subprocess.run(
        [e2e_test, "--list-tests"], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return parse_list(done.stdout.decode())


def parse_list(output: str) -> list[str]:
    names = (match[1].strip() for line in output.splitlines() if (match := LISTED.match(line)))
    return [name for name in names if CONFORMANCE in name]


def is_serial(name: str) -> bool:
    return SERIAL in name


def select(names: Iterable[str], *, focus: str = "", skip: str = "") -> list[str]:
    """Names that match focus and not skip, two regular expressions; empty ones do not count."""
    return [
        name for name in names if re.search(focus, name) and not (skip and re.search(skip, name))
    ]


def focus_flags(names: Iterable[str]) -> list[str]:
    """Ginkgo flags that run exactly these tests: it joins them into one regular expression."""
    return [f"--focus={go_quoted(name)}$" for name in names]


def go_quoted(text: str) -> str:
    """Go's syntax knows fewer escapes than Python's re.escape produces."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)


def read_names(path: Path) -> list[str]:
    """One name a line; empty lines and lines that start with # do not count."""
    if not path.exists():
        return []
    lines = (line.strip() for line in path.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def grow(path: Path, passed: Iterable[str]) -> list[str]:
    """Add names to the list in the file, which keeps what it has and is sorted; what is new."""
    known = read_names(path)
    new = sorted(set(passed) - set(known))
    if new:
        head = [line for line in lines_of(path) if line.startswith("#")]
        path.write_text("\n".join([*head, *sorted({*known, *new})]) + "\n")
    return new


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
