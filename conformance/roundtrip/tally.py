"""Counts what holds and what does not, and shows how."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

EMPTY: tuple[Any, ...] = (None, "", [], {})
MAX_SHOWN = 8
MAX_FAILURES = 60


class Tally:
    """Counts by row (where the object is from) and column (what was done with it)."""

    def __init__(self) -> None:
        self.passed: Counter[tuple[str, str]] = Counter()
        self.failed: Counter[tuple[str, str]] = Counter()

    def check(self, row: str, column: str, name: str, differences: list[str]) -> bool:
        """Count one thing, and print how it differs."""
        if not differences:
            self.passed[row, column] += 1
            return True
        self.failed[row, column] += 1
        if self.failed.total() <= MAX_FAILURES:
            print(f"FAIL {name}: {column}")
            for line in differences[:MAX_SHOWN]:
                print(f"     {line}")
        elif self.failed.total() == MAX_FAILURES + 1:
            print("further failures are only counted")
        return False

    def table(self) -> Iterator[str]:
        every = {**self.passed, **self.failed}
        columns = list(dict.fromkeys(column for _, column in every))
        rows = list(dict.fromkeys(row for row, _ in every))
        width = max(map(len, columns), default=0)
        yield f"{'':{width}}" + "".join(f"  {row:>10}" for row in rows)
        for column in columns:
            yield f"{column:{width}}" + "".join(f"  {self._cell(r, column):>10}" for r in rows)

    def _cell(self, row: str, column: str) -> str:
        passed, failed = self.passed[row, column], self.failed[row, column]
        return f"{passed} !{failed}" if failed else str(passed or "-")

    def closing(self) -> str:
        return f"{self.passed.total()} passed, {self.failed.total()} failed"


def differences(ours: Any, wanted: Any, path: str = "", *, loose: bool = False) -> list[str]:
    """Where two JSON values differ, one line each; ``loose`` takes null for any empty value."""
    return list(_walk(ours, wanted, path, loose=loose))


def _walk(ours: Any, wanted: Any, path: str, *, loose: bool) -> Iterator[str]:
    if loose and None in (ours, wanted) and ours in EMPTY and wanted in EMPTY:
        return
    if isinstance(ours, dict) and isinstance(wanted, dict):
        for key in dict.fromkeys([*wanted, *ours]):
            below = f"{path}.{key}" if path else key
            if key not in ours:
                yield f"{below}: missing, wanted {_short(wanted[key])}"
            elif key not in wanted:
                yield f"{below}: {_short(ours[key])}, wanted nothing"
            else:
                yield from _walk(ours[key], wanted[key], below, loose=loose)
    elif isinstance(ours, list) and isinstance(wanted, list) and len(ours) == len(wanted):
        for index, (mine, want) in enumerate(zip(ours, wanted, strict=True)):
            yield from _walk(mine, want, f"{path}[{index}]", loose=loose)
    elif _differ(ours, wanted):
        yield f"{path or 'object'}: {_short(ours)}, wanted {_short(wanted)}"


def _differ(ours: Any, wanted: Any) -> bool:
    """Whether two scalars do; numbers are the same when a double holds them as the same."""
    if ours == wanted:
        return isinstance(ours, bool) is not isinstance(wanted, bool)
    if isinstance(ours, float) or isinstance(wanted, float):
        return not (_is_number(ours) and _is_number(wanted) and float(ours) == float(wanted))
    return True


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."
