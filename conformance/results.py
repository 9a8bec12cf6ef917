"""What happened to each test: JUnit files of ginkgo in, a table and the closing line out."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

# ginkgo appends a test's labels to its name: "... [Conformance] [sig-node, Conformance]"
LABELS = re.compile(r" \[[^\[\]]*, [^\[\]]*\]$")
ENDED_EARLY = ("interrupted", "aborted")


class Outcome(StrEnum):
    """As the table of results spells it."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class Result:
    """One test's outcome; reason is one line, empty when it passed."""

    name: str
    outcome: Outcome
    seconds: float
    reason: str = ""

    def row(self) -> str:
        return f"{self.name}\t{self.outcome}\t{self.seconds:.1f}\t{self.reason}"


def read_junit(path: Path) -> dict[str, Result]:
    """Results of the tests that ran; a file that is cut off has none."""
    try:
        root = ET.parse(path).getroot()
    except (ET.ParseError, FileNotFoundError):
        return {}
    found = (result_of(case) for case in root.iter("testcase"))
    return {result.name: result for result in found if result}


def result_of(case: ET.Element) -> Result | None:
    name = case.get("name", "")
    status = case.get("status", "")
    if not name.startswith("[It] ") or status in ENDED_EARLY:
        return None
    outcome, reason = outcome_of(case, status)
    if outcome is None:
        return None
    return Result(test_name(name), outcome, float(case.get("time", "0")), reason)


def test_name(name: str) -> str:
    return LABELS.sub("", name.removeprefix("[It] "))


def outcome_of(case: ET.Element, status: str) -> tuple[Outcome | None, str]:
    """None for a test that the focus left out."""
    if status in ("skipped", "pending"):
        message = text_of(case.find("skipped"))
        return (Outcome.SKIP, message) if message.startswith("skipped - ") else (None, "")
    for kind in ("failure", "error"):
        if (bad := case.find(kind)) is not None:
            return Outcome.FAIL, text_of(bad)
    return Outcome.PASS, ""


def text_of(element: ET.Element | None) -> str:
    if element is None:
        return ""
    return re.sub(r"\s+", " ", element.get("message") or element.text or "")[:300].strip()


def read_tsv(path: Path) -> dict[str, Result]:
    if not path.exists():
        return {}
    rows = (line.split("\t") for line in path.read_text().splitlines())
    return {
        name: Result(name, Outcome(outcome), float(seconds), reason)
        for name, outcome, seconds, reason in rows
    }


def write_tsv(path: Path, results: Iterable[Result]) -> None:
    rows = sorted(result.row() for result in results)
    path.write_text("".join(f"{row}\n" for row in rows))


def with_missing(results: dict[str, Result], wanted: Iterable[str]) -> dict[str, Result]:
    """A test that was asked for and left no result has failed."""
    missing = {name: Result(name, Outcome.FAIL, 0, "did not run to its end") for name in wanted}
    return missing | results


def count(results: Iterable[Result], outcome: Outcome) -> int:
    return sum(result.outcome == outcome for result in results)


def closing_line(results: Iterable[Result]) -> str:
    done = list(results)
    passed, failed, skipped = (count(done, outcome) for outcome in Outcome)
    return f"{passed} passed, {failed} failed, {skipped} skipped"
