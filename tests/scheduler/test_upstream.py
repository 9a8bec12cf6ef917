"""Random clusters, and what upstream's own plugins say about them (``record_upstream.py``).

Equal must be: the nodes that fit, every score of every plugin, the sentence for a pod that fits
nowhere, and whether and what preemption would do about it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from pykube_cp.scheduler.diagnosis import Diagnosis
from pykube_cp.scheduler.interface import Code, CycleState
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.profile import PluginError
from pykube_cp.scheduler.scheduler import Scheduler
from pykube_cp.scheduler.vectors import Rows
from tests.scheduler.random_clusters import RandomCluster
from tests.scheduler.scheduling import knowing

RECORD = Path(__file__).parent.parent / "cases" / "scheduler" / "upstream.jsonl"
ANSWERS = [json.loads(line) for line in RECORD.read_text().splitlines()]


@pytest.mark.virtual_time
@pytest.mark.parametrize("batch", range(25))
async def test_the_same_as_upstream(batch: int) -> None:
    for expected in ANSWERS[batch::25]:
        assert {"seed": expected["seed"], **answer(expected["seed"])} == expected


def answer(seed: int) -> dict[str, Any]:
    cluster = RandomCluster(seed)
    scheduler = knowing([*cluster.objects, cluster.pod])
    scheduler.handle.spawn = lambda work, name: work.close()
    scheduler.handle.nominator.remove(cluster.pod["metadata"]["uid"])
    result: dict[str, Any] = {"message": "", "post": "", "feasible": [], "scores": {}}
    cycle = scheduler._cycles["default-scheduler"]
    state, diagnosis = CycleState(PodInfo(cluster.pod)), Diagnosis()
    names = scheduler.handle.snapshot.names
    try:
        rows = cycle._feasible(state, diagnosis)
    except PluginError as error:
        return {**result, "message": f"error: {error}"}
    result["feasible"] = sorted(names[row] for row in rows)
    if len(rows):
        return {**result, "scores": scores(scheduler, state, rows)}
    _, status = cycle.profile.run_post_filters(state, diagnosis.node_statuses)
    assert status is not None
    assert status.code in {Code.SUCCESS, Code.UNSCHEDULABLE}
    message = diagnosis.message(scheduler.handle.snapshot.number_of_nodes)
    return {**result, "message": message, "post": status.message}


def scores(scheduler: Scheduler, state: CycleState, rows: Rows) -> dict[str, dict[str, int]]:
    """Weighted scores that are not zero, by plugin and node."""
    profile, names = scheduler.handle.profiles["default-scheduler"], scheduler.handle.snapshot.names
    skipped = {one.name for one in profile._pre_scores if one.pre_score(state, rows) is not None}
    found: dict[str, dict[str, int]] = {}
    for plugin in profile._scores:
        if plugin.name in skipped:
            continue
        values = plugin.normalize(state, plugin.score(state, rows)) * profile._weights[plugin.name]
        for row, value in zip(rows.tolist(), values.tolist(), strict=True):
            if value:
                found.setdefault(plugin.name, {})[names[row]] = value
    return found
