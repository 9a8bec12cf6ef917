from typing import Any

import pytest

from pykube_cp.controllers.shared import job_policies as policies
from pykube_cp.controllers.shared.job_backoff import BackoffRecord, finished_time
from pykube_cp.controllers.shared.job_indexes import Indexes
from pykube_cp.machinery import clock


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([], ""),
        ([3], "3"),
        ([3, 4], "3,4"),
        ([0, 1, 2, 5, 7, 8], "0-2,5,7,8"),
    ],
)
def test_indexes_are_written_as_upstream_does(numbers: list[int], text: str) -> None:
    assert str(Indexes.of(numbers)) == text
    assert Indexes.parse(text, 100) == Indexes.of(numbers)
    assert len(Indexes.parse(text, 100)) == len(numbers)


def test_indexes_beyond_completions_are_dropped() -> None:
    assert str(Indexes.parse("0-3,5-9", 7)) == "0-3,5,6"
    assert str(Indexes.parse("0,x,2-y,4", 7)) == "0,4"


def test_missing_indexes() -> None:
    taken = Indexes.of([0, 1, 4]).union(Indexes.of([2]))
    assert list(taken.missing(7)) == [3, 5, 6]
    assert list(taken.missing(3)) == []
    assert taken.overlap(Indexes.of([1, 2, 3])) == 2


def job(**spec: Any) -> dict[str, Any]:
    return {"spec": {"completions": 5, **spec}, "status": {}}


def failed_pod(code: int = 1, **status: Any) -> dict[str, Any]:
    terminated = {"exitCode": code, "finishedAt": "2026-01-01T00:00:10Z"}
    container = {"name": "main", "state": {"terminated": terminated}}
    return {
        "metadata": {"name": "p", "namespace": "ns"},
        "status": {"phase": "Failed", "containerStatuses": [container], **status},
    }


def policy(*rules: dict[str, Any]) -> dict[str, Any]:
    return job(podFailurePolicy={"rules": list(rules)})


def test_failure_policy_takes_the_first_rule_that_matches() -> None:
    disrupted = {
        "action": "Ignore",
        "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}],
    }
    fatal = {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [3, 42]}}
    other = {"action": "Count", "onExitCodes": {"operator": "NotIn", "values": [7]}}
    both = policy(disrupted, fatal, other)
    assert policies.judge_failure(both, failed_pod(42)) == (
        "Container main for pod ns/p failed with exit code 42 matching FailJob rule at index 1",
        True,
        "FailJob",
    )
    gone = failed_pod(42, conditions=[{"type": "DisruptionTarget", "status": "True"}])
    assert policies.judge_failure(both, gone) == ("", False, "Ignore")
    assert policies.judge_failure(both, failed_pod(1)) == ("", True, "Count")
    assert policies.judge_failure(both, failed_pod(7)) == ("", True, "")


def test_success_policy() -> None:
    rules = [
        {"succeededIndexes": "0,2-4", "succeededCount": 3},
        {"succeededIndexes": "1"},
        {"succeededCount": 4},
    ]
    wanted = job(successPolicy={"rules": rules})

    def met(*indexes: int) -> str:
        return policies.match_success_policy(wanted, Indexes.of(indexes))

    assert met(0, 2) == ""
    assert met(0, 2, 4) == "Matched rules at index 0"
    assert met(0, 1) == "Matched rules at index 1"
    assert policies.match_success_policy(job(), Indexes.of([1])) == ""


def at(seconds: int) -> dict[str, Any]:
    time = clock.format_time(seconds)
    state = {"terminated": {"exitCode": 1, "finishedAt": time}}
    return {"metadata": {}, "status": {"containerStatuses": [{"name": "c", "state": state}]}}


def test_backoff_counts_failures_since_the_last_success(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "_now", lambda: 1000.0)
    record = BackoffRecord().updated([], [at(990), at(995)])
    assert record == BackoffRecord(2, 995)
    assert record.remaining() == pytest.approx(15)
    assert record.updated([at(996)], [at(994), at(998)]) == (1, 998)
    assert record.updated([at(999)], []) == (0, 0)
    assert BackoffRecord(50, 999).remaining() == pytest.approx(599)


def test_finished_time_falls_back() -> None:
    created = {"creationTimestamp": clock.format_time(5)}
    running: dict[str, Any] = {"metadata": created, "status": {}}
    assert finished_time(running) == 5
    running["status"]["conditions"] = [
        {"type": "Ready", "status": "False", "lastTransitionTime": clock.format_time(7)}
    ]
    assert finished_time(running) == 7
