"""Habits that no linter knows."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "pykube_cp"


def test_time_limits_do_not_swallow_cancellation() -> None:
    """asyncio.wait_for of Python 3.11 loses one that comes as what it waits for ends: a stop hangs."""
    users = [path for path in PACKAGE.rglob("*.py") if "asyncio.wait_for(" in path.read_text()]
    assert users == []
