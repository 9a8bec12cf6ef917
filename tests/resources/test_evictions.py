"""What may be reported on an eviction; texts are upstream's."""

from collections.abc import Iterator
from typing import Any

import pytest

from pykube_cp.machinery import clock
from pykube_cp.resources.shared import evictions

FIRST, SECOND, LAST = "a.example.com/x", "b.example.com/y", "imperative-eviction.k8s.io/evictor"
NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T03:24:05Z"
HANDED_ON = ("Completed", "Active", "Inactive")


@pytest.fixture(autouse=True)
def at_that_time() -> Iterator[None]:
    clock.use(lambda: clock.parse_time(NOW), lambda: 0.0)
    yield
    clock.use_system()


def status(
    states: tuple[str, ...] = ("Active", "Inactive", "Inactive"), *reports: Any, **rest: Any
) -> dict[str, Any]:
    names = zip((FIRST, SECOND, LAST), (2000, 1000, 100), states, strict=True)
    targets = [{"name": name, "priority": rank, "state": state} for name, rank, state in names]
    given = reports or ({"startTime": NOW},)
    filled = (*given, {}, {})[:3]
    tracked = [
        {"name": name, **report} for name, report in zip((FIRST, SECOND, LAST), filled, strict=True)
    ]
    return {"targetResponders": targets, "responders": tracked, **rest}


DONE = {"startTime": NOW, "completionTime": NOW}


def errors(new: Any, old: Any = None) -> list[str]:
    return [str(error).removeprefix("status.") for error in evictions.check(new, old or {})]


def over(kind: str = "TargetEvicted", value: str = "True", reason: str = "R") -> dict[str, Any]:
    said = {"type": kind, "status": value, "reason": reason, "lastTransitionTime": NOW}
    return {"conditions": [said]}


def test_one_after_the_other() -> None:
    reported = status(("Active", "Inactive", "Inactive"), DONE)
    handed_on = status(HANDED_ON, DONE, {"startTime": NOW})
    assert errors(status()) == []
    assert errors(reported, status()) == []
    assert errors(handed_on, reported) == []


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (("Inactive",) * 3, {0: "Active, because this responder is next in line"}),
        (
            ("Active", "Active", "Inactive"),
            {1: "Inactive, because the previously active has not finished processing"},
        ),
    ],
)
def test_first_states(states: tuple[str, ...], expected: dict[int, str]) -> None:
    found = errors(status(states, {"startTime": NOW}, {"startTime": NOW}))
    assert [error for error in found if "must be one of" in error] == [
        f'targetResponders[{place}].state: Invalid value: "{states[place]}": must be one of: {text}'
        for place, text in expected.items()
    ]


def test_who_is_at_work_stays_active() -> None:
    canceled = status(("Canceled", "Active", "Inactive"), {"startTime": NOW}, {"startTime": NOW})
    assert errors(canceled, status()) == [
        (
            "targetResponders[0].state: Forbidden: must stay Active because the responder is in "
            "progress and it should report status.responders.heartbeatTime or "
            "status.responders.completionTime"
        )
    ]
    clock.use(lambda: clock.parse_time(LATER), lambda: 0.0)
    canceled["responders"][1]["startTime"] = LATER
    assert errors(canceled, status()) == []


def test_final_states_and_conditions() -> None:
    before = status(HANDED_ON, DONE, {"startTime": NOW})
    revived = status(("Canceled", "Active", "Inactive"), DONE, {"startTime": NOW})
    assert errors(revived, before) == [
        (
            'targetResponders[0].state: Invalid value: "Canceled": must be one of: Completed, because '
            "final state is immutable"
        )
    ]
    ended = status(("Canceled", "Inactive", "Inactive"), {"startTime": NOW}, **over())
    assert errors(ended, status()) == []
    [error] = errors(ended | over(reason="Other"), ended)
    assert error.endswith("TargetEvicted condition status cannot be reverted")


def test_only_who_is_active_reports() -> None:
    [error] = errors(
        status(("Active", "Inactive", "Inactive"), {"startTime": NOW}, {"message": "m"}), status()
    )
    assert error.startswith(
        'responders[1]: Invalid value: {"Name":"b.example.com/y","StartTime":null'
    )
    assert error.endswith(": field is immutable")


@pytest.mark.parametrize(
    ("report", "error"),
    [
        ({}, "startTime: Required value: is required for an active responder"),
        (
            {"startTime": LATER},
            f'startTime: Invalid value: "{LATER}": must be set to the present time',
        ),
        (
            {"startTime": NOW, "heartbeatTime": "2026-01-02T03:04:00Z"},
            (
                'heartbeatTime: Invalid value: "2026-01-02T03:04:00Z": must occur after '
                "status.responders[0].startTime"
            ),
        ),
        (
            {"startTime": NOW, "heartbeatTime": LATER},
            f'heartbeatTime: Invalid value: "{LATER}": must be set to the present time',
        ),
        (
            {"startTime": NOW, "expectedCompletionTime": "2046-01-02T03:04:05Z"},
            (
                'expectedCompletionTime: Invalid value: "2046-01-02T03:04:05Z": must complete within '
                "10 years"
            ),
        ),
        (
            {"startTime": NOW, "completionTime": LATER},
            f'completionTime: Invalid value: "{LATER}": must be set to the present time',
        ),
    ],
)
def test_times(report: dict[str, str], error: str) -> None:
    assert errors(status(("Active", "Inactive", "Inactive"), report)) == [f"responders[0].{error}"]


def test_priorities() -> None:
    new = status()
    for target, rank in zip(new["targetResponders"], (999, 5000, 50), strict=True):
        target["priority"] = rank
    found = [error for error in errors(new) if "priority" in error]
    assert found == [
        (
            "targetResponders[0].priority: Invalid value: 999: priorities 0-999 are reserved for "
            "responders with *.k8s.io suffix"
        ),
        (
            "targetResponders[2].priority: Invalid value: 50: core k8s responder is expected to have "
            "priority: 100"
        ),
    ]


def test_order_by_priority_then_by_domain_from_its_end() -> None:
    names = ["b.a/x", "a.b/y", "a.b/x", "z.a.b/x", "b/x"]
    targets = [{"name": name, "priority": 1} for name in names]
    targets.append({"name": "q/x", "priority": 2})
    found = [target["name"] for target in sorted(targets, key=evictions.order)]
    assert found == ["q/x", "b.a/x", "b/x", "a.b/x", "a.b/y", "z.a.b/x"]


def test_nobody_joins_or_leaves() -> None:
    [targets, responders] = errors({**status(), "targetResponders": []}, status())
    assert targets.endswith("must preserve the same length and the same keys")
    assert responders.endswith(
        "must be the same length as status.targetResponders and contain the same keys"
    )
