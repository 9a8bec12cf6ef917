"""Upstream's answers of the last run, so that ours can be compared again without upstream."""

import json
from pathlib import Path
from typing import Any

from script import Case


class Recorded:
    """Answers by the case they answer; a case that has changed has none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._answers: dict[str, list[Any]] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                key, answers = json.loads(line)
                self._answers[key] = answers
        self._is_changed = False

    def add(self, case: Case, answers: list[Any]) -> None:
        self._answers[_key(case)] = answers
        self._is_changed = True

    def of(self, case: Case) -> list[Any] | None:
        return self._answers.get(_key(case))

    def save(self) -> None:
        if self._is_changed:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lines = (json.dumps(entry) for entry in self._answers.items())
            self._path.write_text("\n".join(lines) + "\n")


def _key(case: Case) -> str:
    return f"{case.title} {case.steps!r}"
