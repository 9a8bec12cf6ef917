"""Golden cases: ``tests/cases/controllers/<page>/<case>.before.yaml`` and what a page makes of it.

A page runs on the objects of the first file for five minutes; afterwards all objects must be as in
``<case>.after.yaml``, without uids, versions and times, and with ``*`` for generated name suffixes.
Set ``UPDATE_CASES=1`` to write those files anew.
"""

import importlib
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from pykube_cp.machinery import objects
from pykube_cp.testing.controllers import Harness, running
from pykube_cp.testing.kinds import KNOWN

pytestmark = pytest.mark.virtual_time

FOLDER = Path(__file__).parents[1] / "cases" / "controllers"
PAGES = (
    "cron_job",
    "daemon_set",
    "deployment",
    "disruption",
    "job",
    "replica_set",
    "replication_controller",
    "stateful_set",
)
CASES = sorted(path for page in PAGES for path in (FOLDER / page).glob("*.before.yaml"))
UNSTABLE = {"uid", "resourceVersion", "creationTimestamp"}


def normalized(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: normalized(member, names)
            for key, member in sorted(value.items())
            if key not in UNSTABLE and not key.endswith(("Time", "Timestamp"))
        }
    if isinstance(value, list):
        return [normalized(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def outcome(run: Harness) -> list[dict[str, Any]]:
    found = [obj for known in KNOWN if known.kind != "Event" for obj in run.client.all(known.gvr)]
    names = {
        objects.name(obj): f"{obj['metadata']['generateName']}*"
        for obj in found
        if obj["metadata"].get("generateName")
    }
    plain = [normalized(obj, names) for obj in found]
    return sorted(plain, key=lambda obj: (obj["kind"], yaml.safe_dump(obj)))


def load(path: Path) -> tuple[dict[str, Any], ...]:
    return tuple(yaml.safe_load_all(path.read_text()))


def write(path: Path, found: list[dict[str, Any]]) -> None:
    path.write_text(yaml.safe_dump_all(found, sort_keys=False))


@pytest.mark.parametrize("before", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_case(before: Path) -> None:
    page = importlib.import_module(f"pykube_cp.controllers.{before.parent.name}")
    async with running(page.CONTROLLER, objects=load(before)) as run:
        await run.settle(300)
        result = outcome(run)
    after = before.with_name(before.name.replace(".before.", ".after."))
    if os.environ.get("UPDATE_CASES"):
        write(after, result)
    assert tuple(result) == load(after)
