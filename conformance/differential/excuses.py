"""Cases that differ on purpose: differs.yaml says which, and why in words of docs/compatibility.md.

An entry is a pattern of "theme: name" with the reason, or with a mapping of `why`, the reason, and
`upstream`, a pattern that upstream's answer to each step that differs must contain.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pykube_cp.machinery.codec import yaml_rules

FILE = Path(__file__).resolve().parent / "differs.yaml"


@dataclass(frozen=True, slots=True)
class Excuse:
    """Of the cases whose title matches, if upstream's answers do."""

    case: str
    why: str
    upstream: str = ""

    def holds(self, title: str, answers: Sequence[str]) -> bool:
        if not re.search(self.case, title):
            return False
        if not self.upstream:
            return True
        return bool(answers) and all(re.search(self.upstream, answer) for answer in answers)


def load() -> list[Excuse]:
    return parse(yaml_rules.loads(FILE.read_bytes()) or {})


def parse(entries: Mapping[str, Any]) -> list[Excuse]:
    return [
        Excuse(case, **given) if isinstance(given, dict) else Excuse(case, given)
        for case, given in entries.items()
    ]


def reason(excuses: Iterable[Excuse], title: str, answers: Sequence[str]) -> str:
    """Why a case may differ; empty when it may not."""
    return next((each.why for each in excuses if each.holds(title, answers)), "")
