"""Golden cases: a cluster, a pod, and what the scheduler makes of it.

A case in ``tests/cases/scheduler/*.yaml`` has ``nodes`` and ``pods`` in the short form of
``scheduling.py``, other ``objects`` in full, the ``pod`` to be scheduled, and what is expected:
``feasible`` names the nodes that fit, ``message`` is the text for one that fits nowhere,
``preempts`` says which pods have to leave which node, ``scores`` are totals of single plugins.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pykube_cp.machinery.objects import Object
from pykube_cp.scheduler.cycle import find_feasible
from pykube_cp.scheduler.diagnosis import Diagnosis, FitError
from pykube_cp.scheduler.interface import CycleState, PreScorePlugin, ScorePlugin
from pykube_cp.scheduler.pod_info import PodInfo
from pykube_cp.scheduler.scheduler import Scheduler
from tests.scheduler.scheduling import knowing, node, pod

FOLDER = Path(__file__).parent.parent / "cases" / "scheduler"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text())
]


def cluster(case: dict[str, Any]) -> list[Object]:
    nodes = [node(**one) for one in case.get("nodes", [])]
    pods = [pod(**one) for one in case.get("pods", [])]
    return [*case.get("objects", []), *nodes, *pods]


def scores_of(scheduler: Scheduler, info: PodInfo, plugin_name: str) -> dict[str, int]:
    profile = scheduler.handle.profiles["default-scheduler"]
    state = CycleState(info)
    profile.run_pre_filters(state)
    rows = find_feasible(profile, state, scheduler.handle.snapshot.rows, Diagnosis())
    plugin = next(one for one in profile.plugins if one.name == plugin_name)
    assert isinstance(plugin, ScorePlugin)
    if isinstance(plugin, PreScorePlugin) and plugin.pre_score(state, rows) is not None:
        return {}
    scores = plugin.normalize(state, plugin.score(state, rows))
    names = [scheduler.handle.snapshot.names[row] for row in rows]
    return dict(zip(names, scores.tolist(), strict=True))


@pytest.mark.virtual_time
@pytest.mark.parametrize("case", CASES)
async def test_case(case: dict[str, Any]) -> None:
    incoming = pod(**{"name": "incoming", **case["pod"]})
    scheduler = knowing([*cluster(case), incoming], arguments=case.get("arguments", {}))
    info = PodInfo(incoming)
    for plugin, expected in case.get("scores", {}).items():
        assert scores_of(scheduler, info, plugin) == expected
    if "feasible" in case:
        assert feasible_nodes(scheduler, info) == sorted(case["feasible"])
    if "message" in case:
        assert (
            message_for(scheduler, info, preempt="preemption" in case["message"])
            == (case["message"])
        )
    if "preempts" in case:
        assert preempted(scheduler, info) == case["preempts"]


def feasible_nodes(scheduler: Scheduler, info: PodInfo) -> list[str]:
    profile = scheduler.handle.profiles["default-scheduler"]
    state = CycleState(info)
    outcome = profile.run_pre_filters(state)
    assert outcome.rejection is None, outcome.rejection
    snapshot = scheduler.handle.snapshot
    rows = find_feasible(profile, state, snapshot.rows, Diagnosis())
    return sorted(snapshot.names[row] for row in rows)


def message_for(scheduler: Scheduler, info: PodInfo, *, preempt: bool) -> str:
    cycle = scheduler._cycles["default-scheduler"]
    state = CycleState(info)
    with pytest.raises(FitError) as raised:
        cycle.schedule(state)
    error = raised.value
    if preempt:
        status = cycle.profile.run_post_filters(state, error.diagnosis.node_statuses)[1]
        error.diagnosis.post_filter_message = status.message if status else ""
    return str(error)


def preempted(scheduler: Scheduler, info: PodInfo) -> dict[str, Any]:
    cycle = scheduler._cycles["default-scheduler"]
    chosen: dict[str, Any] = {}
    plugin = next(one for one in cycle.profile.plugins if one.name == "DefaultPreemption")
    plugin._evictions.start = lambda _pod, node, victims: chosen.update(
        node=node, victims=[victim.name for victim in victims]
    )
    state = CycleState(info)
    with pytest.raises(FitError) as raised:
        cycle.schedule(state)
    before = fingerprint(scheduler)
    nomination, status = cycle.profile.run_post_filters(state, raised.value.diagnosis.node_statuses)
    assert fingerprint(scheduler) == before
    assert status is not None
    assert status.message == (
        f"preemption: found a potential placement for pod on node {chosen['node']}, "
        f"preempting {len(chosen['victims'])} victims"
    )
    assert nomination is not None
    assert nomination.node_name == chosen["node"]
    return chosen


def fingerprint(scheduler: Scheduler) -> list[Any]:
    """The state of all nodes; trying a preemption must leave it as it was."""
    snapshot = scheduler.handle.snapshot
    return [
        snapshot.pod_count.tolist(),
        snapshot.requested("cpu").tolist(),
        snapshot.requested("memory").tolist(),
        [set(pods) for pods in snapshot.pods],
    ]
